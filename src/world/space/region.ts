// The life of one region: who is where, who may move how, and what each tick tells them.
//
// `services/space` drives it through `residents`: it hands in joins, moves and time, and gets packed frames
// to send. Who stands within sight of an edge is shown to the regions beyond it, as a ghost there. The
// newest value seen wins and older ones are dropped, never queued (promise `ephemeral`); nothing here
// is replicated or stored. Time is the driver's monotonic clock in milliseconds.
// Invariants: (1) every player stands inside the region; (2) over any stretch of time a player moves at
// most `BURST_METRES` plus `SPEED_METRES_PER_SECOND` times that stretch, and is never predicted to be
// much faster; (3) at most `REGION_PLAYERS_MAX` players are in it.
import { believed, type Track } from '../../base/dead-reckoning.ts';
import { normalPlace } from '../../base/earth.ts';
import { type Decision, done, InvalidInputError, rejected } from '../../base/errors.ts';
import { type PlayerId, playerId } from '../../base/id.ts';
import { RemoteClock } from '../../base/remote-clock.ts';
import type { Entered, Place } from '../../wire/calls.ts';
import {
  type CorrectionReason,
  decodeServerMotion,
  FORGET_AFTER_MS,
  MOTION_PLAYER_MAX,
  type MotionUpdate,
} from '../../wire/motion.ts';
import { lookersInto, type Neighbour } from './border.ts';
import { Footing } from './footing.ts';
import { Interest, PHASES, type TickFrame } from './interest.ts';
import { type Meridians, within } from './region-map.ts';

export { PHASES, type TickFrame } from './interest.ts';

/** More are refused with `region-full`: one core cannot send to more of them ten times a second. */
export const REGION_PLAYERS_MAX = 20_000;

export const DEFAULT_TICK_MS = 100;
export const DEFAULT_SIGHT_METRES = 200;

/**
 * `undefined` means that it was taken; otherwise why not, and where the player stands now. A `stale`
 * update is older than one already seen: nothing is wrong and nobody needs to be told. `outside-region`:
 * he went over the edge, within his speed, and stands here until the next region has him. For
 * `not-in-the-world` the region knows no place, and gives back the reported one.
 */
export type MoveVerdict =
  | undefined
  | { readonly reason: CorrectionReason | 'stale'; readonly back: Place };

export interface RegionOptions extends Meridians {
  readonly name: string;
  /** Asked when a player leaps in, and only then: one may wade and swim. */
  isLand(place: Place): boolean;
  /** Those that may look over the edge. */
  readonly others?: readonly Neighbour[];
  readonly tickMs?: number;
  readonly sightMetres?: number;
}

interface Mover {
  /** As of his last update that was taken; others may see him a little farther on. */
  readonly footing: Footing;
  readonly clock: RemoteClock;
  /** Of the newest update seen; `undefined` until the first one. */
  sequence: number | undefined;
}

export class Region {
  readonly #options: RegionOptions;
  readonly #entered: Entered;
  readonly #interest: Interest;
  readonly #movers = new Map<PlayerId, Mover>();
  /** Those whom other regions show, and when each of them did so last. */
  readonly #ghosts = new Map<PlayerId, number>();
  readonly #clocks = new Map<number, RemoteClock>();
  #phase = 0;

  constructor(options: RegionOptions) {
    this.#options = options;
    this.#entered = {
      region: options.name,
      tickMs: options.tickMs ?? DEFAULT_TICK_MS,
      sightMetres: options.sightMetres ?? DEFAULT_SIGHT_METRES,
    };
    const { others = [] } = options;
    this.#interest = new Interest(this.#entered.sightMetres, (key, cells) => {
      return lookersInto(key, cells, others);
    });
  }

  /** What a player is told who enters. */
  get described(): Entered {
    return this.#entered;
  }

  get players(): number {
    return this.#movers.size;
  }

  /** As of his last update that was taken; `undefined` when he is not here. */
  placeOf(player: PlayerId): Place | undefined {
    return this.#movers.get(player)?.footing.place;
  }

  /**
   * Who is here already leaves first: he stands at the new place, and his updates may count anew. Who
   * walks in brings along how far he may go at once, and may come from the sea. Throws
   * `InvalidInputError` for a place in another region.
   */
  enter(
    player: PlayerId,
    at: Place,
    nowMs: number,
    allowedMm?: number,
  ): Decision<Entered, 'not-on-land' | 'region-full'> {
    if (player <= 0 || player > MOTION_PLAYER_MAX) throw new InvalidInputError(`player ${player}`);
    const place = normalPlace(at);
    if (!within(this.#options, place.lon)) throw new InvalidInputError('a place in another region');
    if (allowedMm === undefined && !this.#options.isLand(place)) return rejected('not-on-land');
    if (this.#movers.size >= REGION_PLAYERS_MAX && !this.#movers.has(player)) {
      return rejected('region-full');
    }
    this.#movers.set(player, {
      footing: new Footing(place, nowMs, allowedMm),
      clock: new RemoteClock(),
      sequence: undefined,
    });
    this.#ghosts.delete(player);
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
    const { footing } = mover;
    const back = footing.place;
    if (mover.sequence !== undefined && !isNewer(motion.sequence, mover.sequence)) {
      return { reason: 'stale', back };
    }
    mover.sequence = motion.sequence;
    const isReached = footing.reaches(place, nowMs);
    if (!isReached || !within(this.#options, place.lon)) {
      this.#interest.place(player, standing(back, nowMs), nowMs);
      return { reason: isReached ? 'outside-region' : 'too-fast', back };
    }
    footing.go(place, nowMs);
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
    if (this.#phase === 0) this.#forgetGhosts(nowMs);
    this.#interest.turn({ nowMs, phase: this.#phase }, send);
  }

  /** Throws `InvalidInputError` for bytes that are no tick frame. Who is here himself is no ghost. */
  ghosts({ from, bytes }: { readonly from: number; readonly bytes: Uint8Array }, nowMs: number): void {
    const motion = decodeServerMotion(bytes);
    if (motion.kind !== 'tick') throw new InvalidInputError('ghosts in a frame that is no tick');
    const clock = this.#clocks.get(from) ?? new RemoteClock();
    this.#clocks.set(from, clock);
    const atMs = clock.localMs(motion.timeMs, nowMs);
    for (const { player: number, lat, lon, north, east } of motion.avatars) {
      const player = playerId(number);
      if (this.#movers.has(player)) continue;
      if (!this.#ghosts.has(player) && this.#ghosts.size >= REGION_PLAYERS_MAX) continue;
      this.#ghosts.set(player, nowMs);
      this.#interest.place(player, { lat, lon, north, east, atMs }, nowMs, true);
    }
  }

  /** What the turns since the last call show to other regions. */
  takeGhosts(): readonly { readonly to: number; readonly bytes: Uint8Array }[] {
    return this.#interest.takeGhosts();
  }

  #forgetGhosts(nowMs: number): void {
    for (const [player, shownAtMs] of this.#ghosts) {
      if (nowMs - shownAtMs < FORGET_AFTER_MS) continue;
      this.#ghosts.delete(player);
      this.#interest.remove(player);
    }
  }
}

function standing({ lat, lon }: Place, nowMs: number): Track {
  return { lat, lon, north: 0, east: 0, atMs: nowMs };
}

/** Serial number arithmetic (RFC 1982): right across the wrap of 32 bits. */
function isNewer(sequence: number, than: number): boolean {
  return ((sequence - than) | 0) > 0;
}
