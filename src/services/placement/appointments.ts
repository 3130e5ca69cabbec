// A region node's side of placement: beats to the witnesses, its lease, and what its copies must do.
//
// `region-node.ts` owns one. It learns appointments by a push and, each second and when in doubt, by
// asking; what it learns it hands to the copies that this node holds and to the route to all regions.
// Invariants: a copy is given a lease only for the epoch for which this node is appointed, never beyond
// what the witnesses acknowledged, and never before placement knows that the region's log is begun: what
// nobody has then, no empty log takes the place of. What is older than what is known changes nothing.
import { InvalidInputError } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import { majority } from '../../base/quorum.ts';
import { BEAT_MS } from '../../protocols/liveness/detector.ts';
import { Lease } from '../../protocols/liveness/lease.ts';
import type { Clock, Logger } from '../../runtime/ports.ts';
import { encodePeerMessage, type PeerMessage } from '../../wire/peer.ts';
import {
  type NodeStanding,
  type PlacedRegion,
  placedRegions,
  promiseEpoch,
  readMap,
  reportBegun,
  reportTail,
  reportWiped,
} from '../../wire/placement.ts';
import type { Outbox } from '../calls/outbox.ts';
import type { PlacementCalls } from '../calls/placement-calls.ts';
import { Desertions } from './desertions.ts';
import { HandOvers } from './hand-overs.ts';
import type { PlacedCopy } from './placed-copy.ts';

/** A node that no majority of witnesses answered for so long says that it sees none. */
const SIGHT_MS = 3_500;
/** How long a planned hand-over may be held up for what the old primary has sent to arrive. */
const HEIR_MS_MAX = 1_000;

export interface AppointmentsOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outbox: Outbox;
  readonly calls: PlacementCalls;
  readonly witnesses: readonly NodeId[];
  readonly copies: readonly PlacedCopy[];
  /** Whether a link to the node stands. */
  readonly isLinked: (node: NodeId) => boolean;
  /** How long nothing may have been wrong before a region goes home. */
  readonly homeAfterMs: number;
  /** A region has another primary, or is being sought one: also for regions without a copy here. */
  readonly placed: (region: PlacedRegion) => void;
}

export class Appointments {
  readonly #o: AppointmentsOptions;
  readonly #lease: Lease;
  readonly #handOvers: HandOvers;
  readonly #desertions: Desertions;
  readonly #copies: ReadonlyMap<number, PlacedCopy>;
  readonly #regions = new Map<number, PlacedRegion>();
  #nodes: readonly NodeStanding[] = [];
  /** The epoch that each copy has promised in this life with an empty log. */
  readonly #begunBlank = new Map<number, number>();
  /** The epoch of which placement knows each copy's promise of this life. */
  readonly #promised = new Map<number, number>();
  readonly #reported = new Set<string>();
  /** When each region's primary was last reported to have lost its log. */
  readonly #wipedMs = new Map<number, number>();
  /** Since when a planned hand-over is held up here. */
  readonly #heldUpMs = new Map<number, number>();
  #isAsking = false;
  #worldEnds = false;
  #cancel: () => void = () => {};

  constructor(options: AppointmentsOptions) {
    this.#o = options;
    this.#lease = new Lease(options.witnesses, options.clock.wallMs());
    this.#copies = new Map(options.copies.map((copy) => [copy.number, copy]));
    const known = { ...options, copies: this.#copies, region: (number: number) => this.region(number) };
    this.#desertions = new Desertions(known);
    this.#handOvers = new HandOvers({
      ...known,
      isTrusted: (node) => this.#nodes.some((each) => each.node === node) && !this.isDoubted(node),
      asked: () => this.#ask(),
    });
  }

  start(): void {
    this.#beatAt(this.#o.clock.monotonicMs());
  }

  stop(): void {
    this.#cancel();
  }

  /** All nodes end, and come back to what they have now: no region is handed over by `leave`. */
  worldEnds(): void {
    this.#worldEnds = true;
  }

  /**
   * Hands the regions that this node has over to other copies, where one can have them by now or a moment
   * later; the others have successors as if it had died. Resolves within 2.5 seconds.
   */
  leave(): Promise<void> {
    return this.#worldEnds ? Promise.resolve() : this.#handOvers.all();
  }

  get seesMajority(): boolean {
    return this.#lease.seesMajority(this.#o.clock.monotonicMs(), SIGHT_MS);
  }

  /** What placement said last about a region; `undefined` before it said anything. */
  region(number: number): PlacedRegion | undefined {
    return this.#regions.get(number);
  }

  get regions(): readonly PlacedRegion[] {
    return [...this.#regions.values()];
  }

  /** What the witnesses think of the region nodes, as of the last time this node asked. */
  get nodes(): readonly NodeStanding[] {
    return this.#nodes;
  }

  /** Whether a majority of the witnesses doubts the node, as of the last time this node asked. */
  isDoubted(node: NodeId): boolean {
    const standing = this.#nodes.find((each) => each.node === node);
    return standing !== undefined && standing.suspectedBy >= majority(this.#o.witnesses.length);
  }

  heard(from: NodeId, message: Extract<PeerMessage, { kind: 'beat-heard' }>): void {
    const isCurrent = this.#lease.heard(from, message);
    if (!isCurrent) this.#beat(this.#o.witnesses);
    this.#extend();
  }

  /** A link stands: its witness is told at once, so that a lease need not wait for the next beat. */
  up(node: NodeId): void {
    if (!this.#o.witnesses.includes(node)) return;
    this.#beat([node]);
    this.#ask();
  }

  lost(node: NodeId): void {
    if (!this.#o.witnesses.includes(node)) return;
    this.#lease.lost(node);
    this.#extend();
  }

  /** What placement pushed: JSON of the regions that changed. */
  told(json: string): void {
    try {
      const value: unknown = JSON.parse(json);
      for (const region of placedRegions.parse(value, 'placement')) {
        // A new leader tells the past once more, which only those can tell apart who know of later.
        if (this.#regions.has(region.number)) this.#learn(region);
        else this.#ask();
      }
    } catch (cause) {
      if (!(cause instanceof InvalidInputError) && !(cause instanceof SyntaxError)) throw cause;
      this.#o.logger.log('warn', 'unreadable-placement', { cause: cause.message });
    }
  }

  #beatAt(atMs: number): void {
    const { clock, witnesses } = this.#o;
    this.#cancel = clock.wakeAt(atMs, () => {
      this.#beat(witnesses);
      this.#ask();
      this.#reportTails();
      this.#handOvers.home();
      this.#desertions.report();
      // From the planned time, so that lateness does not add up; beats that were missed are missed.
      this.#beatAt(Math.max(atMs + BEAT_MS, clock.monotonicMs()));
    });
  }

  #beat(witnesses: readonly NodeId[]): void {
    const { clock, outbox } = this.#o;
    const frame = encodePeerMessage({ kind: 'beat', ...this.#lease.beat(clock.monotonicMs()) });
    for (const witness of witnesses) outbox.send(witness, frame);
  }

  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const question = this.#lease.asks();
    this.#o.calls.ask('map', readMap, null, (outcome) => {
      if (outcome.kind === 'done') {
        this.#nodes = outcome.value.nodes;
        for (const region of outcome.value.regions) this.#learn(region);
        this.#lease.answered(question);
      }
      this.#isAsking = false;
      if (outcome.kind === 'done') this.#extend();
    });
  }

  #learn(region: PlacedRegion): void {
    const known = this.#regions.get(region.number);
    if (known !== undefined && isOlder(region, known)) return;
    this.#regions.set(region.number, region);
    if (known === undefined || !isSameTerm(region, known)) {
      const { number, primary, epoch, fence } = region;
      const facts = { region: number, primary, epoch, fence: fence?.epoch, cause: fence?.cause };
      this.#o.logger.log('info', 'placed', facts);
      this.#o.placed(region);
    }
    const copy = this.#copies.get(region.number);
    if (copy === undefined) return;
    if (region.fence === null) this.#serve(copy, region);
    else this.#promise(copy, region, region.fence);
  }

  /** Asks the copy to promise, and tells placement when it has; again with each look at the map. */
  #promise(copy: PlacedCopy, region: PlacedRegion, fence: NonNullable<PlacedRegion['fence']>): void {
    const { self, calls } = this.#o;
    const { number, primary } = region;
    // The promise of an earlier life says nothing of the disk of this one: it may be lost since, or back.
    const isKnown = fence.promised.includes(self) && this.#promised.get(number) === fence.epoch;
    if (isKnown || this.#isHeldUp(region, fence)) return;
    copy.promise(fence.epoch, ({ epoch, lastEpoch, lastSequence, isBlank }) => {
      if (epoch !== fence.epoch) return;
      if (isBlank) this.#begunBlank.set(number, epoch);
      const heard = copy.status().copies.reduce((most, { last = 0 }) => Math.max(most, last), lastSequence);
      const promise = {
        region: number,
        epoch,
        node: self,
        last: { epoch: lastEpoch, sequence: lastSequence },
        isBlank,
        heard: { epoch: lastEpoch, sequence: heard },
      };
      calls.ask('promise', promiseEpoch, promise, ({ kind }) => {
        if (kind === 'done') this.#promised.set(number, epoch);
        if (kind === 'done' || primary === self) this.#ask();
      });
    });
  }

  /**
   * In a planned hand-over the old primary promises first: what it has sent by then is on its way to
   * its heir, who would refuse it after a promise of its own.
   */
  #isHeldUp({ number, primary }: PlacedRegion, fence: NonNullable<PlacedRegion['fence']>): boolean {
    const { self, clock } = this.#o;
    const isPlanned = ['moved', 'returned', 'left'].includes(fence.cause);
    if (!isPlanned || primary === self || fence.promised.includes(primary)) {
      this.#heldUpMs.delete(number);
      return false;
    }
    const sinceMs = this.#heldUpMs.get(number) ?? clock.monotonicMs();
    this.#heldUpMs.set(number, sinceMs);
    return clock.monotonicMs() - sinceMs < HEIR_MS_MAX;
  }

  #serve(copy: PlacedCopy, { number, epoch, primary, start, isBegun }: PlacedRegion): void {
    const { self } = this.#o;
    const { role } = copy.status();
    const isLost = role === 'blank' && this.#begunBlank.get(number) !== epoch;
    if (primary === self && isLost) return this.#wiped(number, epoch);
    copy.appoint({ epoch, primary, start: start.sequence });
    if (primary !== self) return;
    const after = copy.status();
    // Its disk is not the one that was chosen; unless it was chosen to begin, and waits for the others.
    const isRefused = after.epoch === epoch && after.primary !== self;
    if (isRefused && this.#begunBlank.get(number) !== epoch) this.#wiped(number, epoch);
    else this.#extend();
    if (!isBegun && !isRefused) this.#begin(copy, number, epoch);
  }

  /** Nobody is served before placement knows that the log is begun, and it is told once the disk has it. */
  #begin(copy: PlacedCopy, number: number, epoch: number): void {
    const { self, calls } = this.#o;
    copy.promise(epoch, (promised) => {
      if (promised.epoch !== epoch || promised.isBlank) return;
      calls.ask('begun', reportBegun, { region: number, epoch, node: self }, ({ kind }) => {
        if (kind === 'done') this.#ask();
      });
    });
  }

  #wiped(region: number, epoch: number): void {
    const { calls, clock, self, logger } = this.#o;
    const nowMs = clock.monotonicMs();
    // What is found at once again was not mended by it: searches must not chase each other.
    if (nowMs - (this.#wipedMs.get(region) ?? Number.NEGATIVE_INFINITY) < BEAT_MS) return;
    this.#wipedMs.set(region, nowMs);
    logger.log('error', 'primary-lost-its-log', { region, epoch });
    calls.ask('wiped', reportWiped, { region, epoch, node: self }, () => this.#ask());
  }

  /** Gives each copy that is primary here the lease that this node has now. */
  #extend(): void {
    const untilMs = this.#lease.untilMs(this.#o.clock.monotonicMs());
    if (this.#lease.isUnconfirmed) this.#ask();
    for (const [number, copy] of this.#copies) {
      const region = this.#regions.get(number);
      if (region?.fence !== null || region.primary !== this.#o.self || !region.isBegun) continue;
      copy.lease(region.epoch, untilMs);
    }
  }

  /** What a copy set aside is told once, to the appointment that cost it. */
  #reportTails(): void {
    const { calls, self } = this.#o;
    for (const [number, copy] of this.#copies) {
      for (const { fromEpoch, fromSequence, toEpoch, toSequence } of copy.status().lostTails) {
        const key = `${number} ${fromEpoch} ${fromSequence} ${toEpoch} ${toSequence}`;
        const appointments = this.#regions.get(number)?.appointments ?? [];
        const epoch = appointments.find((each) => each.epoch > toEpoch)?.epoch;
        if (epoch === undefined || this.#reported.has(key)) continue;
        const from = { epoch: fromEpoch, sequence: fromSequence };
        const to = { epoch: toEpoch, sequence: toSequence };
        const tail = { region: number, epoch, node: self, from, to };
        calls.ask('lost', reportTail, tail, ({ kind }) => {
          if (kind === 'done' || kind === 'rejected') this.#reported.add(key);
        });
      }
    }
  }
}

/** By epoch, and within it by the epoch that copies are asked to promise. */
function isOlder(one: PlacedRegion, other: PlacedRegion): boolean {
  if (one.epoch !== other.epoch) return one.epoch < other.epoch;
  return (one.fence?.epoch ?? 0) < (other.fence?.epoch ?? 0);
}

function isSameTerm(one: PlacedRegion, other: PlacedRegion): boolean {
  return one.epoch === other.epoch && one.fence?.epoch === other.fence?.epoch;
}
