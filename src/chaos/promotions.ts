// Who was primary of which region when, and what each promotion cost, gathered while a drill goes on.
//
// `run.ts` hands in every look. Placement remembers its latest appointments only, and what a promotion cost
// is told later, when the copy that had more returns: so the fullest word on each epoch counts.
import type { NodeId } from '../base/id.ts';
import type { Topology } from '../services/topology/topology.ts';
import type { Appointment } from '../verify/invariants.ts';
import type { Appointment as Placed } from '../wire/placement.ts';
import type { NodeStatus } from '../wire/status.ts';
import type { GoneEnd } from './gone-disks.ts';

/** Places in a region's log that a promotion cost, as an observation of a history. */
export interface LostPlaces {
  /** The region. */
  readonly key: string;
  /** The first and the last of them. */
  readonly value: { readonly from: number; readonly to: number };
}

interface Cost {
  readonly region: string;
  readonly epoch: number;
  /** The last place of the log that the promotion kept. */
  readonly start: number;
  /** Of what was heard to exist, and of what returning copies really had. */
  readonly lost: readonly LostPlaces[];
}

export class Promotions {
  readonly #topology: Topology;
  readonly #nameOf: (node: NodeId) => string;
  readonly #claims: Appointment[] = [];
  readonly #costs = new Map<string, Cost>();
  /** By the key of the cost. */
  readonly #gone = new Map<string, LostPlaces>();

  /** `nameOf` knows the nodes that were replaced as well: they were primaries once. */
  constructor(topology: Topology, nameOf: (node: NodeId) => string) {
    this.#topology = topology;
    this.#nameOf = nameOf;
  }

  note(statuses: ReadonlyMap<string, NodeStatus>): void {
    for (const [node, { copies, placement }] of statuses) {
      for (const { region, role, epoch } of copies) {
        if (role === 'primary') this.#claim({ group: region, epoch, node });
      }
      for (const { number, appointments } of placement?.regions ?? []) {
        const region = this.#topology.regions.find((plan) => plan.number === number)?.name;
        if (region === undefined) continue;
        for (const placed of appointments) this.#place(region, placed);
      }
    }
  }

  /** Every primary of every epoch that was seen or told, each at least once. */
  get appointments(): readonly Appointment[] {
    return this.#claims;
  }

  /** Beyond the foundation. */
  get count(): number {
    return this.#costs.size;
  }

  get lostPlaces(): readonly LostPlaces[] {
    return [...[...this.#costs.values()].flatMap(({ lost }) => lost), ...this.#gone.values()];
  }

  /** How many entries, where copies told different numbers the highest. */
  get lostEntries(): number {
    let entries = 0;
    for (const [key, { lost }] of this.#costs) {
      const gone = this.#gone.get(key) ?? [];
      const told = lost.concat(gone);
      entries += Math.max(0, ...told.map(({ value: { from, to } }) => to - from + 1));
    }
    return entries;
  }

  /**
   * A disk that is gone for good held the region's log up to there: no copy comes back with what the others
   * have not got of it. To be called once all promotions were noted.
   */
  noteGone({ region, end }: GoneEnd): void {
    const cut = [...this.#costs]
      .filter(([, cost]) => cost.region === region && cost.epoch > end.epoch && cost.start < end.sequence)
      .sort(([, one], [, other]) => one.start - other.start)[0];
    if (cut === undefined) return;
    const [key, { start }] = cut;
    const to = Math.max(end.sequence, this.#gone.get(key)?.value.to ?? 0);
    this.#gone.set(key, { key: region, value: { from: start + 1, to } });
  }

  #place(region: string, { epoch, primary, cause, start, mayLose, lost }: Placed): void {
    this.#claim({ group: region, epoch, node: this.#nameOf(primary) });
    if (cause === 'founded') return;
    const heardOf = mayLose === 0 ? [] : [{ from: start.sequence + 1, to: start.sequence + mayLose }];
    const told = lost.map(({ from, to }) => ({ from: from.sequence, to: to.sequence }));
    const key = `${region} ${epoch}`;
    const places = [...heardOf, ...told].map((value) => ({ key: region, value }));
    if (places.length >= (this.#costs.get(key)?.lost.length ?? 0)) {
      this.#costs.set(key, { region, epoch, start: start.sequence, lost: places });
    }
  }

  #claim(claim: Appointment): void {
    const isKnown = this.#claims.some(
      ({ group, epoch, node }) =>
        group === claim.group && epoch === claim.epoch && node === claim.node,
    );
    if (!isKnown) this.#claims.push(claim);
  }
}
