// Calls of regional features: which region answers, how safe it must be, how new what it says.
//
// Player sessions ask through it, one `SeenPlaces` each. A call goes to the region that its frame names,
// else to that in which the player stands, else to the gateway's own. A frame that is repeated must name
// the region, for each region remembers for itself which commands it has applied.
// Invariant: a session never reads a region as it was before something that it has seen or done there.
import type { Outcome } from '../base/errors.ts';
import type { NodeId, PlayerId } from '../base/id.ts';
import type { ReadBound } from '../wire/levels.ts';
import type { PlayerFrame } from '../wire/player.ts';
import type { GroupCall, GroupCalls } from './group-calls.ts';
import type { RegionPlan } from './topology.ts';

/** A place in a region's log; the epoch is that of the primary that wrote it. */
interface SeenPlace {
  readonly epoch: number;
  readonly sequence: number;
}

/** Places in a region's log, both included. */
export interface LostPlaces {
  readonly from: number;
  readonly to: number;
}

/** How far one session has seen each region; at most as many entries as there are regions. */
export class SeenPlaces {
  readonly #byRegion = new Map<number, SeenPlace>();
  /** The highest place of each region that was answered when it was on one disk only. */
  readonly #onOne = new Map<number, SeenPlace>();

  of(region: number): SeenPlace | undefined {
    return this.#byRegion.get(region);
  }

  note(region: number, place: SeenPlace): void {
    const known = this.#byRegion.get(region);
    if (known === undefined || isBefore(known, place)) this.#byRegion.set(region, place);
  }

  noteOnOne(region: number, place: SeenPlace): void {
    const known = this.#onOne.get(region);
    if (known === undefined || isBefore(known, place)) this.#onOne.set(region, place);
  }

  /** What a primary whose epoch began after `start` does not have of it; told once. */
  lostBy(region: number, epoch: number, start: number): LostPlaces | undefined {
    const place = this.#onOne.get(region);
    if (place === undefined || place.epoch >= epoch) return undefined;
    this.#onOne.delete(region);
    if (place.sequence <= start) return undefined;
    return { from: start + 1, to: place.sequence };
  }
}

export interface RegionalAsk {
  readonly call: GroupCall;
  readonly frame: PlayerFrame;
  readonly player: PlayerId;
  readonly seen: SeenPlaces;
  readonly body: Uint8Array;
  settle(outcome: Outcome<unknown>): void;
}

export class RegionCalls {
  readonly #calls: Pick<GroupCalls, 'ask'>;
  readonly #self: NodeId;
  readonly #regions: readonly RegionPlan[];
  readonly #standsIn: (player: PlayerId) => string | undefined;
  /** The gateway's own region. */
  readonly home: string;

  constructor(o: {
    calls: Pick<GroupCalls, 'ask'>;
    self: NodeId;
    regions: readonly RegionPlan[];
    home: string;
    standsIn: (player: PlayerId) => string | undefined;
  }) {
    this.#calls = o.calls;
    this.#self = o.self;
    this.#regions = o.regions;
    this.home = o.home;
    this.#standsIn = o.standsIn;
  }

  /** False for a frame that names a region which there is not: nothing was asked. */
  ask(ask: RegionalAsk): boolean {
    const name = ask.frame.region ?? this.#standsIn(ask.player) ?? this.home;
    const region = this.#regions.find((each) => each.name === name);
    if (region === undefined) return false;
    if (ask.call.mode === 'command') this.#command(ask, region);
    else this.#query(ask, region, boundOf(ask, region));
    return true;
  }

  /** The number of the region that a player hears what is said to everybody in it. */
  hears(player: PlayerId): number | undefined {
    const name = this.#standsIn(player) ?? this.home;
    return this.#regions.find((each) => each.name === name)?.number;
  }

  #command({ call, frame, seen, body, settle }: RegionalAsk, { number }: RegionPlan): void {
    const level = frame.ack ?? call.ack;
    this.#calls.ask({
      call,
      value: call.value,
      body,
      log: number,
      level,
      settle: (outcome, epoch) => {
        note(seen, number, outcome, epoch);
        const place = placeOf(outcome, epoch);
        if (level === 'one' && place !== undefined) seen.noteOnOne(number, place);
        settle(outcome);
      },
    });
  }

  #query(ask: RegionalAsk, region: RegionPlan, bound: ReadBound): void {
    const { call, seen, body, settle } = ask;
    const isHere = region.copies.includes(this.#self);
    this.#calls.ask({
      call,
      value: call.value,
      body,
      log: region.number,
      bound,
      prefer: isHere && bound.kind !== 'primary' ? this.#self : undefined,
      settle: (outcome, epoch) => {
        const place = placeOf(outcome, epoch);
        const before = seen.of(region.number);
        // New enough by the clock may be older than what the player knows: that he must not be shown.
        if (bound.kind === 'atMostMsOld' && place && before && isBefore(place, before)) {
          return this.#query(ask, region, { kind: 'atLeast', ...before });
        }
        note(seen, region.number, outcome, epoch);
        settle(outcome);
      },
    });
  }
}

/** As old as the player allows; else as new as he has seen, and the primary's where that is nothing. */
function boundOf({ frame, seen }: RegionalAsk, { number }: RegionPlan): ReadBound {
  if (frame.bound !== undefined) return { kind: 'atMostMsOld', ms: frame.bound.msOld };
  const place = seen.of(number);
  return place === undefined ? { kind: 'primary' } : { kind: 'atLeast', ...place };
}

function note(
  seen: SeenPlaces,
  region: number,
  outcome: Outcome<unknown>,
  epoch: number | undefined,
): void {
  const place = placeOf(outcome, epoch);
  if (place !== undefined) seen.note(region, place);
}

/** Where in the region's log a decided outcome stands. */
function placeOf(outcome: Outcome<unknown>, epoch: number = 0): SeenPlace | undefined {
  if (outcome.kind !== 'done' && outcome.kind !== 'rejected') return undefined;
  return outcome.order === undefined ? undefined : { epoch, sequence: outcome.order };
}

function isBefore(a: SeenPlace, b: SeenPlace): boolean {
  return a.epoch === b.epoch ? a.sequence < b.sequence : a.epoch < b.epoch;
}
