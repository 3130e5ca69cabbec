// A witness: hears the beats of the region nodes, and tells `placement` what it thinks of them.
//
// Each global node has one. `global-node.ts` hands in beats and hints; `protocols/liveness` judges. What
// changed is stated as a whole under a number that only grows, again and again until it is recorded.
// Invariant: a beat is acknowledged only while no word of this witness that its sender failed stands in
// `placement`, nor is on its way there. A process that has just started does not know what the one before
// said: its first statement must be recorded before it acknowledges anything.
import type { NodeId } from '../../base/id.ts';
import { Detector, DETECTOR_TICK_MS, type NodeOpinion } from '../../protocols/liveness/detector.ts';
import type { Clock, Logger } from '../../runtime/ports.ts';
import { encodePeerMessage, type PeerMessage } from '../../wire/peer.ts';
import { type Foundation, foundRegions, movePrimary, observe } from '../../wire/placement.ts';
import type { Operation } from '../calls/operation.ts';
import type { Outbox } from '../calls/outbox.ts';
import type { PlacementCalls } from '../calls/placement-calls.ts';

/** A statement that is not recorded by then is made anew. */
const RESTATE_MS = 500;

export interface WitnessOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outbox: Outbox;
  readonly calls: PlacementCalls;
  /** What the topology says of witnesses and regions. */
  readonly foundation: Foundation;
  readonly regions: readonly { readonly number: number; readonly name: string }[];
  /** Who ought to beat. */
  readonly nodes: readonly NodeId[];
}

export class Witness {
  readonly #o: WitnessOptions;
  readonly #detector: Detector;
  #number: number;
  #statedMs = Number.NEGATIVE_INFINITY;
  #isFounded = false;
  /** What was stated last, and what is known to be recorded. */
  #stated: readonly NodeOpinion[] = [];
  #recorded: readonly NodeOpinion[] | undefined;
  /** Nodes that this witness, or the process before it, may be on record to call failed. */
  #condemned: Set<NodeId>;
  #isSilent = false;
  #cancel: () => void = () => {};

  constructor(options: WitnessOptions) {
    this.#o = options;
    this.#detector = new Detector(options.nodes, options.clock.monotonicMs());
    this.#number = options.clock.wallMs();
    this.#condemned = new Set(options.nodes);
  }

  start(): void {
    this.#tickAt(this.#o.clock.monotonicMs() + DETECTOR_TICK_MS);
  }

  /** States nothing from now on, whoever leaves after it; beats are still acknowledged. */
  stop(): void {
    this.#isSilent = true;
    this.#cancel();
  }

  /** What this witness thinks by itself; `placement` knows what they think together. */
  opinions(): readonly NodeOpinion[] {
    return this.#detector.opinions();
  }

  heard(from: NodeId, { incarnation, sequence }: Extract<PeerMessage, { kind: 'beat' }>): void {
    const { clock, outbox } = this.#o;
    const isNews = this.#detector.beat(from, { incarnation, sequence }, clock.monotonicMs());
    const counts = isNews && !this.#condemned.has(from);
    const known = this.#detector.incarnationOf(from);
    const answer = { kind: 'beat-heard', incarnation, sequence, known, counts } as const;
    outbox.send(from, encodePeerMessage(answer));
  }

  /** Nobody listens any more where the node was linked. */
  gone(node: NodeId): void {
    this.#detector.gone(node);
    this.#speak();
  }

  /** An operator's wish for a region's primary; what comes of it is in the map. */
  promote({ kind, group, nodes }: Operation): void {
    const { calls, logger, regions } = this.#o;
    const region = regions.find(({ name }) => name === group)?.number;
    const [to] = nodes;
    if (region === undefined || to === undefined) return;
    const move = { region, to, acceptLoss: kind === 'force' };
    calls.ask('move', movePrimary, move, (outcome) => {
      logger.log('warn', 'operator-moves-primary', { ...move, outcome });
    });
  }

  #tickAt(atMs: number): void {
    const { clock } = this.#o;
    this.#cancel = clock.wakeAt(atMs, () => {
      const nowMs = clock.monotonicMs();
      this.#detector.tick(nowMs);
      this.#speak();
      this.#tickAt(nowMs + DETECTOR_TICK_MS);
    });
  }

  /** States what is not recorded yet; what is on its way already, only after a while. */
  #speak(): void {
    if (this.#isSilent) return;
    const nowMs = this.#o.clock.monotonicMs();
    const opinions = this.#detector.opinions();
    if (this.#recorded !== undefined && isSame(opinions, this.#recorded)) return;
    const isUnderWay = isSame(opinions, this.#stated) && nowMs - this.#statedMs < RESTATE_MS;
    if (isUnderWay) return;
    this.#stated = opinions;
    this.#statedMs = nowMs;
    if (this.#isFounded) this.#state(opinions);
    else this.#found();
  }

  #found(): void {
    const { calls, foundation } = this.#o;
    calls.ask('found', foundRegions, foundation, ({ kind }) => {
      if (kind !== 'done') return;
      this.#isFounded = true;
      this.#stated = [];
      this.#speak();
    });
  }

  #state(opinions: readonly NodeOpinion[]): void {
    const { calls, self, logger } = this.#o;
    const number = ++this.#number;
    const failed = failedIn(opinions);
    for (const node of failed) this.#condemned.add(node);
    logger.log('info', 'witness-states', { number, opinions: worthTelling(opinions) });
    calls.ask('observe', observe, { witness: self, number, opinions }, (outcome) => {
      if (outcome.kind === 'rejected') this.#isFounded = false;
      if (outcome.kind !== 'done') return;
      const { latest } = outcome.value;
      // An earlier process of this node had a clock that was ahead: go on above its numbers.
      this.#number = Math.max(this.#number, latest);
      if (latest !== number) {
        if (latest === this.#number) this.#stated = [];
        return;
      }
      this.#recorded = opinions;
      // What was stated later may condemn others, and counts from when it was said.
      if (number === this.#number) this.#condemned = new Set(failed);
    });
  }
}

function failedIn(opinions: readonly NodeOpinion[]): readonly NodeId[] {
  return opinions.filter(({ opinion }) => opinion === 'failed').map(({ node }) => node);
}

function worthTelling(opinions: readonly NodeOpinion[]): readonly string[] {
  return opinions.map(({ node, opinion, incarnation }) => `${node} ${opinion} ${incarnation}`);
}

function isSame(one: readonly NodeOpinion[], other: readonly NodeOpinion[]): boolean {
  if (one.length !== other.length) return false;
  return one.every(({ node, opinion, incarnation }, place) => {
    const same = other[place];
    return node === same?.node && opinion === same.opinion && incarnation === same.incarnation;
  });
}
