// The command `bluemarble`: what it understands, and nothing of how it is done.
//
// Every command loads what it needs when it is called, so that a node's process holds nothing of the
// supervisor or the crowd. Exit codes: 0 done and kept, 1 not done or not kept, 2 usage or set-up, 70 a
// fault of ours.
import { Command, CommanderError } from 'commander';
import { StartError } from '../adapters/node/start-error.ts';
import { openTerminal } from '../adapters/node/terminal.ts';
import { chaosCommand } from './chaos.ts';
import { checkpointCommands } from './checkpoints.ts';
import { DATA_FOLDER, duration, EXIT_HELP, folder, wholeNumber } from './options.ts';
import { partitionCommands } from './partition.ts';
import { simCommand } from './sim.ts';
import { verifyCommand } from './verify.ts';
import { version } from './version.ts';

const EXIT_USAGE = 2;
/** `EX_SOFTWARE` of sysexits: a fault of ours. */
const EXIT_FAULT = 70;
const PLAYERS_MAX = 10_000;
const SEED_MAX = 1_000_000;
/** The ports of a world reach a hundred above its first. */
const BASE_PORT_MAX = 65_435;

const NODES_HELP = `
NODE is one of
  global-1, eu, ...   a node by its name (see \`bluemarble status\`)
  leader:GROUP        whoever leads the group now: leader:economy
  follower:GROUP      the first follower of it that is up
  primary:REGION      whoever is primary of the region now: primary:eu
  replica:REGION      the first of its replicas that is up; replicas:REGION all of them
  all                 every node
`;

interface DataOptions {
  readonly data: string;
}
interface AskOptions extends DataOptions {
  readonly json: boolean;
}
interface UpOptions extends AskOptions {
  readonly players: number;
  readonly seed: number;
  readonly port?: number;
  readonly topology?: string;
  readonly world?: string;
  readonly for?: number;
  readonly wan: boolean;
}

interface NodeWords extends DataOptions {
  readonly topology: string;
  readonly name: string;
  readonly world?: string;
  readonly code?: string;
  readonly tap?: string;
}

function makeProgram(): Command {
  const program = new Command('bluemarble')
    .description('A persistent world on one machine: real processes, real sockets, real disks.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('Add --help to see how it is used.')
    .addHelpText('after', `\nWithout a command it is \`bluemarble up\`.\n${EXIT_HELP}`)
    .exitOverride();
  addUp(program);
  addTopology(program);
  addStatus(program);
  addNodeActions(program);
  addMemberChanges(program);
  partitionCommands(program);
  checkpointCommands(program);
  addPlayers(program);
  chaosCommand(program, import.meta.filename);
  simCommand(program);
  verifyCommand(program);
  addMaelstrom(program);
  addNode(program);
  return program;
}

function addUp(program: Command): void {
  withData(program.command('up'))
    .summary('start a world and show it until Ctrl-C')
    .description('Starts a world, or the one in the folder again, and shows it until Ctrl-C.')
    .option('--players <n>', 'test players who walk and trade', wholeNumber(0, PLAYERS_MAX), 0)
    .option('--for <span>', 'end by itself, with a report, so long after ready: 30s, 5m', duration)
    .option('--json', 'print the report as JSON in the last line, all else to stderr', false)
    .option('--port <n>', 'first of the hundred ports that the world uses', wholeNumber(1_024, BASE_PORT_MAX))
    .option('--topology <file>', 'make the world of your own file: see `bluemarble topology`')
    .option('--world <file>', 'with your features: a module whose default export is a list of them', folder)
    .option('--seed <n>', 'makes other test players', wholeNumber(0, SEED_MAX), 1)
    .option('--wan', "links as slow as between the planet's regions", false)
    .addHelpText(
      'after',
      `
Examples:
  bluemarble up                                a world without test players
  bluemarble up --players 200 --for 30s        half a minute of 200 players, then a report
  bluemarble up --players 50 --for 10s --json  the same for scripts
  bluemarble up --data /tmp/other --port 8400  a second world beside the first
  bluemarble up --topology my.json --data mine a new world of your own nodes and regions
  bluemarble up --world my-world.ts --data mine  a new world with your own features: docs/own-features.md
${EXIT_HELP}`,
    )
    .action(async (options: UpOptions) => {
      const { runUp } = await import('../host/up.ts');
      const { systemClock } = await import('../adapters/node/clock.ts');
      const { systemEntropy } = await import('../adapters/node/entropy.ts');
      process.exitCode = await runUp(
        {
          folder: options.data,
          topologyFile: options.topology,
          worldFile: options.world,
          basePort: options.port,
          players: options.players,
          seed: options.seed,
          forMs: options.for,
          isJson: options.json,
          isWan: options.wan,
        },
        {
          terminal: openTerminal(),
          clock: systemClock,
          entropy: systemEntropy,
          script: import.meta.filename,
        },
      );
    });
}

function addTopology(program: Command): void {
  program
    .command('topology')
    .summary('print a topology file to start from')
    .description('Prints the topology of the world that `bluemarble up` makes by itself, for you to change.')
    .option('--world <file>', 'with your features in their places', folder)
    .addHelpText(
      'after',
      `
Example:
  bluemarble topology > my.json
  bluemarble up --topology my.json --data my-world
${EXIT_HELP}`,
    )
    .action(async ({ world: file }: { readonly world?: string }) => {
      const { printTopology } = await import('../host/topology-file.ts');
      const { readWorldFile } = await import('../host/world-file.ts');
      const { seedTopology } = await import('../services/topology/topology.ts');
      const own = file === undefined ? [] : (await readWorldFile(file)).features;
      process.stdout.write(printTopology(seedTopology({ world: 'my-world' }), own));
    });
}

function addStatus(program: Command): void {
  withData(program.command('status'))
    .summary('show the running world')
    .description('Shows the running world: groups, leaders, regions, nodes, outcomes.')
    .option('--json', 'print it as one line of JSON', false)
    .addHelpText('after', `\nExamples:\n  bluemarble status\n  bluemarble status --json\n${EXIT_HELP}`)
    .action(async (options: AskOptions) => {
      const { showStatus } = await import('../host/ask.ts');
      const wish = { folder: options.data, isJson: options.json };
      process.exitCode = await showStatus(wish, openTerminal());
    });
}

function addNodeActions(program: Command): void {
  const actions = [
    ['kill', 'end nodes at once', 'Ends nodes at once (SIGKILL); they stay down until restarted.'],
    [
      'pause',
      'stop nodes where they stand',
      'Stops nodes where they stand (SIGSTOP), as a long pause of the machine would.',
    ],
    ['resume', 'let paused nodes go on', 'Lets paused nodes go on (SIGCONT).'],
    [
      'restart',
      'end nodes in order, and start them again',
      'Ends nodes in order where they run, paused or not, and starts them again.',
    ],
  ] as const;
  for (const [action, summary, description] of actions) {
    withData(program.command(action))
      .summary(summary)
      .description(description)
      .argument('<node...>', 'which nodes')
      .option('--json', 'print what was done as one line of JSON', false)
      .addHelpText(
        'after',
        `${NODES_HELP}
Examples:
  bluemarble ${action} leader:economy
  bluemarble ${action} global-2 eu
${EXIT_HELP}`,
      )
      .action(async (nodes: readonly string[], options: AskOptions) => {
        const { actOnNodes } = await import('../host/ask.ts');
        const wish = { folder: options.data, isJson: options.json };
        process.exitCode = await actOnNodes(action, nodes, wish, openTerminal());
      });
  }
}

function addMemberChanges(program: Command): void {
  withData(program.command('transfer'))
    .summary('hand the leadership of a group over')
    .description('Hands the leadership of a group to one of its members.')
    .argument('<group>', 'which group')
    .argument('<node>', 'who shall lead it')
    .option('--json', 'print what was done as one line of JSON', false)
    .addHelpText('after', `\nExample:\n  bluemarble transfer economy global-3\n${EXIT_HELP}`)
    .action(async (group: string, node: string, options: AskOptions) => {
      const { changeMembers } = await import('../host/ask.ts');
      const wish = { folder: options.data, isJson: options.json };
      process.exitCode = await changeMembers({ kind: 'transfer', group, node }, wish, openTerminal());
    });
  withData(program.command('promote'))
    .summary('hand a region over to another of its copies')
    .description('Makes a copy of a region its primary. Nothing is lost by it, unless that is accepted.')
    .argument('<region>', 'which region')
    .argument('<node>', 'whose copy shall be primary')
    .option('--accept-loss', 'where most copies are gone for good: go on with what this one holds', false)
    .option('--json', 'print what was done as one line of JSON', false)
    .addHelpText(
      'after',
      `
Where most of a region's copies are gone it is refused first, with the entries that would be lost.

Examples:
  bluemarble promote eu asia
  bluemarble promote eu asia --accept-loss
${EXIT_HELP}`,
    )
    .action(async (region: string, node: string, options: AskOptions & { acceptLoss: boolean }) => {
      const { changeMembers } = await import('../host/ask.ts');
      const { acceptLoss, data, json } = options;
      const question = { kind: 'promote', region, node, acceptLoss } as const;
      const wish = { folder: data, isJson: json };
      process.exitCode = await changeMembers(question, wish, openTerminal());
    });
  withData(program.command('replace'))
    .summary('replace a dead node for good')
    .description('Replaces a dead node for good: a new identity with an empty folder at its place.')
    .argument('<node>', 'which node; it must be down')
    .option('--json', 'print what was done as one line of JSON', false)
    .addHelpText('after', `\nExample:\n  bluemarble replace global-3\n${EXIT_HELP}`)
    .action(async (node: string, options: AskOptions) => {
      const { changeMembers } = await import('../host/ask.ts');
      const wish = { folder: options.data, isJson: options.json };
      process.exitCode = await changeMembers({ kind: 'replace', node }, wish, openTerminal());
    });
}

function addPlayers(program: Command): void {
  withData(program.command('players'))
    .summary('send test players into the running world')
    .description('Sends test players into the running world, and judges what they saw.')
    .option('--players <n>', 'how many', wholeNumber(1, PLAYERS_MAX), 50)
    .option('--for <span>', 'end so long after the start: 30s, 5m', duration)
    .option('--json', 'print the report as JSON in the last line', false)
    .option('--seed <n>', 'makes other test players', wholeNumber(0, SEED_MAX), 1)
    .addHelpText('after', `\nExamples:\n  bluemarble players --players 50 --for 20s --seed 2\n${EXIT_HELP}`)
    .action(async (options: UpOptions) => {
      const { runPlayers } = await import('../host/players.ts');
      const { openParentLink } = await import('../adapters/node/children.ts');
      process.exitCode = await runPlayers(
        {
          folder: options.data,
          players: options.players,
          seed: options.seed,
          forMs: options.for,
          isJson: options.json,
        },
        { terminal: openTerminal(), parent: openParentLink() },
      );
    });
}

function addMaelstrom(program: Command): void {
  program
    .command('maelstrom')
    .summary('be a node of a Maelstrom run')
    .description("Speaks Maelstrom's protocol on standard input and output, as one node of a run.")
    .argument('<workload>', 'echo, unique-ids or lin-kv')
    .option('--data <folder>', 'where nodes keep what they remember; else in a temporary folder', folder)
    .addHelpText(
      'after',
      `
Examples:
  bluemarble maelstrom lin-kv
  bluemarble maelstrom lin-kv --data /tmp/lin-kv

Exit codes: 0 its input ended, or it was told to stop, and it left in order; 1 it could not within 3 s;
2 wrong usage, or something on this machine must be changed first; 70 a promise of its own broke.`,
    )
    .action(async (workload: string, options: { data?: string }) => {
      const { runMaelstrom } = await import('./maelstrom.ts');
      runMaelstrom({ workload, ...options });
    });
}

/** Started by the supervisor; for people only where a service manager does its work. */
function addNode(program: Command): void {
  program
    .command('node', { hidden: true })
    .description('Runs one node of a world.')
    .requiredOption('--topology <file>', 'the topology file; the key of the world lies beside it')
    .requiredOption('--name <name>', 'the name of the node in it')
    .requiredOption('--data <folder>', "the node's own folder", folder)
    .option('--world <file>', 'the module with your features, where the world has some', folder)
    .option('--code <digest>', 'what that module and all that it imports must be')
    .option('--tap <folder>', 'write down there what is applied, for a drill', folder)
    .action(async (options: NodeWords) => {
      const { runNode } = await import('./node.ts');
      const { topology: topologyFile, name, data, world: worldFile, code, tap } = options;
      await runNode({ topologyFile, name, data, worldFile, code, tap });
    });
}

function withData(command: Command): Command {
  return command.option('--data <folder>', 'where the world lives', folder, folder(DATA_FOLDER));
}

/** `up` is what is meant by no command, also when its options follow. */
function withDefaultCommand(words: readonly string[]): readonly string[] {
  const [first] = words;
  const isOurs = first !== undefined && ['-h', '--help', '-V', '--version'].includes(first);
  const isBare = first === undefined || first.startsWith('-');
  return isBare && !isOurs ? ['up', ...words] : words;
}

try {
  await makeProgram().parseAsync(withDefaultCommand(process.argv.slice(2)), { from: 'user' });
} catch (cause) {
  if (cause instanceof CommanderError) {
    process.exitCode = cause.exitCode === 0 ? 0 : EXIT_USAGE;
  } else if (cause instanceof StartError) {
    process.stderr.write(`${cause.message}\n`);
    process.exitCode = EXIT_USAGE;
  } else {
    // Never 1, which says of many commands that a promise was broken.
    process.stderr.write(`${cause instanceof Error ? cause.stack : String(cause)}\n`);
    process.exit(EXIT_FAULT);
  }
}
