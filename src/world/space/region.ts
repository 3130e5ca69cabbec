// The life of one region: who is where, who may move how, and what each tick tells them.
//
// `services/region` drives it: it hands in joins, moves and time, and gets packed frames to send. The
// newest value seen wins and older ones are dropped, never queued (promise `ephemeral`); nothing here
// is replicated or stored. Time is the driver's monotonic clock in milliseconds.
// Invariants: (1) every player stands inside the region; (2) over any stretch of time a player moves at
// most `BURST_METRES` plus `SPEED_METRES_PER_SECOND` times that stretch, and is never predicted to be
// much faster; (3) at most `REGION_PLAYERS_MAX` players are in it.
import { believed, type Track } from '../../base/dead-reckoning.ts';
import { distanceMm, normalPlace } from '../../base/earth.ts';
import { type Decision, done, invariant, rejected } from '../../base/errors.ts';
import type { PlayerId } from '../../base/id.ts';
import { RemoteClock } from '../../base/remote-clock.ts';
import type { Entered, Place } from '../../wire/calls.ts';
import { type CorrectionReason, MOTION_PLAYER_MAX, type MotionUpdate } from '../../wire/motion.ts';
import { Interest, PHASES, type TickFrame } from './interest.ts';
import { type Meridians, within } from './region-map.ts';

export { PHASES, type TickFrame } from './interest.ts';

/** More are refused with `region-full`: one core cannot send to more of them ten times a second. */
export const REGION_PLAYERS_MAX = 20_000;
/** The fastest a player may go for long: a sprint on foot. */
export const SPEED_METRES_PER_SECOND = 12;
/** What he may catch up at once after silence or a slow network: three seconds of running. */
export const BURST_METRES = 36;

export const DEFAULT_TICK_MS = 100;
export const DEFAULT_SIGHT_METRES = 200;

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
  /** As of his last update that was taken; others may see him a little farther on. */
  place: Place;
  readonly clock: RemoteClock;
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
  #phase = 0;

  constructor(options: RegionOptions) {
    this.#options = options;
    this.#entered = {
      region: options.name,
      tickMs: options.tickMs ?? DEFAULT_TICK_MS,
      sightMetres: options.sightMetres ?? DEFAULT_SIGHT_METRES,
    };
    this.#interest = new Interest(this.#entered.sightMetres);
  }

  get tickMs(): number {
    return this.#entered.tickMs;
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
    const clock = new RemoteClock();
    this.#movers.set(player, { place, clock, sequence: undefined, allowedMm, allowedAtMs: nowMs });
    this.#interest.place(player, standing(place, nowMs), nowMs);
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
    const reason = this.#refusal(mover, place, wayMm);
    if (reason !== undefined) {
      this.#interest.place(player, standing(mover.place, nowMs), nowMs);
      return { reason, back: mover.place };
    }
    mover.allowedMm -= wayMm;
    mover.place = place;
    const { north, east } = believed(motion, place.lat);
    const atMs = mover.clock.localMs(motion.timeMs, nowMs);
    this.#interest.place(player, { ...place, north, east, atMs }, nowMs);
    return undefined;
  }

  /**
   * Turns one of the `PHASES` of a tick: gives at most one frame for each cell, for those of its viewers
   * who have somebody to hear of; see `Interest.turn` for what it holds.
   */
  turn(nowMs: number, send: (frame: TickFrame) => void): void {
    this.#phase = (this.#phase + 1) % PHASES;
    this.#interest.turn({ nowMs, phase: this.#phase }, send);
  }

  #refusal(mover: Mover, place: Place, wayMm: number): CorrectionReason | undefined {
    if (wayMm > mover.allowedMm) return 'too-fast';
    return within(this.#options, place.lon) ? undefined : 'outside-region';
  }
}

function standing({ lat, lon }: Place, nowMs: number): Track {
  return { lat, lon, north: 0, east: 0, atMs: nowMs };
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
