// `bluemarble node`: one process of a world, with the machine's doors opened for it.
//
// The supervisor starts it, or an operator's own service manager on another machine. It ends in order
// on SIGTERM and SIGINT, and when whoever started it is gone; docs/operating.md lists the exit codes.
import { dirname, join, resolve } from 'node:path';

import { loadCoasts } from '../adapters/earth/land.ts';
import { openParentLink, type ParentLink } from '../adapters/node/children.ts';
import { systemClock } from '../adapters/node/clock.ts';
import { claimDataFolder } from '../adapters/node/data-folder.ts';
import { lookInto, openDisk, openFolder, setAside } from '../adapters/node/disk.ts';
import { systemEntropy } from '../adapters/node/entropy.ts';
import { FaultGate } from '../adapters/node/fault-gate.ts';
import { incarnationFile } from '../adapters/node/incarnation-file.ts';
import { openHttp } from '../adapters/node/http.ts';
import { openLogger, type OwnedLogger } from '../adapters/node/log.ts';
import { openPeers } from '../adapters/node/peers.ts';
import { openSecrets } from '../adapters/node/secrets.ts';
import { StartError } from '../adapters/node/start-error.ts';
import { openTap } from '../adapters/node/tap-file.ts';
import { loadOrCreateWorldKey } from '../adapters/node/world-key.ts';
import { CorruptionError, ForeignDataError } from '../base/errors.ts';
import { readTopology } from '../host/topology-file.ts';
import { readWorldFile } from '../host/world-file.ts';
import { Checkpoints } from '../runtime/checkpoints.ts';
import {
  COPIES_FOLDER,
  COPY_CHECKPOINTS_KEPT,
  COPY_SEGMENT_BYTES,
  type CopyStorage,
  RESTORED,
} from '../runtime/copy-journal.ts';
import { Journal } from '../runtime/journal.ts';
import type { Peers } from '../runtime/ports.ts';
import type { NodeDoors, Storage } from '../services/node-role.ts';
import { Incarnations } from '../services/topology/incarnations.ts';
import { startWorldNode, type WorldNode } from '../services/node.ts';
import type { NodePlan, Topology } from '../services/topology/topology.ts';
import { stockFeatures } from '../world/catalogue.ts';
import type { Feature } from '../world/feature.ts';
import { createLand } from '../world/space/land.ts';
import { version } from './version.ts';

/** In order, within so long, or not at all: whoever waits for this process kills it after five. */
const STOP_MS_MAX = 3_000;
const EXIT_STOPPED = 0;
const EXIT_STOP_TOOK_TOO_LONG = 1;
const EXIT_CANNOT_START = 2;
/** `EX_SOFTWARE` of sysexits: our own promise broke, and a restart replays the log. */
const EXIT_BROKEN = 70;


export interface NodeOptions {
  readonly topologyFile: string;
  readonly name: string;
  /** The node's own folder. The world's key lies beside the topology file. */
  readonly data: string;
  /** A studio's features, where the world has some. */
  readonly worldFile: string | undefined;
  /** Of the code that the other nodes run; `undefined`: whoever starts this node sees to that. */
  readonly code: string | undefined;
  /** Where what is applied is written down, for a drill. */
  readonly tap: string | undefined;
}

/** Runs until the process is told to end; ends the process itself, with its exit code. */
export async function runNode(options: NodeOptions): Promise<void> {
  const parent = openParentLink();
  try {
    await start(options, parent);
  } catch (cause) {
    const sentence = whyNot(options, cause);
    if (sentence === undefined) throw cause;
    process.stderr.write(`${sentence}\n`);
    await parent?.deliver({ kind: 'failed', sentence });
    process.exit(EXIT_CANNOT_START);
  }
}

/** What must be changed before another start makes sense; `undefined` for a fault of ours. */
function whyNot({ data }: NodeOptions, cause: unknown): string | undefined {
  if (cause instanceof StartError) return cause.message;
  if (cause instanceof ForeignDataError) {
    return (
      `The data in ${data} is whole and not this program's (${cause.message}): it is left as it is; ` +
      'start the version that wrote it, or see "Data of another version" in docs/operating.md.'
    );
  }
  if (!(cause instanceof CorruptionError)) return undefined;
  return `The data in ${data} is damaged (${cause.message}): see "A damaged folder" in docs/operating.md.`;
}

async function start(options: NodeOptions, parent: ParentLink | undefined): Promise<void> {
  const { topology, features } = await readWorld(options);
  const plan = planOf(topology, options);
  const folder = claimDataFolder({ folder: options.data, world: topology.world, node: plan.id });
  const logger = openLogger({ file: join(options.data, 'log.jsonl'), name: plan.name });
  const fail = endOnFaults(logger, parent);
  const key = loadOrCreateWorldKey(join(dirname(resolve(options.topologyFile)), 'world.key'));
  const gate = new FaultGate(logger);
  parent?.listen({ message: (message) => gate.command(message), closed: () => undefined });
  const incarnations = new Incarnations({
    topology,
    self: plan.id,
    store: incarnationFile(options.data),
    entropy: systemEntropy,
  });
  const peers = await openLinks({ topology, plan, key, logger, gate, incarnations });
  const doors: NodeDoors = {
    clock: systemClock,
    entropy: systemEntropy,
    logger,
    peers,
    incarnations,
    secrets: openSecrets(key),
    machine: { pid: process.pid, residentBytes: () => process.memoryUsage.rss() },
    openStorage: () => openStorage({ folder: options.data, world: topology.world, logger }),
    openCopy: (region) => openCopy({ folder: options.data, world: topology.world, logger }, region),
    setCopyAside: (region) => setAside(join(options.data, COPIES_FOLDER), region),
    loadLand: () => createLand(loadCoasts()),
    fail,
    tap: openTap(options.tap, plan.name),
  };
  const setting = { topology, features, node: plan.id, doors };
  const node = startWorldNode(setting, version());
  parent?.listen({ message: (message) => heard(node, parent, message), closed: () => node.worldEnds() });
  const http = await openHttp({
    host: plan.host,
    port: plan.httpPort,
    logger,
    routes: {
      health: () => true,
      ready: () => node.isReady(),
      status: () => node.status(),
      metrics: () => node.metrics(),
      audit: (fresh) => node.audit(fresh),
    },
    ...(node.players === undefined ? {} : { players: node.players }),
  });
  endInOrder(logger, parent, async () => {
    await node.stop();
    await http.close();
    folder.release();
  });
  await node.whenReady();
  logger.log('info', 'ready', { pid: process.pid });
  parent?.report({ kind: 'ready', pid: process.pid });
}

/** Whatever fails, here or unseen, ends the process. */
function endOnFaults(logger: OwnedLogger, parent: ParentLink | undefined): (cause: unknown) => void {
  const fail = (cause: unknown): void => {
    if (cause instanceof CorruptionError) endForGood(logger, parent, cause);
    else endBroken(logger, cause);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  return fail;
}

/** All that the nodes of a world must have alike. */
async function readWorld({
  topologyFile,
  worldFile,
  code,
}: NodeOptions): Promise<{ readonly topology: Topology; readonly features: readonly Feature[] }> {
  const own = worldFile === undefined ? undefined : await readWorldFile(worldFile);
  if (code !== undefined && own?.digest !== code) {
    throw new StartError(
      `${worldFile}, or a module that it imports, is not what this world was started with, and copies that ` +
        'run other code would differ: put the former code back, or stop the world and start it again.',
    );
  }
  const features = [...stockFeatures, ...(own?.features ?? [])];
  return { topology: readTopology(topologyFile, own), features };
}

/** What the supervisor says: that the world ends, which its own end means too, or what an operator wants. */
function heard(node: WorldNode, parent: ParentLink, message: unknown): void {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return;
  if (message.kind !== 'world-ends') return node.operate(message);
  node.worldEnds();
  parent.report({ kind: 'forewarned' });
}

function planOf(topology: Topology, { name, topologyFile }: NodeOptions): NodePlan {
  const plan = topology.nodes.find((node) => node.name === name);
  if (plan !== undefined) return plan;
  const names = topology.nodes.map((node) => node.name).join(', ');
  throw new StartError(`${topologyFile} has no node "${name}": name one of ${names}.`);
}

function openLinks(o: {
  readonly topology: Topology;
  readonly plan: NodePlan;
  readonly key: Uint8Array;
  readonly logger: OwnedLogger;
  readonly gate: FaultGate;
  readonly incarnations: Incarnations;
}): Promise<Peers> {
  const { topology, plan, key, logger, gate, incarnations } = o;
  // Both ends dial, so that whoever starts last is heard at once and needs not wait for the others'
  // next attempt.
  const wanted = topology.nodes.filter(({ id }) => id !== plan.id);
  return openPeers({
    self: plan.id,
    world: topology.world,
    key,
    listen: { host: plan.host, port: plan.peerPort },
    nodes: topology.nodes.map(({ id, host, peerPort }) => ({ id, host, port: peerPort })),
    dial: wanted.map(({ id }) => id),
    folders: incarnations,
    gate,
    logger,
  });
}

interface DataFolder {
  readonly folder: string;
  readonly world: string;
  readonly logger: OwnedLogger;
}

function openStorage({ folder, world, logger }: DataFolder): Storage {
  const disk = openDisk(folder, (sentence) => endBroken(logger, sentence));
  const { journal, recovered } = Journal.open(disk);
  const damaged = (cause: string): void => logger.log('error', 'checkpoint-damaged', { cause });
  return { journal, recovered, checkpoints: new Checkpoints(disk, { world, damaged }) };
}

/** Its syncs are left to the thread pool: a region must not stand still for the disk of a copy. */
function openCopy({ folder, world, logger }: DataFolder, region: string): CopyStorage {
  const fail = (sentence: string): never => endBroken(logger, sentence);
  const copy = join(folder, COPIES_FOLDER, region);
  if (lookInto(copy + RESTORED).names().length > 0) {
    throw new StartError(
      `A restore of ${region} was cut off, and ${copy} is not yet what it was to be: ` +
        '`npm start` finishes it, and so does `bluemarble restore`, or put all copies in their places.',
    );
  }
  const disk = openFolder(copy, fail);
  const { journal, recovered } = Journal.open(disk, { segmentBytes: COPY_SEGMENT_BYTES });
  const damaged = (cause: string): void =>
    logger.log('error', 'checkpoint-damaged', { region, cause });
  const options = { keep: COPY_CHECKPOINTS_KEPT, world, damaged };
  return { disk, journal, recovered, checkpoints: new Checkpoints(disk, options) };
}

/** Whatever asks the process to end, it ends once; what hangs does not keep it. */
function endInOrder(
  logger: OwnedLogger,
  parent: ParentLink | undefined,
  stop: () => Promise<void>,
): void {
  let isEnding = false;
  const end = (cause: string): void => {
    if (isEnding) return;
    isEnding = true;
    logger.log('info', 'leaving', { cause });
    const exit = (code: number): void => {
      void logger.close();
      process.exit(code);
    };
    setTimeout(() => exit(EXIT_STOP_TOOK_TOO_LONG), STOP_MS_MAX);
    stop().then(
      () => exit(EXIT_STOPPED),
      (failure: unknown) => endBroken(logger, failure),
    );
  };
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('SIGINT', () => end('SIGINT'));
  parent?.listen({ message: () => undefined, closed: () => end('parent-gone') });
}

/** This copy must not go on, and starting it again would not mend it: its data is left as it is. */
function endForGood(
  logger: OwnedLogger,
  parent: ParentLink | undefined,
  cause: CorruptionError,
): void {
  logger.log('error', 'must-not-go-on', { cause: cause.message });
  void logger.close();
  process.stderr.write(`${cause.message}\n`);
  const exit = (): never => process.exit(EXIT_CANNOT_START);
  if (parent === undefined) exit();
  else void parent.deliver({ kind: 'failed', sentence: cause.message }).then(exit);
}

function endBroken(logger: OwnedLogger, cause: unknown): never {
  logger.log('error', 'broken', { cause });
  void logger.close();
  process.stderr.write(`${cause instanceof Error ? String(cause.stack) : String(cause)}\n`);
  process.exit(EXIT_BROKEN);
}
