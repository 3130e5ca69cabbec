// The motion lane as the client sees it: where this player goes, and whom he sees.
//
// `connection.ts` drives both classes. Pure: time comes in. Between two updates the region predicts the
// player by dead reckoning, so one is sent only when that prediction strays by `CLIENT_STRAY_MM` from
// where he is, and once a second while he walks. Nothing queues: an update holds the newest place. After
// a break the player enters again at the last place, or ashore when he has waded into the sea.
import {
  believed,
  latAt,
  lonAt,
  type Track,
  type Velocity,
  velocityBetween,
} from '../base/dead-reckoning.ts';
import { distanceMm } from '../base/earth.ts';
import { RemoteClock } from '../base/remote-clock.ts';
import type { Place } from '../wire/calls.ts';
import {
  type Avatar,
  CLIENT_STRAY_MM,
  type Correction,
  encodeUpdate,
  FORGET_AFTER_MS,
  HEARTBEAT_MS,
} from '../wire/motion.ts';

const SEQUENCE_END: number = 2 ** 32;
/** Of a player who is moved more seldom than this, nobody can say whether he walks or leaps. */
const STEP_MS_MAX = 500;
/**
 * The part of a tick, counted from when its frame was made, in which updates are sent: late enough to
 * be fresh, early enough to be in time for the next one. What comes about before is the fresher for
 * waiting, and in the rest of the tick it would wait for a whole tick at the region.
 */
export const SEND_FROM = 0.5;
export const SEND_UNTIL = 0.65;
const STANDING: Velocity = { north: 0, east: 0 };

/** A place that the game reported, and when. */
interface Step extends Place {
  readonly atMs: number;
}

export class MotionLane {
  #step: Step | undefined;
  /** Where he entered last by a call, which is granted on land alone. */
  #landed: Place | undefined;
  /** The two steps before, each about a tick older: the way since is the velocity. */
  #anchors: readonly Step[] = [];
  /** How far apart in time the game's last steps were. */
  #everyMs = 0;
  /** What the region predicts this player by; `undefined` when it must be told anew. */
  #told: Track | undefined;
  /** Who stops says so twice, since the region takes his silence for a lost link only while he walks. */
  #repeats = 0;
  /** 0 while no region has taken the player in over the link of now. */
  #tickMs = 0;
  /** When the region made the last frame that came, by the client's clock. */
  #tickAtMs = -Infinity;
  #sentAtMs = -Infinity;
  #sequence = 0;

  /** Where to enter again once a link is proven; `undefined` when there is no need to. */
  get reentry(): Place | undefined {
    if (this.#tickMs > 0 || this.#step === undefined) return undefined;
    const { lat, lon } = this.#step;
    return { lat, lon };
  }

  /** When `take` has something to give if nothing happens before; infinity while it has not. */
  get wakeAtMs(): number {
    const step = this.#step;
    if (this.#tickMs === 0 || step === undefined) return Infinity;
    const told = this.#told;
    if (told === undefined) return this.#sendAtMs(step.atMs);
    const heartbeatAtMs = this.#sentAtMs + HEARTBEAT_MS;
    if (isWalking(told)) return this.#sendAtMs(Math.min(heartbeatAtMs, this.#restsAtMs(step)));
    return this.#repeats > 0 ? this.#sendAtMs(heartbeatAtMs) : Infinity;
  }

  /** The region took the player in at `place`, where he stands for it. */
  entered(place: Place, tickMs: number, nowMs: number): void {
    this.#stand(place, nowMs);
    this.#landed = place;
    this.#tickMs = tickMs;
  }

  /**
   * A region took the player in again, at `landed` unless he walked in; where he went meanwhile is the
   * next update.
   */
  reentered(tickMs: number, landed: Place | undefined = this.#landed): void {
    this.#told = undefined;
    this.#landed = landed;
    this.#tickMs = tickMs;
  }

  /**
   * He may not enter again at `refused`, which is water: from now on he stands where he entered last.
   * `undefined` when that is the very place, and there is no other.
   */
  ashore(refused: Place, nowMs: number): Correction | undefined {
    const landed = this.#landed;
    if (landed === undefined || (landed.lat === refused.lat && landed.lon === refused.lon)) {
      return undefined;
    }
    this.corrected(landed, nowMs);
    return { sequence: this.#sequence, ...landed, reason: 'not-in-the-world' };
  }

  /** The link is gone and with it the place in the region; `reentry` says where to go on. */
  interrupted(): void {
    this.#tickMs = 0;
    this.#tickAtMs = -Infinity;
  }

  /** The player is not in the world and does not want to be. */
  left(): void {
    this.#step = undefined;
    this.#tickMs = 0;
  }

  /** Ignored before the first `entered` and after `left`. */
  moveTo({ lat, lon }: Place, nowMs: number): void {
    const last = this.#step;
    if (last === undefined) return;
    this.#step = { lat, lon, atMs: nowMs };
    this.#everyMs = nowMs - last.atMs;
    const newest = this.#anchors[0] ?? last;
    if (this.#everyMs > STEP_MS_MAX) this.#anchors = [];
    else if (nowMs - newest.atMs >= this.#tickMs) this.#anchors = [this.#step, newest];
    else if (this.#anchors.length === 0) this.#anchors = [last];
    const told = this.#told;
    if (told === undefined) return;
    const predicted = { lat: latAt(told, nowMs), lon: lonAt(told, nowMs) };
    if (distanceMm(predicted, this.#step) > CLIENT_STRAY_MM) this.#told = undefined;
  }

  /** The region puts the player back: moves that it has not taken are forgotten. */
  corrected(place: Place, nowMs: number): void {
    if (this.#step !== undefined) this.#stand(place, nowMs);
  }

  /**
   * A frame of the region came, which it made at that time of the client's clock (`Others.saw` tells it):
   * the next one is made a tick later, however long this one was on its way.
   */
  ticked(atMs: number): void {
    this.#tickAtMs = atMs;
  }

  /** The update to send now; at most one per tick. */
  take(nowMs: number): Uint8Array | undefined {
    const step = this.#step;
    if (step === undefined || this.wakeAtMs > nowMs) return undefined;
    const way = this.#velocity(step, nowMs);
    const isNews = this.#told === undefined || isWalking(this.#told);
    this.#repeats = isNews ? 1 : 0;
    // Who stands has been there up to now; of a walker it is known as of his step.
    const atMs = Math.round(isWalking(way) ? step.atMs : nowMs);
    this.#told = { lat: step.lat, lon: step.lon, north: way.north, east: way.east, atMs };
    this.#sentAtMs = nowMs;
    this.#sequence = (this.#sequence + 1) % SEQUENCE_END;
    const { lat, lon, north, east } = this.#told;
    return encodeUpdate({ sequence: this.#sequence, timeMs: atMs, lat, lon, north, east });
  }

  #stand({ lat, lon }: Place, atMs: number): void {
    this.#step = { lat, lon, atMs };
    this.#told = { lat, lon, ...STANDING, atMs };
    this.#anchors = [];
    this.#repeats = 0;
  }

  #velocity(step: Step, nowMs: number): Velocity {
    const from = this.#anchors.at(-1);
    if (from === undefined || nowMs >= this.#restsAtMs(step)) return STANDING;
    return believed(velocityBetween(from, step, step.atMs - from.atMs), step.lat);
  }

  /** From then on a player stands whom the game moves no more. */
  #restsAtMs(step: Step): number {
    return step.atMs + Math.max(this.#tickMs, 2 * this.#everyMs);
  }

  /** When what is due at that time may be sent: once per tick, just before the region's next frame. */
  #sendAtMs(dueAtMs: number): number {
    const tickMs = this.#tickMs;
    if (dueAtMs - this.#tickAtMs >= FORGET_AFTER_MS) return Math.max(dueAtMs, this.#sentAtMs + tickMs);
    const atMs = Math.max(dueAtMs, this.#sentAtMs + tickMs / 2);
    const ticks = Math.floor((atMs - this.#tickAtMs) / tickMs);
    const part = (atMs - this.#tickAtMs) / tickMs - ticks;
    if (part >= SEND_FROM && part < SEND_UNTIL) return atMs;
    const later = part < SEND_FROM ? ticks : ticks + 1;
    return this.#tickAtMs + (later + SEND_FROM) * tickMs;
  }
}

/** Another player, where he is by now as far as can be told, and when he was last heard of. */
export interface Seen extends Place, Velocity {
  /** By the client's own monotonic clock. */
  readonly seenAtMs: number;
}

/** The other players in sight; whoever was not heard of for 3 s went out of it. */
export class Others {
  readonly #told = new Map<number, Track & { readonly seenAtMs: number }>();
  #clock = new RemoteClock();

  /** Another region speaks from now on, by a clock of its own. */
  crossed(): void {
    this.#clock = new RemoteClock();
  }

  /**
   * `stampMs` is the frame's time by the region's clock; answers which time of the client's clock that
   * is, at the latest.
   */
  saw(
    { avatars, stampMs }: { readonly avatars: readonly Avatar[]; readonly stampMs: number },
    self: number,
    nowMs: number,
  ): number {
    const atMs = this.#clock.localMs(stampMs, nowMs);
    for (const { player, lat, lon, north, east } of avatars) {
      if (player !== self) this.#told.set(player, { lat, lon, north, east, atMs, seenAtMs: nowMs });
    }
    return atMs;
  }

  /** Everybody where he is predicted to be at that time. */
  at(nowMs: number): ReadonlyMap<number, Seen> {
    const seen = new Map<number, Seen>();
    for (const [player, told] of this.#told) {
      const { north, east, seenAtMs } = told;
      if (nowMs - seenAtMs >= FORGET_AFTER_MS) this.#told.delete(player);
      else seen.set(player, { lat: latAt(told, nowMs), lon: lonAt(told, nowMs), north, east, seenAtMs });
    }
    return seen;
  }
}

function isWalking({ north, east }: Velocity): boolean {
  return north !== 0 || east !== 0;
}
