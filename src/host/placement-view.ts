// What the nodes together know of primaries, copies and who lives, for the live screen and the operator.
//
// `view.ts` asks for it. Any region node may be behind, so of each region the newest word counts: by epoch,
// then by the epoch that copies are asked to promise.
import { type Loss, lossesOf, lostEntries } from '../services/placement/losses.ts';
import type { RegionPlan, Topology } from '../services/topology/topology.ts';
import type { PlacedRegion } from '../wire/placement.ts';
import type { CopyStatus, NodeStatus } from '../wire/status.ts';

export interface CopyView {
  readonly name: string;
  /** Behind the primary; `undefined` when it can not be told. */
  readonly lagEntries: number | undefined;
  readonly lagMs: number | undefined;
  readonly isHealthy: boolean;
  /** The last entry that it holds by its own word; `undefined` while it does not answer, or is blank. */
  readonly last: number | undefined;
  /** The last entry of its state, and of its newest durable checkpoint; `undefined` while it is silent. */
  readonly applied: number | undefined;
  readonly saved: number | undefined;
}

export interface PlacedView {
  /** `undefined` before placement has told anybody. */
  readonly primary: string | undefined;
  readonly epoch: number;
  /** A successor is being sought: nobody serves meanwhile. */
  readonly isSought: boolean;
  readonly copies: readonly CopyView[];
  /** The farthest entry that any copy which answers holds or was told of by another. */
  readonly heard: number;
  /** Entries that promotions have cost, as far as returning copies told, or else as was heard of. */
  readonly lost: number;
  /** Which entries these are, oldest promotion first. */
  readonly losses: readonly Loss[];
}

/** What the witnesses think of a node: `undefined` when they were not asked yet. */
export type Standing = 'trusted' | 'suspected' | 'failed';

type Statuses = ReadonlyMap<string, NodeStatus>;

export function placedView(topology: Topology, plan: RegionPlan, statuses: Statuses): PlacedView {
  const placed = newest(plan.number, statuses);
  const losses = placed === undefined ? [] : lossesOf(placed);
  const nameOf = (id: number | undefined): string | undefined =>
    topology.nodes.find((node) => node.id === id)?.name;
  return {
    primary: nameOf(placed?.primary),
    epoch: placed?.epoch ?? 0,
    isSought: placed?.fence !== null,
    copies: plan.copies.map((id) => {
      const name = nameOf(id) ?? `node ${id}`;
      const copy = copyOf(plan.name, statuses.get(name));
      // Who has not heard of the newest epoch measures itself against a primary that is none any more.
      const isOfOld = copy !== undefined && copy.epoch < (placed?.epoch ?? 0);
      const { lagEntries, lagMs, isHealthy = false } = isOfOld ? {} : (copy ?? {});
      const last = copy?.role === 'blank' ? undefined : copy?.last;
      // A blank copy can not tell how far it trails, and is of no use to a promotion.
      const isSound = isHealthy && lagEntries !== undefined;
      const { applied, checkpoint: saved } = copy ?? {};
      return { name, lagEntries, lagMs, isHealthy: isSound, last, applied, saved };
    }),
    heard: farthest(plan.name, statuses),
    lost: lostEntries(losses),
    losses,
  };
}

/** By the map of whichever node has asked last; a majority of the witnesses makes an opinion. */
export function standingOf(topology: Topology, name: string, statuses: Statuses): Standing | undefined {
  const id = topology.nodes.find((node) => node.name === name)?.id;
  const majority = topology.nodes.filter(({ kind }) => kind === 'global').length / 2;
  let standing: Standing | undefined;
  for (const { placement } of statuses.values()) {
    const known = placement?.nodes.find(({ node }) => node === id);
    if (known === undefined) continue;
    if (known.failedBy > majority) return 'failed';
    if (known.suspectedBy > majority) standing = 'suspected';
    else standing ??= 'trusted';
  }
  return standing;
}

function newest(number: number, statuses: Statuses): PlacedRegion | undefined {
  let best: PlacedRegion | undefined;
  for (const { placement } of statuses.values()) {
    const known = placement?.regions.find((region) => region.number === number);
    if (known !== undefined && (best === undefined || isNewer(known, best))) best = known;
  }
  return best;
}

function isNewer(one: PlacedRegion, other: PlacedRegion): boolean {
  if (one.epoch !== other.epoch) return one.epoch > other.epoch;
  return (one.fence?.epoch ?? 0) > (other.fence?.epoch ?? 0);
}

function copyOf(region: string, status: NodeStatus | undefined): CopyStatus | undefined {
  return status?.copies.find((copy) => copy.region === region);
}

function farthest(region: string, statuses: Statuses): number {
  const copies = [...statuses.values()].flatMap((status) => copyOf(region, status) ?? []);
  const places = copies.flatMap((copy) => [copy, ...copy.copies]);
  return places.reduce((most, { last = 0 }) => Math.max(most, last), 0);
}
