// The faults on a world's links, as a whole: laid on by name, taken off again, told to whom they concern.
//
// `run.ts` owns one for an operator, `chaos/cluster` for its drills. Several may lie on one link: delays
// add up, the worst cut counts. The latencies of `--wan` lie below them and are no fault: `heal` leaves them.
// Every node gates what it sends; so a fault from A to B is told to A. A node that starts again is told anew.
import {
  DELAY_MS_MAX,
  type FaultyLink,
  type LinkFault,
  type LinkFaults,
  LOSS_MAX,
} from '../wire/link-faults.ts';
import type { Topology } from '../services/topology/topology.ts';

/** More at a time are a mistake: an operator heals before he goes on. */
export const FAULTS_MAX = 16;

/** A fault on one direction of a link, between nodes by their names. */
export interface DirectedFault {
  readonly from: string;
  readonly to: string;
  readonly fault: LinkFault;
}

export const HEALTHY: LinkFault = { cut: 'no', delayMs: 0, jitterMs: 0, lossPerMille: 0 };

export interface NetworkOptions {
  /** As it is now: a replaced node has another id. */
  readonly topology: Topology;
  /** What lies below all faults, for as long as the world runs. */
  readonly base: readonly DirectedFault[];
  /** Tells a node what befalls its links from now on; lost when it does not run. */
  tell(node: string, faults: LinkFaults): void;
}

export class Network {
  readonly #options: NetworkOptions;
  readonly #faults = new Map<string, readonly DirectedFault[]>();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** The faults that lie on the links, by name, in the order in which they came. */
  get faults(): readonly string[] {
    return [...this.#faults.keys()];
  }

  /** Lays a fault on, instead of the one of the same name; false when there are too many. */
  lay(name: string, links: readonly DirectedFault[]): boolean {
    const before = this.#faults.get(name) ?? [];
    if (this.#faults.size >= FAULTS_MAX && !this.#faults.has(name)) return false;
    this.#faults.set(name, links);
    this.#tellAll([...before, ...links]);
    return true;
  }

  /** Takes one fault off. */
  lift(name: string): void {
    const links = this.#faults.get(name) ?? [];
    this.#faults.delete(name);
    this.#tellAll(links);
  }

  /** Takes all faults off; their names. */
  heal(): readonly string[] {
    const names = this.faults;
    const links = [...this.#faults.values()].flat();
    this.#faults.clear();
    this.#tellAll(links);
    return names;
  }

  /** What a node must be told when it starts; `undefined` when its links are healthy. */
  toldAtStart(node: string): LinkFaults | undefined {
    const told = this.#toldTo(node);
    return told.links.length === 0 ? undefined : told;
  }

  #tellAll(links: readonly DirectedFault[]): void {
    for (const node of new Set(links.map(({ from }) => from))) {
      this.#options.tell(node, this.#toldTo(node));
    }
  }

  #toldTo(node: string): LinkFaults {
    const merged = new Map<string, LinkFault>();
    for (const { from, to, fault } of [...this.#options.base, ...[...this.#faults.values()].flat()]) {
      if (from === node && to !== node) merged.set(to, mergeOf(merged.get(to) ?? HEALTHY, fault));
    }
    const links = [...merged].flatMap(([to, fault]): FaultyLink[] => {
      const plan = this.#options.topology.nodes.find(({ name }) => name === to);
      return plan === undefined ? [] : [{ to: plan.id, ...fault }];
    });
    return { kind: 'link-faults', links };
  }
}

/** Every direction between nodes of different sides. */
export function between(sides: readonly (readonly string[])[], fault: LinkFault): readonly DirectedFault[] {
  return sides.flatMap((side, place) =>
    sides.flatMap((other, otherPlace) => (place === otherPlace ? [] : oneWay(side, other, fault))),
  );
}

/** From every node of one side to every one of the other. */
export function oneWay(
  from: readonly string[],
  to: readonly string[],
  fault: LinkFault,
): readonly DirectedFault[] {
  return from.flatMap((each) =>
    to.filter((other) => other !== each).map((other) => ({ from: each, to: other, fault })),
  );
}

/** Both at once. */
function mergeOf(one: LinkFault, other: LinkFault): LinkFault {
  const cuts = [one.cut, other.cut];
  const passing = (LOSS_MAX - one.lossPerMille) * (LOSS_MAX - other.lossPerMille);
  return {
    cut: cuts.includes('reset') ? 'reset' : cuts.includes('silent') ? 'silent' : 'no',
    delayMs: Math.min(DELAY_MS_MAX, one.delayMs + other.delayMs),
    jitterMs: Math.min(DELAY_MS_MAX, one.jitterMs + other.jitterMs),
    lossPerMille: LOSS_MAX - Math.floor(passing / LOSS_MAX),
  };
}
