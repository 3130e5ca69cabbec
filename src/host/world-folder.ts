// The folder of a world: made at its first start, recognised and reused at every later one.
//
// `up.ts` prepares it, the CLI's other commands and the crowd read it. It holds `world.json` (what the
// world is, and where its studio's features come from), `topology.json` (the same topology, as every node
// reads it), `world.key`, the control socket, and one folder for each node.
// A folder that is not ours is never written to; one that a newer BlueMarble made is left alone.
import {
  makeFolder,
  namesIn,
  publishJson,
  readJson,
  removeFile,
  setAside,
} from '../adapters/node/process-files.ts';
import { StartError } from '../adapters/node/start-error.ts';
import { InvalidInputError } from '../base/errors.ts';
import type { Entropy } from '../runtime/ports.ts';
import { withOwnFeatures } from '../services/topology/own-features.ts';
import { type NodePlan, parseTopology, seedTopology, type Topology } from '../services/topology/topology.ts';
import { validateTopology } from '../services/topology/topology-rules.ts';
import { stockFeatures } from '../world/catalogue.ts';
import { asGrown, asNew, movedBy, type OwnTopology } from './own-topology.ts';
import { type OwnFeatures, refuseOthers, remembered } from './world-features.ts';
import type { WorldFile } from './world-file.ts';

export const TOPOLOGY_FILE = 'topology.json';
export const KEY_FILE = 'world.key';
export const BASE_PORT = 7400;
const WORLD_FILE = 'world.json';
const PROCESSES_FILE = 'processes.json';
/** Hidden files are the system's; the others are what a start that was cut off may leave. */
const LEFT_BY_A_START = /^\.|\.draft$|^control\.(?:sock|json)$|^topology\.json$/;
const FORMAT = 1;
const WORLD_ID_BYTES = 6;

export interface World {
  /** The absolute path. */
  readonly folder: string;
  readonly topology: Topology;
  readonly basePort: number;
  /** Absent in a world of the stock features alone. */
  readonly own?: OwnFeatures | undefined;
}

/**
 * The world of this folder, or a new one for it, of the seed's topology or of one's own; `basePort` moves
 * all ports there. A new one has the features of `file`; one that has them needs it. Makes the folder and
 * nothing in it: that is `publishWorld`'s, once the folder is claimed. Throws `StartError` for a folder that
 * can not be used, for a topology that can not be kept and for other features than the world began with.
 */
export function openWorld(o: {
  readonly folder: string;
  readonly own?: OwnTopology | undefined;
  readonly file?: WorldFile | undefined;
  readonly basePort: number | undefined;
  readonly entropy: Entropy;
}): World {
  const former = findWorld(o.folder);
  if (former !== undefined) {
    refuseEdited(former);
    refuseOthers(former, o.file);
  }
  const folder = makeFolder(o.folder);
  const found = former === undefined ? newWorld(folder, o) : grownWorld(former, o.own);
  const world = moved(found, o.basePort ?? found.basePort);
  const [fault] = validateTopology(world.topology, [...stockFeatures, ...(o.file?.features ?? [])]);
  if (fault !== undefined) throw new StartError(o.own === undefined ? ofFile(fault, o.file) : fault);
  return o.file === undefined ? world : { ...world, own: remembered(o.file) };
}

/** Writes down what the world is, so that nodes and later starts find it. */
export function publishWorld({ folder, basePort, topology, own }: World): void {
  publishJson(folder, TOPOLOGY_FILE, topology);
  publishJson(folder, WORLD_FILE, { format: FORMAT, basePort, own, topology });
}

/** The words of the command that runs a node of the world. */
export function nodeCommand({ folder, own }: World, name: string): readonly string[] {
  const words = ['--topology', `${folder}/${TOPOLOGY_FILE}`, '--name', name, '--data', `${folder}/${name}`];
  return ['node', ...words, ...(own === undefined ? [] : ['--world', own.file, '--code', own.digest])];
}

/** Makes a retired node's folder free for its successor: the old one is kept beside it. */
export function setNodeAside({ folder }: World, node: RetiredNode): void {
  setAside(folder, node.name, retiredName(node));
}

/** Where the data of a retired node lies. */
export function retiredFolder({ folder }: World, node: RetiredNode): string {
  return `${folder}/${retiredName(node)}`;
}

type RetiredNode = Pick<NodePlan, 'id' | 'name'>;

function retiredName({ name, id }: RetiredNode): string {
  return `${name}.retired-${id}`;
}

/**
 * The world that lives in this folder; `undefined` when there is none yet. Throws `StartError` for a
 * folder that holds something else, or a world that this version can not read.
 */
export function findWorld(folder: string): World | undefined {
  const file = readJson(folder, WORLD_FILE);
  if (file.kind === 'absent') {
    const strange = namesIn(folder).find((name) => !LEFT_BY_A_START.test(name));
    if (strange === undefined) return undefined;
    throw new StartError(
      `The folder ${folder} holds "${strange}" and no world: choose another one with --data.`,
    );
  }
  if (file.kind === 'unreadable') {
    throw new StartError(
      `${WORLD_FILE} in ${folder} can not be read: restore it or choose another folder with --data.`,
    );
  }
  return parseWorld(folder, file.value);
}

/** Remembers the processes of the world, should the supervisor die without ending them. */
export function rememberProcesses(world: World, pids: readonly number[]): void {
  publishJson(world.folder, PROCESSES_FILE, { pids });
}

/** The processes that a supervisor which died may have left behind. */
export function rememberedProcesses(world: World): readonly number[] {
  const file = readJson(world.folder, PROCESSES_FILE);
  if (file.kind !== 'json' || !isObject(file.value) || !Array.isArray(file.value['pids'])) return [];
  return file.value['pids'].filter((pid) => Number.isSafeInteger(pid) && pid > 1);
}

export function forgetProcesses(world: World): void {
  removeFile(world.folder, PROCESSES_FILE);
}

/** What is wrong with a topology that nobody wrote is wrong with the features that were put into it. */
function ofFile(fault: string, file: WorldFile | undefined): string {
  return file === undefined ? fault : `${file.file} can not be run: ${fault}`;
}

function newWorld(
  folder: string,
  { own, file, entropy }: Pick<Parameters<typeof openWorld>[0], 'own' | 'file' | 'entropy'>,
): World {
  if (own !== undefined) return { folder, basePort: own.basePort, topology: asNew(own) };
  const id = Array.from(entropy.bytes(WORLD_ID_BYTES), (byte) => byte.toString(16).padStart(2, '0'));
  const seed = seedTopology({ world: `world-${id.join('')}`, basePort: BASE_PORT });
  const topology = withOwnFeatures(seed, file?.features ?? []);
  return { folder, basePort: BASE_PORT, topology };
}

function grownWorld(former: World, own: OwnTopology | undefined): World {
  if (own === undefined) return former;
  return { ...former, basePort: own.basePort, topology: asGrown(former, own) };
}

function moved(world: World, basePort: number): World {
  return { ...world, basePort, topology: movedBy(world.topology, basePort - world.basePort) };
}

/** `publishWorld` writes the same topology into both files: another one is a person's, and not to be lost. */
function refuseEdited({ folder, topology }: World): void {
  const file = readJson(folder, TOPOLOGY_FILE);
  if (file.kind === 'absent' || (file.kind === 'json' && isTopology(file.value, topology))) return;
  throw new StartError(
    `${TOPOLOGY_FILE} in ${folder} is not as it was written. It is made of ${WORLD_FILE} for the nodes to ` +
      `read: move it away, and give what you want changed with --topology.`,
  );
}

function isTopology(value: unknown, topology: Topology): boolean {
  try {
    return JSON.stringify(parseTopology(value)) === JSON.stringify(topology);
  } catch (cause) {
    if (cause instanceof InvalidInputError) return false;
    throw cause;
  }
}

function parseWorld(folder: string, value: unknown): World {
  if (!isObject(value) || typeof value['format'] !== 'number') {
    throw new StartError(
      `${WORLD_FILE} in ${folder} is not one of ours: choose another folder with --data.`,
    );
  }
  if (value['format'] > FORMAT) {
    throw new StartError(
      `The world in ${folder} has format ${value['format']} and this version reads up to ${FORMAT}: ` +
        'start it with a newer BlueMarble.',
    );
  }
  try {
    const topology = parseTopology(value['topology']);
    const basePort = typeof value['basePort'] === 'number' ? value['basePort'] : BASE_PORT;
    const own = ownOf(value['own']);
    return { folder, basePort, topology, ...(own === undefined ? {} : { own }) };
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    throw new StartError(
      `${WORLD_FILE} in ${folder} is damaged: ${cause.message}; restore it or choose another folder.`,
      { cause },
    );
  }
}

/** Throws `InvalidInputError` for what no version has written. */
function ownOf(value: unknown): OwnFeatures | undefined {
  if (value === undefined) return undefined;
  const { file, versions, digest } = isObject(value) ? value : {};
  const isSound = isObject(versions) && Object.values(versions).every(Number.isSafeInteger);
  if (!isSound || typeof file !== 'string' || typeof digest !== 'string') {
    throw new InvalidInputError('own must be a file, its digest and the versions of its features');
  }
  return { file, versions: versions as OwnFeatures['versions'], digest };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
