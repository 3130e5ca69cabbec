// One region at work: drives its space at ten ticks a second and carries frames to those who look.
//
// Player sessions call it for `position` calls and motion frames; `world/space/region` decides.
// Nothing here is durable: who leaves or loses his link is gone from the region (promise `ephemeral`).
import type { Decision } from '../base/errors.ts';
import type { PlayerId } from '../base/id.ts';
import type { Clock } from '../runtime/ports.ts';
import type { Entered, Place } from '../wire/calls.ts';
import { decodeUpdate, encodeCorrection } from '../wire/motion.ts';
import type { RegionStatus } from '../wire/status.ts';
import { Region } from '../world/space/region.ts';
import { RecentMax } from './recent-max.ts';
import type { RegionPlan } from './topology.ts';

const TICK_MS = 100;

/** Where a player's frames go: his link. */
export interface Viewer {
  /** Sends what may be lost; false when the player is too slow for it. */
  offer(bytes: Uint8Array): boolean;
}

export class RegionHost {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #space: Region;
  readonly #viewers = new Map<PlayerId, Viewer>();
  readonly #tickMs = new RecentMax();
  #ticks = 0;
  #framesSkipped = 0;
  #cancelTick: () => void = () => {};

  constructor(o: { plan: RegionPlan; isLand: (place: Place) => boolean; clock: Clock }) {
    const { name, westLon, eastLon } = o.plan;
    this.#name = name;
    this.#clock = o.clock;
    this.#space = new Region({ name, westLon, eastLon, isLand: o.isLand, tickMs: TICK_MS });
  }

  start(): void {
    this.#tickAt(this.#clock.monotonicMs() + TICK_MS);
  }

  stop(): void {
    this.#cancelTick();
  }

  holds(player: PlayerId): boolean {
    return this.#viewers.has(player);
  }

  enter(
    player: PlayerId,
    place: Place,
    viewer: Viewer,
  ): Decision<Entered> {
    const decision = this.#space.enter(player, place, this.#clock.monotonicMs());
    if (decision.kind === 'done') this.#viewers.set(player, viewer);
    return decision;
  }

  /** False when the player was not in the region. */
  leave(player: PlayerId): boolean {
    this.#viewers.delete(player);
    return this.#space.leave(player);
  }

  /**
   * Takes a motion frame; a refused one is answered with the place to go back to. Throws
   * `InvalidInputError` for other bytes.
   */
  moved(player: PlayerId, bytes: Uint8Array): void {
    const motion = decodeUpdate(bytes);
    const verdict = this.#space.move(player, motion, this.#clock.monotonicMs());
    if (verdict === undefined || verdict.reason === 'stale') return;
    const { reason, back } = verdict;
    const { sequence } = motion;
    this.#viewers.get(player)?.offer(encodeCorrection({ sequence, reason, ...back }));
  }

  status(): Pick<RegionStatus, 'region' | 'players' | 'ticks' | 'tickMsMax' | 'framesSkipped'> {
    return {
      region: this.#name,
      players: this.#space.players,
      ticks: this.#ticks,
      tickMsMax: this.#tickMs.read(this.#clock.monotonicMs()),
      framesSkipped: this.#framesSkipped,
    };
  }

  #tickAt(atMs: number): void {
    this.#cancelTick = this.#clock.wakeAt(atMs, () => {
      const startMs = this.#clock.monotonicMs();
      this.#space.tick(startMs, ({ player, bytes }) => {
        // A copy, since a link may keep it beyond the next tick, which reuses the bytes.
        const taken = this.#viewers.get(player)?.offer(bytes.slice());
        if (taken === false) this.#framesSkipped += 1;
      });
      this.#ticks += 1;
      const endMs = this.#clock.monotonicMs();
      this.#tickMs.record(endMs, endMs - startMs);
      // From the planned time, so that lateness does not add up; ticks that were missed are missed.
      this.#tickAt(Math.max(atMs + TICK_MS, endMs));
    });
  }
}
