// The life of one region: who is where, who may move how, and what each tick tells them.
//
// `services/region` drives it: it hands in joins, moves and time, and gets packed frames to send. The
// newest value seen wins and older ones are dropped, never queued (promise `ephemeral`); nothing here
// is replicated or stored. Time is the driver's monotonic clock in milliseconds.
// Invariants: (1) every player stands inside the region; (2) over any stretch of time a player moves at
// most `BURST_METRES` plus `SPEED_METRES_PER_SECOND` times that stretch; (3) at most
// `REGION_PLAYERS_MAX` players are in it.
import { type Decision, done, invariant, rejected } from '../../base/errors.ts';
import type { PlayerId } from '../../base/id.ts';
import type { Entered, Place } from '../../wire/calls.ts';
import { type CorrectionReason, MOTION_PLAYER_MAX, type MotionUpdate } from '../../wire/motion.ts';
import { Interest, type TickFrame } from './interest.ts';
import { distanceMm, normalPlace } from './place.ts';
import { type Meridians, within } from './region-map.ts';

export type { TickFrame } from './interest.ts';

/** More are refused with `region-full`: one core cannot send to more of them ten times a second. */
export const REGION_PLAYERS_MAX = 20_000;
/** The fastest a player may go for long: a sprint on foot. */
export const SPEED_METRES_PER_SECOND = 12;
/** What he may catch up at once after silence or a slow network: three seconds of running. */
export const BURST_METRES = 36;

const DEFAULT_TICK_MS = 100;
const DEFAULT_SIGHT_METRES = 200;

/**
 * `undefined` means that it was taken; otherwise why not, and where the player stands now. A `stale`
 * update is older than one already seen: nothing is wrong and nobody needs to be told. For
 * `not-in-the-world` the region knows no place, and gives back the reported one.
 */
export type MoveVerdict =
  | undefined
  | { readonly reason: CorrectionReason | 'stale'; readonly back: Place };

export interface RegionOptions extends Meridians {
  readonly name: string;
  /** Asked when a player enters, and only then: one may wade and swim. */
  isLand(place: Place): boolean;
  readonly tickMs?: number;
  readonly sightMetres?: number;
}

interface Mover {
  place: Place;
  /** Of the newest update seen; `undefined` until the first one. */
  sequence: number | undefined;
  /** How far he may go at once, as of `allowedAtMs`: a bucket that fills at the highest speed. */
  allowedMm: number;
  allowedAtMs: number;
}

export class Region {
  readonly #options: RegionOptions;
  readonly #entered: Entered;
  readonly #interest: Interest;
  readonly #movers = new Map<PlayerId, Mover>();
  #ticks = 0;

  constructor(options: RegionOptions) {
    this.#options = options;
    this.#entered = {
      region: options.name,
      tickMs: options.tickMs ?? DEFAULT_TICK_MS,
      sightMetres: options.sightMetres ?? DEFAULT_SIGHT_METRES,
    };
    this.#interest = new Interest(this.#entered.sightMetres);
  }

  get players(): number {
    return this.#movers.size;
  }

  /** Who is here already leaves first: he stands at the new place, and his updates may count anew. */
  enter(
    player: PlayerId,
    at: Place,
    nowMs: number,
  ): Decision<Entered, 'not-on-land' | 'other-region' | 'region-full'> {
    invariant(player > 0 && player <= MOTION_PLAYER_MAX, 'a player id fits into 32 bits');
    const place = normalPlace(at);
    if (!within(this.#options, place.lon)) return rejected('other-region');
    if (!this.#options.isLand(place)) return rejected('not-on-land');
    if (this.#movers.size >= REGION_PLAYERS_MAX && !this.#movers.has(player)) {
      return rejected('region-full');
    }
    const allowedMm = BURST_METRES * 1_000;
    this.#movers.set(player, { place, sequence: undefined, allowedMm, allowedAtMs: nowMs });
    this.#interest.place(player, place);
    return done(this.#entered);
  }

  /** False when he was not here. Others forget him when they have not heard of him for a while. */
  leave(player: PlayerId): boolean {
    this.#interest.remove(player);
    return this.#movers.delete(player);
  }

  move(player: PlayerId, motion: MotionUpdate, nowMs: number): MoveVerdict {
    const place = normalPlace(motion);
    const mover = this.#movers.get(player);
    if (mover === undefined) return { reason: 'not-in-the-world', back: place };
    if (mover.sequence !== undefined && !isNewer(motion.sequence, mover.sequence)) {
      return { reason: 'stale', back: mover.place };
    }
    mover.sequence = motion.sequence;
    refill(mover, nowMs);
    const wayMm = distanceMm(mover.place, place);
    if (wayMm > mover.allowedMm) return { reason: 'too-fast', back: mover.place };
    if (!within(this.#options, place.lon)) return { reason: 'outside-region', back: mover.place };
    mover.allowedMm -= wayMm;
    if (wayMm === 0) return undefined;
    mover.place = place;
    this.#interest.place(player, place);
    return undefined;
  }

  /** One frame for each viewer that has somebody to hear of; see `Interest.tick` for what it holds. */
  tick(nowMs: number, send: (frame: TickFrame) => void): void {
    this.#ticks = (this.#ticks + 1) % 2 ** 32;
    this.#interest.tick({ nowMs, tick: this.#ticks }, send);
  }
}

/** Serial number arithmetic (RFC 1982): right across the wrap of 32 bits. */
function isNewer(sequence: number, than: number): boolean {
  return ((sequence - than) | 0) > 0;
}

function refill(mover: Mover, nowMs: number): void {
  // Metres per second are millimetres per millisecond.
  const gainedMm = Math.max(0, nowMs - mover.allowedAtMs) * SPEED_METRES_PER_SECOND;
  mover.allowedMm = Math.min(BURST_METRES * 1_000, mover.allowedMm + gainedMm);
  mover.allowedAtMs = nowMs;
}
