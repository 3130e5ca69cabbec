// One region at work: drives its space at ten ticks a second and carries frames to those who look.
//
// A tick is turned in phases, so that no burst of sending holds up the calls and the peers of the node.
// A player who does not take his frames in time gets those of everybody only, one a second, until he
// has taken a few of them without delay: nothing is ever kept for him.
//
// Player sessions call it for `position` calls and motion frames; `world/space/region` decides.
// Nothing here is durable: who leaves or loses his link is gone from the region (promise `ephemeral`).
import type { Decision } from '../base/errors.ts';
import type { PlayerId } from '../base/id.ts';
import type { Clock } from '../runtime/ports.ts';
import type { Entered, Place } from '../wire/calls.ts';
import { decodeUpdate, encodeCorrection } from '../wire/motion.ts';
import type { RegionStatus } from '../wire/status.ts';
import { PHASES, Region, type RegionOptions, type TickFrame } from '../world/space/region.ts';
import { RecentMax } from './recent-max.ts';

/** Frames of everybody in a row that a slow player must take before he gets all frames again. */
const SLOW_FRAMES = 5;

/** Where a player's frames go: his link. */
export interface Viewer {
  /** Sends what may be lost; false when the player is too slow for it. Must not change the bytes. */
  offer(bytes: Uint8Array): boolean;
}

/** What a region's plan says of its space. */
export type RegionSpace = Omit<RegionOptions, 'isLand'>;

interface Seat {
  readonly viewer: Viewer;
  /** 0: gets every frame; else so many frames of everybody more until he does. */
  slow: number;
}

export class RegionHost {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #space: Region;
  readonly #seats = new Map<PlayerId, Seat>();
  readonly #phaseMs: number;
  readonly #tickMs = new RecentMax();
  #phases = 0;
  #framesSkipped = 0;
  #cancelTick: () => void = () => {};

  constructor(o: { plan: RegionSpace; isLand: (place: Place) => boolean; clock: Clock }) {
    this.#name = o.plan.name;
    this.#clock = o.clock;
    this.#space = new Region({ ...o.plan, isLand: o.isLand });
    this.#phaseMs = this.#space.tickMs / PHASES;
  }

  get tickMs(): number {
    return this.#space.tickMs;
  }

  start(): void {
    this.#turnAt(this.#clock.monotonicMs() + this.#phaseMs);
  }

  stop(): void {
    this.#cancelTick();
  }

  holds(player: PlayerId): boolean {
    return this.#seats.has(player);
  }

  enter(
    player: PlayerId,
    place: Place,
    viewer: Viewer,
  ): Decision<Entered> {
    const decision = this.#space.enter(player, place, this.#clock.monotonicMs());
    if (decision.kind === 'done') this.#seats.set(player, { viewer, slow: 0 });
    return decision;
  }

  /** False when the player was not in the region. */
  leave(player: PlayerId): boolean {
    this.#seats.delete(player);
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
    this.#seats.get(player)?.viewer.offer(encodeCorrection({ sequence, reason, ...back }));
  }

  status(): Pick<RegionStatus, 'region' | 'players' | 'ticks' | 'tickMsMax' | 'framesSkipped'> {
    return {
      region: this.#name,
      players: this.#space.players,
      ticks: Math.floor(this.#phases / PHASES),
      tickMsMax: this.#tickMs.read(this.#clock.monotonicMs()),
      framesSkipped: this.#framesSkipped,
    };
  }

  #turnAt(atMs: number): void {
    this.#cancelTick = this.#clock.wakeAt(Math.ceil(atMs), () => {
      const startMs = this.#clock.monotonicMs();
      // Every phase has its turn, also after a stall, but none of them twice: the newest is enough.
      const missed = Math.floor((startMs - atMs) / this.#phaseMs);
      const due = Math.min(PHASES, missed + 1);
      for (let turn = 0; turn < due; turn++) this.#space.turn(startMs, (frame) => this.#give(frame));
      this.#phases += due;
      const endMs = this.#clock.monotonicMs();
      this.#tickMs.record(endMs, endMs - startMs);
      // From the planned time, so that lateness does not add up.
      this.#turnAt(atMs + (missed + 1) * this.#phaseMs);
    });
  }

  #give({ bytes, viewers, isWhole }: TickFrame): void {
    for (const player of viewers) {
      const seat = this.#seats.get(player);
      if (seat === undefined) continue;
      const isMeant = seat.slow === 0 || isWhole;
      if (isMeant && seat.viewer.offer(bytes)) {
        if (seat.slow > 0) seat.slow -= 1;
      } else {
        this.#framesSkipped += 1;
        if (isMeant) seat.slow = SLOW_FRAMES;
      }
    }
  }
}
