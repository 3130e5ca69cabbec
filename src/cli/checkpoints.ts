// `bluemarble checkpoint`, `checkpoints` and `restore`: whole states of regions on disk.
//
// `main` registers them. Listing and restoring work on the folder of the world; only taking one now, and
// ending the nodes for a forced restore, asks its supervisor.
import { type Command, InvalidArgumentError } from 'commander';
import type { RestoreTarget } from '../runtime/copy-restore.ts';
import { DATA_FOLDER, folder } from './options.ts';

interface ListOptions {
  readonly data: string;
  readonly json: boolean;
}

interface RestoreOptions extends ListOptions {
  readonly to: RestoreTarget;
  readonly force: boolean;
}

export function checkpointCommands(program: Command): void {
  withFolder(program.command('checkpoint'))
    .description('Has all copies of a region, or of all regions, save their state now.')
    .argument('[region]', 'which region')
    .addHelpText('after', '\nExamples:\n  bluemarble checkpoint\n  bluemarble checkpoint eu')
    .action(async (region: string | undefined, { data, json: isJson }: ListOptions) => {
      const { takeCheckpoints } = await import('../host/checkpoint-commands.ts');
      const { openTerminal } = await import('../adapters/node/terminal.ts');
      process.exitCode = await takeCheckpoints({ folder: data, isJson, region }, openTerminal());
    });
  withFolder(program.command('checkpoints'))
    .description('Lists the checkpoints of a region, or of all regions; each is read and summed up.')
    .argument('[region]', 'which region')
    .addHelpText('after', '\nExamples:\n  bluemarble checkpoints eu\n  bluemarble checkpoints --json')
    .action(async (region: string | undefined, { data, json: isJson }: ListOptions) => {
      const { listAll } = await import('../host/checkpoint-commands.ts');
      const { openTerminal } = await import('../adapters/node/terminal.ts');
      process.exitCode = listAll({ folder: data, isJson, region }, openTerminal());
    });
  withFolder(program.command('restore'))
    .description('Puts all copies of a region back to an earlier state; what was there is kept beside it.')
    .argument('<region>', 'which region')
    .requiredOption('--to <place>', 'a place of its log (1234), or a time (2026-11-26T12:00:00Z)', target)
    .option('--force', 'if the world runs: end the nodes that hold copies, and start them again', false)
    .addHelpText(
      'after',
      `
The newest state that is not after the place is put back: that of a checkpoint, and of the entries
that a journal still holds behind it. The log goes on behind its end; no place is given twice.

Examples:
  bluemarble checkpoints eu
  bluemarble restore eu --to 1234
  bluemarble restore eu --to 2026-11-26T12:00:00Z --force`,
    )
    .action(async (region: string, { data, json: isJson, to, force }: RestoreOptions) => {
      const { restore } = await import('../host/checkpoint-commands.ts');
      const { openTerminal } = await import('../adapters/node/terminal.ts');
      const wish = { folder: data, isJson, region, target: to, isForced: force };
      process.exitCode = await restore(wish, openTerminal());
    });
}

function withFolder(command: Command): Command {
  return command
    .option('--data <folder>', 'where the world lives', folder, folder(DATA_FOLDER))
    .option('--json', 'print it as one line of JSON', false);
}

function target(text: string): RestoreTarget {
  if (/^\d{1,15}$/.test(text)) return { kind: 'sequence', sequence: Number(text) };
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(ms)) return { kind: 'time', ms };
  throw new InvalidArgumentError('It must be a place such as 1234 or a time such as 2026-11-26T12:00:00Z.');
}
