// `bluemarble sim`: simulated worlds under faults, one after the other, each out of its seed.
//
// `main` registers it. Exit codes tell a broken promise from a world that did not recover.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { duration, folder, wholeNumber } from './options.ts';

const SEED_MAX = 1_000_000_000;
const SEEDS_MAX = 10_000_000;
const SEEDS = 1_000;
const PLANTED_SEEDS = 200;
const CHAOS_MS_MIN = 3_000;
const CHAOS_MS_MAX = 3_600_000;
const SEEDS_HELP = `how many; ${SEEDS}, or ${PLANTED_SEEDS} for each planted fault`;

interface SimOptions {
  readonly seeds?: number;
  readonly from: number;
  readonly seed?: number;
  readonly world?: string;
  readonly minutes?: number;
  readonly chaos?: number;
  /** The names of some, or all. */
  readonly planted: readonly string[] | boolean;
  readonly record: boolean;
  readonly out: string;
  readonly json: boolean;
}

/** Faults need time to begin and to end in, or what they leave behind counts as a promise broken. */
function chaosSpan(text: string): number {
  const spanMs = duration(text);
  if (spanMs >= CHAOS_MS_MIN && spanMs <= CHAOS_MS_MAX) return spanMs;
  throw new InvalidArgumentError('It must be a span from 3s to 1h.');
}

export function simCommand(program: Command): void {
  program
    .command('sim')
    .summary('run worlds in virtual time, out of seeds')
    .description('Runs whole worlds in virtual time, each with the faults of its seed, and judges them.')
    .option('--seeds <n>', SEEDS_HELP, wholeNumber(1, SEEDS_MAX))
    .option('--from <n>', 'the first seed', wholeNumber(0, SEED_MAX), 1)
    .addOption(
      new Option('--seed <n>', 'this one alone, with everything that happens in it')
        .argParser(wholeNumber(0, SEED_MAX))
        .conflicts(['seeds', 'from', 'minutes']),
    )
    .option('--world <file>', 'your features: a module whose default export is a list of them', folder)
    .option('--minutes <n>', 'begin no new seed after so many minutes', wholeNumber(1, 100_000))
    .option('--chaos <span>', 'let faults come for so long in each run; else the seed says', chaosSpan)
    .addOption(
      new Option('--planted [names...]', 'prove that planted faults are found, and by which seeds')
        .default(false)
        .conflicts(['seed', 'from', 'minutes', 'world', 'chaos', 'out']),
    )
    .option('--record', 'with --planted: look for all anew, and write down what finds them', false)
    .option('--out <folder>', 'where pictures of failing seeds go', folder, folder('bluemarble-sim'))
    .option('--json', 'print the verdict as JSON in the last line, all else to stderr', false)
    .addHelpText(
      'after',
      `
Examples:
  bluemarble sim --seeds 5000
  bluemarble sim --seed 4711                    one seed, told in full
  bluemarble sim --world ./my-world.ts --seeds 200
  bluemarble sim --planted
  bluemarble sim --planted vote-not-synced always-truncate

docs/own-features.md makes such a world file, and says how to read what is printed of it.
The same seed gives the same run on every machine. Exit codes: 0 every promise was kept (with --planted:
every fault was found); 1 safety was broken (or a planted fault was not found); 2 wrong usage, or
something must be changed first, or nobody asked one of your features anything; 3 a world did not
recover, though nothing false was told; 130 stopped by Ctrl-C before all seeds were run.`,
    )
    .action(act);
}

async function act(options: SimOptions, command: Command): Promise<void> {
  if (options.record && options.planted === false) {
    command.error('error: --record goes with --planted');
  }
  const { openTerminal } = await import('../adapters/node/terminal.ts');
  const terminal = openTerminal();
  const { planted, record, seeds, json } = options;
  if (planted !== false) {
    const { runPlanted } = await import('./sim-planted.ts');
    const names = planted === true ? [] : planted;
    const wish = { names, seedsMax: seeds ?? PLANTED_SEEDS, records: record, isJson: json };
    process.exitCode = await runPlanted(wish, terminal);
    return;
  }
  const { runSeeds } = await import('./sim-seeds.ts');
  process.exitCode = await runSeeds(
    {
      from: options.seed ?? options.from,
      count: options.seed === undefined ? (options.seeds ?? SEEDS) : 1,
      isTold: options.seed !== undefined,
      worldFile: options.world,
      endsAfterMs: options.minutes === undefined ? Infinity : options.minutes * 60_000,
      chaosMs: options.chaos,
      out: options.out,
      isJson: options.json,
    },
    terminal,
  );
}
