// Calls of regional features: which region answers, how safe it must be, how new what it says.
//
// Player sessions ask through it, one `SeenPlaces` each. A call goes to the region that its frame names,
// else to that in which the player stands, else to the gateway's own. A frame that is repeated must name
// the region, for each region remembers for itself which commands it has applied.
// Invariants:
// R1. A session never reads a region as it was before something that it has seen or done there.
// R2. A place that a caller states reaches a copy only if somebody's answer has proven that it exists: any
//     copy may wait for it then. Others are asked of the primary, and what it answers is compared here,
//     so that invented places cost what any query costs.
import type { Outcome } from '../../base/errors.ts';
import type { NodeId, PlayerId } from '../../base/id.ts';
import type { PlaceAtOne } from '../../base/told-at-one.ts';
import type { ReadBound } from '../../wire/levels.ts';
import type { PlayerFrame } from '../../wire/player.ts';
import type { GroupCall, GroupCalls } from './group-calls.ts';
import type { RegionPlan } from '../topology/topology.ts';

/** The region has not come to the place that was stated: perhaps it will, perhaps it never does. */
const NOT_THAT_FAR = { kind: 'unavailable', retryAfterMs: 100 } as const;

/** A place in a region's log; the epoch is that of the primary that wrote it. */
interface SeenPlace {
  readonly epoch: number;
  readonly sequence: number;
}

/** How far one session has seen each region; at most as many entries as there are regions. */
export class SeenPlaces {
  readonly #byRegion = new Map<number, SeenPlace>();

  of(region: number): SeenPlace | undefined {
    return this.#byRegion.get(region);
  }

  note(region: number, place: SeenPlace): void {
    const known = this.#byRegion.get(region);
    if (known === undefined || isBefore(known, place)) this.#byRegion.set(region, place);
  }
}

export interface RegionalAsk {
  readonly call: GroupCall;
  readonly frame: PlayerFrame;
  readonly player: PlayerId;
  readonly seen: SeenPlaces;
  readonly body: Uint8Array;
  /** With its place where it was answered when one disk had it. */
  settle(outcome: Outcome<unknown>, atOne?: PlaceAtOne): void;
}

export class RegionCalls {
  readonly #calls: Pick<GroupCalls, 'ask'>;
  readonly #self: NodeId;
  readonly #regions: readonly RegionPlan[];
  readonly #standsIn: (player: PlayerId) => string | undefined;
  /** How far each region was in any answer that came here. */
  readonly #proven = new SeenPlaces();
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
    else this.#query(ask, region, boundOf(ask, region, this.#proven));
    return true;
  }

  /** The number of the region that a player hears what is said to everybody in it. */
  hears(player: PlayerId): number | undefined {
    const name = this.#standsIn(player) ?? this.home;
    return this.#regions.find((each) => each.name === name)?.number;
  }

  #command({ call, frame, seen, body, settle }: RegionalAsk, { number, name }: RegionPlan): void {
    const level = frame.ack ?? call.ack;
    this.#calls.ask({
      call,
      value: call.value,
      body,
      log: number,
      level,
      settle: (outcome, epoch) => {
        const place = this.#noted(seen, number, placeOf(outcome, epoch));
        if (level !== 'one' || place === undefined) return settle(placed(outcome, place));
        const atOne = { region: name, epoch: place.epoch, order: place.sequence };
        settle(placed(outcome, place), atOne);
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
        this.#noted(seen, region.number, place);
        const stated = statedIn(ask.frame);
        if (place && stated && isBefore(place, stated)) return settle(NOT_THAT_FAR);
        settle(placed(outcome, place));
      },
    });
  }

  #noted(seen: SeenPlaces, region: number, place: SeenPlace | undefined): SeenPlace | undefined {
    if (place === undefined) return undefined;
    seen.note(region, place);
    this.#proven.note(region, place);
    return place;
  }
}

/**
 * As old as the player allows; else as new as he has seen or states, whichever is newer, and the primary's
 * where that is nothing.
 */
function boundOf(
  { frame, seen }: RegionalAsk,
  { number }: RegionPlan,
  proven: SeenPlaces,
): ReadBound {
  if (frame.bound !== undefined && 'msOld' in frame.bound) {
    return { kind: 'atMostMsOld', ms: frame.bound.msOld };
  }
  const before = seen.of(number);
  const stated = statedIn(frame);
  const isNews = stated !== undefined && (before === undefined || isBefore(before, stated));
  if (!isNews) return before === undefined ? { kind: 'primary' } : { kind: 'atLeast', ...before };
  const known = proven.of(number);
  const exists =
    known !== undefined && !isBefore(known, stated) && stated.sequence <= known.sequence;
  return exists ? { kind: 'atLeast', ...stated } : { kind: 'primary' };
}

function statedIn({ bound }: PlayerFrame): SeenPlace | undefined {
  if (bound === undefined || 'msOld' in bound) return undefined;
  return { epoch: bound.epoch, sequence: bound.order };
}

/** A decided outcome with the epoch of its place. */
function placed(outcome: Outcome<unknown>, place: SeenPlace | undefined): Outcome<unknown> {
  const isDecided = outcome.kind === 'done' || outcome.kind === 'rejected';
  return place === undefined || !isDecided ? outcome : { ...outcome, epoch: place.epoch };
}

/** Where in the region's log a decided outcome stands. */
function placeOf(outcome: Outcome<unknown>, epoch: number = 0): SeenPlace | undefined {
  if (outcome.kind !== 'done' && outcome.kind !== 'rejected') return undefined;
  return outcome.order === undefined ? undefined : { epoch, sequence: outcome.order };
}

function isBefore(a: SeenPlace, b: SeenPlace): boolean {
  return a.epoch === b.epoch ? a.sequence < b.sequence : a.epoch < b.epoch;
}
