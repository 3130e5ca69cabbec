// `bluemarble chaos`: a world of real processes under load and faults, judged by what its clients saw.
//
// `main` registers it. Exit codes as of `verify`: a script must tell a broken promise from a check that
// could not be brought to an end.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { NEMESES, type NemesisName } from '../chaos/schedule.ts';
import { spanOf } from '../host/duration.ts';
import { duration, folder, wholeNumber } from './options.ts';
import { isClone } from './planted-sources.ts';

const SEED_MAX = 1_000_000_000;
const BASE_PORT_MAX = 65_435;
const CLIENTS_MAX = 256;
const FOR_MS = 60_000;

interface ChaosOptions {
  readonly for: number;
  readonly seed?: number;
  readonly nemesis: readonly NemesisName[];
  readonly clients: number;
  readonly data?: string;
  readonly world?: string;
  readonly out: string;
  readonly port?: number;
  readonly wan: boolean;
  readonly kernel: boolean;
  readonly each: boolean;
  readonly json: boolean;
}

/** `script` is the CLI's own: every node is one of its commands. */
export function chaosCommand(program: Command, script: string): void {
  program
    .command('chaos')
    .summary('attack a world of real processes')
    .description('Starts a world, loads it, breaks it in every way that a seed draws, heals it, judges it.')
    .addOption(
      new Option('--for <span>', 'how long faults come: 30s, 5m')
        .argParser(duration)
        .default(FOR_MS, spanOf(FOR_MS)),
    )
    .option('--seed <n>', 'draws the faults and the load; a new one when not said', wholeNumber(0, SEED_MAX))
    .addOption(
      new Option('--nemesis <names>', `only these, by commas: ${NEMESES.join(', ')}`)
        .argParser(nemeses)
        .default(NEMESES, 'all'),
    )
    .option('--clients <n>', 'players who give each other gold and items', wholeNumber(2, CLIENTS_MAX), 12)
    .option('--world <file>', 'judge your features too: a module that exports them, and drawDeed', folder)
    .option('--data <folder>', 'keep the world in this folder; else it is removed', folder)
    .option('--out <folder>', 'where histories and picture go', folder, folder('bluemarble-chaos'))
    .option('--port <n>', 'first of the hundred ports that the world uses', wholeNumber(1_024, BASE_PORT_MAX))
    .option('--wan', "links as slow as between the planet's regions", false)
    .option('--kernel', 'break links by the kernel, packet by packet, in a network of its own', false)
    .option('--each', 'one drill for each nemesis alone, one with all together, and a table of them', false)
    .option('--json', 'print the verdict as JSON in the last line, all else to stderr', false)
    .addHelpText(
      'after',
      `
Examples:
  bluemarble chaos --for 60s --seed 7
  bluemarble chaos --for 5m --nemesis kill,isolate,one-way --json
  bluemarble chaos --for 5m --each
  bluemarble chaos --for 60s --world ./my-world.ts

The same seed, span and nemeses give the same schedule of faults, which is printed before it begins.
Exit codes: 0 every promise was kept; 1 violated, also where the world did not become whole by itself;
2 wrong usage, or something on this machine must be changed first; 3 unknown, because not everything
could be looked at or no fault came; 130 Ctrl-C, unless a promise was seen broken by then.`,
    )
    .action((options: ChaosOptions) => drill(options, script));
}

async function drill(options: ChaosOptions, script: string): Promise<void> {
  const { runChaos } = await import('../chaos/run.ts');
  const { runEach } = await import('../chaos/each.ts');
  const { openTerminal } = await import('../adapters/node/terminal.ts');
  const { systemClock } = await import('../adapters/node/clock.ts');
  const { systemEntropy } = await import('../adapters/node/entropy.ts');
  const { readDrawnWorldFile } = await import('../host/world-file.ts');
  const run = options.each ? runEach : runChaos;
  process.exitCode = await run(
    {
      command: `${isClone() ? 'npm run bluemarble --' : 'npx bluemarble'} chaos`,
      forMs: options.for,
      seed: options.seed ?? Math.floor(Math.random() * 1_000_000),
      nemeses: options.nemesis,
      clients: options.clients,
      folder: options.data,
      world: options.world === undefined ? undefined : await readDrawnWorldFile(options.world),
      out: options.out,
      basePort: options.port,
      isWan: options.wan,
      isKernel: options.kernel,
      isJson: options.json,
    },
    {
      terminal: openTerminal(),
      clock: systemClock,
      entropy: systemEntropy,
      script,
    },
  );
}

function nemeses(text: string): readonly NemesisName[] {
  return text.split(',').map((word) => {
    const nemesis = NEMESES.find((each) => each === word.trim());
    if (nemesis !== undefined) return nemesis;
    throw new InvalidArgumentError(`There is no nemesis "${word}": name some of ${NEMESES.join(', ')}.`);
  });
}
