// `bluemarble partition` and `heal`: faults on the links between the nodes of a running world.
//
// `main` registers them; the supervisor of the world does them.
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { DELAY_MS_MAX, type LinkFault } from '../wire/link-faults.ts';
import { DATA_FOLDER, duration, EXIT_HELP, folder } from './options.ts';

interface HealOptions {
  readonly data: string;
  readonly json: boolean;
}

interface PartitionOptions extends HealOptions {
  readonly reset: boolean;
  readonly delay?: number;
  readonly jitter?: number;
  readonly loss?: number;
}

export function partitionCommands(program: Command): void {
  program
    .command('partition')
    .summary('cut, slow down or thin out links')
    .description('Lays a fault on links between nodes: a cut, unless --delay or --loss says otherwise.')
    .argument('<sides...>', 'A,B / C,D, or "A > B" for one direction')
    .option('--data <folder>', 'where the world lives', folder, folder(DATA_FOLDER))
    .addOption(
      new Option('--reset', 'break the connections, instead of letting all frames vanish')
        .default(false)
        .conflicts(['delay', 'jitter', 'loss']),
    )
    .option('--delay <span>', 'hold every frame back for so long, up to 10s', delay)
    .option('--jitter <span>', 'with --delay: for up to so much more or less, at random', delay)
    .option('--loss <percent>', 'lose so many of a hundred frames', percent)
    .option('--json', 'print what was done as one line of JSON', false)
    .addHelpText(
      'after',
      `
A, B are nodes by name, leader:GROUP, follower:GROUP, primary:REGION, replica:REGION (one) or
replicas:REGION (all); rest is every node that no side names.
Nodes on no side reach everybody. Faults add up until \`bluemarble heal\` takes them all off.

Examples:
  bluemarble partition global-1,global-2 / rest
  bluemarble partition global-1,global-2 / global-4,global-5     global-3 is the bridge
  bluemarble partition 'leader:economy > rest'                   quoted, for the shell's sake
  bluemarble partition primary:eu / replicas:eu                  its copies no longer hear it
  bluemarble partition eu / rest --delay 120ms --loss 5
${EXIT_HELP}`,
    )
    .action(async (words: readonly string[], options: PartitionOptions, command: Command) => {
      // Without a delay there is nothing that could vary: who meant one would cut the links instead.
      if (options.jitter !== undefined && options.delay === undefined) {
        command.error('error: --jitter goes with --delay');
      }
      const { actOnNetwork } = await import('../host/ask.ts');
      const { openTerminal } = await import('../adapters/node/terminal.ts');
      const question = { kind: 'partition', sides: words.join(' '), fault: faultOf(options) } as const;
      const wish = { folder: options.data, isJson: options.json };
      process.exitCode = await actOnNetwork(question, wish, openTerminal());
    });
  program
    .command('heal')
    .summary('take all faults off the links')
    .description('Takes all faults off the links between nodes.')
    .option('--data <folder>', 'where the world lives', folder, folder(DATA_FOLDER))
    .option('--json', 'print what was done as one line of JSON', false)
    .addHelpText('after', `\nExample:\n  bluemarble heal\n${EXIT_HELP}`)
    .action(async (options: HealOptions) => {
      const { actOnNetwork } = await import('../host/ask.ts');
      const { openTerminal } = await import('../adapters/node/terminal.ts');
      const wish = { folder: options.data, isJson: options.json };
      process.exitCode = await actOnNetwork({ kind: 'heal' }, wish, openTerminal());
    });
}

function faultOf({ reset, delay, jitter, loss }: PartitionOptions): LinkFault {
  const isCut = delay === undefined && loss === undefined;
  return {
    cut: reset ? 'reset' : isCut ? 'silent' : 'no',
    delayMs: delay ?? 0,
    jitterMs: jitter ?? 0,
    lossPerMille: Math.round((loss ?? 0) * 10),
  };
}

function delay(text: string): number {
  const delayMs = duration(text);
  if (delayMs <= DELAY_MS_MAX) return delayMs;
  throw new InvalidArgumentError('It must be at most 10s.');
}

function percent(text: string): number {
  const value = Number(text);
  if (/^\d+(?:\.\d)?$/.test(text) && value > 0 && value <= 100) return value;
  throw new InvalidArgumentError('It must be a number from 0.1 to 100, with one decimal place at most.');
}
