// The nemesis: begins the faults of a schedule in time, and ends them.
//
// `run.ts` lets it loose on a cluster. What a fault can not reach at its moment (nobody leads, a node is down
// already) it leaves alone: that is chaos too. Everything it did is undone by `Cluster.heal` at the latest.
import { HEALTHY } from '../host/network.ts';
import { parsePartition } from '../host/partition.ts';
import type { Clock } from '../runtime/ports.ts';
import { waitFor } from '../host/waits.ts';
import type { Cluster } from './cluster.ts';
import { type Deed, describeDeed, type NemesisName, type Strike } from './schedule.ts';

/** Who leads may be away: it is asked again until the fault is over. */
const ASK_EVERY_MS = 500;
/** Between two deaths of a crash loop: shorter than a start takes, and longer. */
const CRASH_EVERY_MS = 700;

/** A fault as it really was. */
export interface Struck {
  readonly nemesis: NemesisName;
  readonly fromMs: number;
  readonly toMs: number;
  /** The nodes it hit; empty when there was nobody to hit. */
  readonly nodes: readonly string[];
  readonly words: string;
}

export interface NemesisOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Milliseconds since the drill began. */
  sinceBeginMs(): number;
  /** Ends every fault soon after it was aborted. */
  readonly ending: AbortSignal;
  told(words: string): void;
}

const SHIMMED: readonly NemesisName[] = [
  'slow-disk',
  'failed-sync',
  'failed-write',
  'full-disk',
  'torn-write',
  'clock',
];

/** Nemeses that can not be had on this machine, and why. */
export function missingNemeses({ shims, kernel }: Cluster): ReadonlyMap<NemesisName, string> {
  const missing = (names: readonly NemesisName[], why: string | undefined): [NemesisName, string][] =>
    why === undefined ? [] : names.map((name) => [name, why]);
  return new Map([
    ...missing(SHIMMED, shims.absent),
    ...missing(['slow-links'], kernel?.delayAbsent),
  ]);
}

/** Executes the schedule; resolves with what was done when the last fault has ended. */
export async function strikeAll(
  schedule: readonly Strike[],
  options: NemesisOptions,
): Promise<readonly Struck[]> {
  const struck: Struck[] = [];
  const running: Promise<void>[] = [];
  for (const [place, strike] of schedule.entries()) {
    await pauseFor(strike.atMs - options.sinceBeginMs(), options);
    if (options.ending.aborted) break;
    const one = strikeOnce(strike, `${place + 1}`, options).then((done) => void struck.push(done));
    running.push(one);
  }
  await Promise.all(running);
  return struck.toSorted((a, b) => a.fromMs - b.fromMs);
}

async function strikeOnce(strike: Strike, name: string, options: NemesisOptions): Promise<Struck> {
  const { nemesis, forMs, deed } = strike;
  const fromMs = options.sinceBeginMs();
  options.told(`${nemesis} ${describeDeed(deed)}`);
  const { nodes, end } = await begin(deed, `${nemesis} ${name}`, { forMs, ...options });
  if (nodes.length > 0) await pauseFor(fromMs + forMs - options.sinceBeginMs(), options);
  await end();
  const toMs = options.sinceBeginMs();
  return { nemesis, fromMs, toMs, nodes, words: describeDeed(deed) };
}

interface Begun {
  readonly nodes: readonly string[];
  end(): Promise<void> | void;
}

function begin(deed: Deed, name: string, o: NemesisOptions & { readonly forMs: number }): Promise<Begun> {
  switch (deed.kind) {
    case 'process':
      return beginProcess(deed, o);
    case 'links':
      return beginLinks(deed, name, o.cluster);
    case 'disk':
      return beginDisk(deed, o.cluster);
    case 'clock':
      return beginClock(deed, o.cluster);
    case 'change':
      return beginChange(deed, o);
    case 'replacement':
      return beginReplacement(deed, o);
  }
}

async function beginProcess(
  { action, nodes: selectors }: Extract<Deed, { kind: 'process' }>,
  o: NemesisOptions & { readonly forMs: number },
): Promise<Begun> {
  const nodes = await o.cluster.select(selectors);
  const keepers = nodes.flatMap((node) => o.cluster.supervisor.keeper(node) ?? []);
  const startAll = (): void => keepers.forEach((keeper) => keeper.start());
  switch (action) {
    case 'kill':
      await Promise.all(keepers.map((keeper) => keeper.kill()));
      return { nodes, end: startAll };
    case 'stop':
      for (const keeper of keepers) keeper.pause();
      return { nodes, end: () => keepers.forEach((keeper) => void keeper.resume()) };
    case 'restart':
      await Promise.all(keepers.map((keeper) => keeper.restart()));
      return { nodes, end: () => undefined };
    case 'crash-loop': {
      const untilMs = o.sinceBeginMs() + o.forMs;
      while (o.sinceBeginMs() < untilMs && !o.ending.aborted) {
        await Promise.all(keepers.map((keeper) => keeper.kill()));
        startAll();
        await pauseFor(CRASH_EVERY_MS, o);
      }
      return { nodes, end: startAll };
    }
  }
}

async function beginLinks(
  { cuts, fault }: Extract<Deed, { kind: 'links' }>,
  name: string,
  cluster: Cluster,
): Promise<Begun> {
  const view = await cluster.look();
  const parsed = cuts.map((text) => parsePartition(view, text, { ...HEALTHY, ...fault }));
  const links = parsed.flatMap((cut) => (cut.kind === 'cut' ? cut.links : []));
  if (links.length > 0) cluster.network.lay(name, links);
  const nodes = [...new Set(links.map(({ from }) => from))];
  return { nodes, end: () => cluster.network.lift(name) };
}

async function beginDisk(
  { what, slowMs, nodes: selectors }: Extract<Deed, { kind: 'disk' }>,
  cluster: Cluster,
): Promise<Begun> {
  const nodes = await cluster.select(selectors);
  for (const node of nodes) cluster.shims.setDisk(node, `${what} journal ${slowMs}\n`);
  return { nodes, end: () => nodes.forEach((node) => cluster.shims.setDisk(node, '')) };
}

async function beginClock(
  { offsetMs, nodes: selectors }: Extract<Deed, { kind: 'clock' }>,
  cluster: Cluster,
): Promise<Begun> {
  const nodes = await cluster.select(selectors);
  for (const node of nodes) cluster.shims.setClock(node, offsetMs);
  return { nodes, end: () => nodes.forEach((node) => cluster.shims.setClock(node, 0)) };
}

/** It lasts until everybody votes again; a hand-over is done once and stays. */
async function beginChange(
  { operation, of, nodes }: Extract<Deed, { kind: 'change' }>,
  o: NemesisOptions & { readonly forMs: number },
): Promise<Begun> {
  const { cluster } = o;
  const isLasting = operation === 'reconfigure';
  const untilMs = o.sinceBeginMs() + o.forMs;
  let isTold = false;
  do {
    await cluster.look();
    isTold = cluster.change(operation, of, nodes) || isTold;
    if (isTold && !isLasting) break;
    await pauseFor(Math.min(ASK_EVERY_MS, untilMs - o.sinceBeginMs()), o);
  } while (o.sinceBeginMs() < untilMs && !o.ending.aborted);
  const end = async (): Promise<void> => {
    if (!isLasting) return;
    await cluster.look();
    cluster.letAllVote();
  };
  return { nodes: isTold ? nodes : [], end };
}

/** It lasts until the node is replaced, also beyond the time of the fault: none is left half done. */
async function beginReplacement(
  { nodes: selectors }: Extract<Deed, { kind: 'replacement' }>,
  o: NemesisOptions & { readonly forMs: number },
): Promise<Begun> {
  const { cluster } = o;
  const [node] = await cluster.select(selectors);
  if (node === undefined) return { nodes: [], end: () => undefined };
  const untilMs = o.sinceBeginMs() + o.forMs;
  let hindrance: string | undefined;
  do {
    hindrance = await cluster.beginReplacement(node);
    if (hindrance === undefined) break;
    await pauseFor(Math.min(ASK_EVERY_MS, untilMs - o.sinceBeginMs()), o);
  } while (o.sinceBeginMs() < untilMs && !o.ending.aborted);
  if (hindrance === undefined) return { nodes: [node], end: () => cluster.endReplacement() };
  o.told(`${node} is not replaced: ${hindrance}`);
  return { nodes: [node], end: () => cluster.supervisor.keeper(node)?.start() };
}

async function pauseFor(durationMs: number, { clock, ending }: NemesisOptions): Promise<void> {
  if (durationMs <= 0 || ending.aborted) return;
  const wait = waitFor(clock, durationMs);
  ending.addEventListener('abort', wait.cut, { once: true });
  await wait.over;
  ending.removeEventListener('abort', wait.cut);
}
