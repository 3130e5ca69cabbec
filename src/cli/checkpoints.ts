// `bluemarble checkpoint`, `checkpoints` and `restore`: whole states of regions on disk.
//
// `main` registers them. Listing and restoring work on the folder of the world; only taking one now, and
// ending the nodes for a forced restore, asks its supervisor.
import { type Command, InvalidArgumentError } from 'commander';
import { parseRestoreTarget } from '../host/restore-target.ts';
import type { RestoreTarget } from '../runtime/copy-restore.ts';
import { DATA_FOLDER, EXIT_HELP, folder } from './options.ts';

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
    .summary('have copies of regions save their state now')
    .description('Has all copies of a region, or of all regions, save their state now.')
    .argument('[region]', 'which region')
    .addHelpText('after', `\nExamples:\n  bluemarble checkpoint\n  bluemarble checkpoint eu\n${EXIT_HELP}`)
    .action(async (region: string | undefined, { data, json: isJson }: ListOptions) => {
      const { takeCheckpoints } = await import('../host/checkpoint-commands.ts');
      const { openTerminal } = await import('../adapters/node/terminal.ts');
      process.exitCode = await takeCheckpoints({ folder: data, isJson, region }, openTerminal());
    });
  withFolder(program.command('checkpoints'))
    .summary('list the checkpoints of regions')
    .description('Lists the checkpoints of a region, or of all regions; each is read and summed up.')
    .argument('[region]', 'which region')
    .addHelpText(
      'after',
      `
Examples:
  bluemarble checkpoints eu
  bluemarble checkpoints --json

Exit codes: 0 all are whole; 1 one is damaged, of another world or of a newer version;
2 wrong usage, or something on this machine must be changed first.`,
    )
    .action(async (region: string | undefined, { data, json: isJson }: ListOptions) => {
      const { listAll } = await import('../host/checkpoint-commands.ts');
      const { openTerminal } = await import('../adapters/node/terminal.ts');
      process.exitCode = listAll({ folder: data, isJson, region }, openTerminal());
    });
  withFolder(program.command('restore'))
    .summary('put a region back to an earlier state')
    .description('Puts all copies of a region back to an earlier state; what was there is kept beside it.')
    .argument('<region>', 'which region')
    .requiredOption('--to <place>', 'a place of its log (1234), or a time (2026-11-26T12:00:00Z)', target)
    .option('--force', 'if the world runs: end the nodes that hold copies, and start them again', false)
    .addHelpText(
      'after',
      `
The newest state that is not after the place is put back: that of a checkpoint, and of the entries
that a journal still holds behind it. The log goes on behind its end; no place is given twice.
A place or a time behind that end is refused. Times without a zone are UTC, as those of \`checkpoints\`.

With --force the nodes that hold copies of the region are killed and started again. They hold copies of
other regions too: these stand still for two to six seconds, some get another primary, and players whose
gateway is one of these nodes have to come back. Stop the world first where that is too dear.

Examples:
  bluemarble checkpoints eu
  bluemarble restore eu --to 1234
  bluemarble restore eu --to 2026-11-26T12:00:00Z --force
${EXIT_HELP}`,
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
  const found = parseRestoreTarget(text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError('It must be a place such as 1234 or a time such as 2026-11-26T12:00:00Z.');
}
