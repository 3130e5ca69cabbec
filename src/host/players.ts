// `bluemarble players`: the crowd's process, started by `up` or by a person beside a running world.
//
// With a supervisor above it, it reports every second, ends when told to, and leaves the verdict to the
// one report at the end; alone it shows its own lines and judges what it saw itself.
import { cellOf } from '../adapters/earth/grid.ts';
import { loadCoasts } from '../adapters/earth/land.ts';
import { loadTowns } from '../adapters/earth/towns.ts';
import type { ParentLink } from '../adapters/node/children.ts';
import { askControl, type ControlServer, serveControl } from '../adapters/node/control.ts';
import { publishJson, readJson } from '../adapters/node/process-files.ts';
import { StartError } from '../adapters/node/start-error.ts';
import type { Terminal } from '../adapters/node/terminal.ts';
import { largestCities } from '../crowd/birth.ts';
import { Crowd } from '../crowd/crowd.ts';
import type { CrowdResult, FromCrowd } from '../crowd/messages.ts';
import { createLand } from '../world/space/land.ts';
import { paintLine } from './lines.ts';
import { describeReport, reportOf } from './report.ts';
import { renderCrowd } from './screen.ts';
import { findWorld, type World } from './world-folder.ts';

const KNOWN_FILE = 'players.json';
const STATS_EVERY_MS = 1_000;
/** So many players to a city, so that they meet; and no more cities than this. */
const PLAYERS_PER_CITY = 10;
const CITIES_MIN = 4;
const CITIES_MAX = 40;
/** Smaller towns would change nothing among the largest cities, and there are a hundred thousand. */
const TOWN_POPULATION_MIN = 20_000;

export interface PlayersOptions {
  readonly folder: string;
  readonly players: number;
  readonly seed: number;
  /** `undefined`: until told to end. */
  readonly forMs: number | undefined;
  readonly isJson: boolean;
}

/** Runs a crowd to its end; the exit code says whether the world kept its word to it. */
export async function runPlayers(
  options: PlayersOptions,
  doors: { readonly terminal: Terminal; readonly parent: ParentLink | undefined },
): Promise<number> {
  const world = await runningWorld(options.folder);
  const claim = await claimPlayers(world, options);
  const crowd = gather(world, options);
  const startedAtMs = performance.now();
  const timer =
    options.forMs === undefined ? undefined : setTimeout(() => crowd.finish(), options.forMs);
  const ignoreStops = doors.terminal.onStop(() => crowd.finish());
  const stopReports = reportEverySecond(crowd, doors);
  const result = await crowd.run();
  clearTimeout(timer);
  stopReports();
  ignoreStops();
  remember(world, options, result);
  await claim.close();
  if (doors.parent !== undefined) {
    const message: FromCrowd = { kind: 'result', result };
    await doors.parent.deliver(message);
    doors.parent.close();
    return 0;
  }
  return judge(world, result, { ...options, durationMs: performance.now() - startedAtMs }, doors);
}

async function runningWorld(folder: string): Promise<World> {
  const world = findWorld(folder);
  if (world !== undefined && (await askControl(folder, { kind: 'status' })).kind !== 'nobody') {
    return world;
  }
  throw new StartError(`No world runs in ${folder}: start one with \`bluemarble up\`.`);
}

/** Two crowds with the same players would log each other out and spoil each other's books. */
function claimPlayers({ folder }: World, { seed }: PlayersOptions): Promise<ControlServer> {
  const inUse = `Another crowd plays the players of seed ${seed}: choose another one with --seed.`;
  return serveControl({ folder, name: `players-${seed}`, inUse }, () => Promise.resolve(null));
}

function gather(world: World, options: PlayersOptions): Crowd {
  const isLand = createLand(loadCoasts());
  const { topology } = world;
  const { players, seed } = options;
  const citiesMax = Math.max(CITIES_MIN, Math.min(CITIES_MAX, Math.floor(players / PLAYERS_PER_CITY)));
  const towns = loadTowns(isLand).filter(({ population }) => population >= TOWN_POPULATION_MIN);
  const cities = largestCities({ towns, regions: topology.regions, citiesMax, cellOf });
  return new Crowd({ topology, players, seed, known: knownOf(world, seed), cities, isLand });
}

function reportEverySecond(
  crowd: Crowd,
  { terminal, parent }: { readonly terminal: Terminal; readonly parent: ParentLink | undefined },
): () => void {
  parent?.listen({
    // The only thing that a supervisor says is that it is time to end.
    message: () => crowd.finish(),
    closed: () => process.exit(1),
  });
  const timer = setInterval(() => {
    const stats = crowd.stats();
    const message: FromCrowd = { kind: 'stats', stats };
    if (parent === undefined) terminal.note(`${renderCrowd(stats)}\n`);
    else parent.report(message);
  }, STATS_EVERY_MS);
  return () => clearInterval(timer);
}

function judge(
  world: World,
  crowd: CrowdResult,
  options: PlayersOptions & { readonly durationMs: number },
  { terminal }: { readonly terminal: Terminal },
): number {
  const report = reportOf({
    world: world.topology.world,
    startMs: 0,
    durationMs: options.durationMs,
    players: options.players,
    crowd,
    holdings: undefined,
    leaderChanges: 0,
    promotions: 0,
    lostEntries: 0,
    nodes: [],
    replicas: [],
  });
  if (options.isJson) terminal.print(`${JSON.stringify(report)}\n`);
  else {
    const lines = describeReport(report).map((line) => paintLine(line, terminal.paint));
    terminal.print(`${lines.join('\n')}\n`);
  }
  return report.ok ? 0 : 1;
}

/** How many players of this seed have accounts already, so that they log in and do not register. */
function knownOf(world: World, seed: number): number {
  const known = knownPlayers(world)[`seed ${seed}`];
  return typeof known === 'number' ? known : 0;
}

function remember(world: World, { seed }: PlayersOptions, result: CrowdResult): void {
  const known = Math.max(knownOf(world, seed), result.known);
  publishJson(world.folder, KNOWN_FILE, { ...knownPlayers(world), [`seed ${seed}`]: known });
}

/** A hint only: a player whose account is not as expected tries the other way. */
function knownPlayers(world: World): Record<string, unknown> {
  const file = readJson(world.folder, KNOWN_FILE);
  const isObject = file.kind === 'json' && typeof file.value === 'object' && file.value !== null;
  return isObject ? { ...file.value } : {};
}
