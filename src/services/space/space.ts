// The space of one region at work, on the node that is the region's primary: who stands where, the ten
// ticks a second, and the frames for whoever looks, through whichever gateway.
//
// `region-node` has one for each region with a copy here, starts it when this node becomes primary and
// stops it when another one does. Gateways speak to it in space messages, the one of this very node as
// well. Nothing here is durable: a new primary begins with nobody, and the gateways bring theirs
// (promise `ephemeral`). A tick is turned in phases, so that no burst of sending holds up the calls and
// the peers of the node; what one phase shows goes to each gateway in one message.
import { InvalidInputError } from '../../base/errors.ts';
import type { NodeId, PlayerId } from '../../base/id.ts';
import type { Clock, Logger } from '../../runtime/ports.ts';
import type { Place } from '../../wire/calls.ts';
import { FRAMES_MAX, type SharedFrame, type SpaceMessage } from '../../wire/space.ts';
import { PHASES, Region, type TickFrame } from '../../world/space/region.ts';
import { Residents } from '../../world/space/residents.ts';
import { RecentMax } from '../../base/recent-max.ts';
import type { RegionPlan } from '../topology/topology.ts';

export interface SpaceOptions {
  readonly plan: RegionPlan;
  /** The other regions of the world: some of them look over the edge. */
  readonly others: readonly RegionPlan[];
  readonly clock: Clock;
  readonly logger: Logger;
  isLand(place: Place): boolean;
  /** Carries a message to a gateway; it may be lost. */
  toGateway(gateway: NodeId, message: SpaceMessage): void;
  /** Carries ghosts to the primary of another region; they may be lost. */
  toRegion(region: number, message: SpaceMessage): void;
}

export class Space {
  readonly #options: SpaceOptions;
  readonly #tickMs = new RecentMax();
  #region: Region;
  #residents: Residents;
  #phases = 0;
  #cancelTurn: (() => void) | undefined;

  constructor(options: SpaceOptions) {
    this.#options = options;
    this.#region = this.#newRegion();
    this.#residents = new Residents(this.#region);
  }

  get isOpen(): boolean {
    return this.#cancelTurn !== undefined;
  }

  /** Who is here, anew with each opening; `undefined` while closed. */
  get residents(): Residents | undefined {
    return this.isOpen ? this.#residents : undefined;
  }

  /** Opens with nobody in it. */
  open(): void {
    if (this.isOpen) return;
    this.#region = this.#newRegion();
    this.#residents = new Residents(this.#region);
    this.#turnAt(this.#nowMs + this.#phaseMs);
  }

  /** Another node has the region now: whoever was here is entered there. */
  close(): void {
    this.#cancelTurn?.();
    this.#cancelTurn = undefined;
    this.#region = this.#newRegion();
    this.#residents = new Residents(this.#region);
  }

  /** What a gateway, or a neighbouring region's primary, says. While closed nobody is known here. */
  received(from: NodeId, message: SpaceMessage): void {
    if (!this.isOpen) return;
    try {
      this.#receive(from, message);
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      this.#options.logger.log('warn', 'unreadable-motion', { from, cause: cause.message });
    }
  }

  status(): { readonly players: number; readonly ticks: number; readonly tickMsMax: number } {
    return {
      players: this.#region.players,
      ticks: Math.floor(this.#phases / PHASES),
      tickMsMax: this.#tickMs.read(this.#nowMs),
    };
  }

  #receive(from: NodeId, message: SpaceMessage): void {
    const residents = this.#residents;
    const nowMs = this.#nowMs;
    const { toGateway } = this.#options;
    switch (message.kind) {
      case 'enter':
        return toGateway(from, residents.enter(from, message, nowMs));
      case 'move': {
        const reply = residents.move(from, message, nowMs);
        return reply === undefined ? undefined : toGateway(from, reply);
      }
      case 'leave':
        return residents.leave(from, message, nowMs);
      case 'present':
        for (const reply of residents.present(from, message.stays, nowMs)) toGateway(from, reply);
        return;
      case 'ghosts':
        return this.#region.ghosts(message, nowMs);
      default:
        return;
    }
  }

  #turnAt(atMs: number): void {
    this.#cancelTurn = this.#options.clock.wakeAt(Math.ceil(atMs), () => {
      const startMs = this.#nowMs;
      // Every phase has its turn, also after a stall, but none of them twice: the newest is enough.
      const missed = Math.floor((startMs - atMs) / this.#phaseMs);
      const due = Math.min(PHASES, missed + 1);
      const frames: TickFrame[] = [];
      if ((this.#phases % PHASES) + due >= PHASES) this.#residents.expire(startMs);
      for (let turn = 0; turn < due; turn++) this.#region.turn(startMs, (frame) => frames.push(frame));
      this.#show(frames);
      this.#showGhosts();
      this.#phases += due;
      const endMs = this.#nowMs;
      this.#tickMs.record(endMs, endMs - startMs);
      // From the planned time, so that lateness does not add up.
      this.#turnAt(atMs + (missed + 1) * this.#phaseMs);
    });
  }

  #show(frames: readonly TickFrame[]): void {
    const byGateway = new Map<NodeId, SharedFrame[]>();
    for (const { bytes, viewers, isWhole } of frames) {
      for (const [gateway, players] of this.#byGateway(viewers)) {
        const shared = byGateway.get(gateway);
        const frame = { bytes, players, isWhole };
        if (shared === undefined) byGateway.set(gateway, [frame]);
        else if (shared.length < FRAMES_MAX) shared.push(frame);
      }
    }
    for (const [gateway, shared] of byGateway) {
      this.#options.toGateway(gateway, { kind: 'frames', frames: shared });
    }
  }

  #showGhosts(): void {
    const { plan, toRegion } = this.#options;
    for (const { to, bytes } of this.#region.takeGhosts()) {
      toRegion(to, { kind: 'ghosts', from: plan.number, bytes });
    }
  }

  #byGateway(viewers: readonly PlayerId[]): ReadonlyMap<NodeId, PlayerId[]> {
    const parts = new Map<NodeId, PlayerId[]>();
    for (const player of viewers) {
      const gateway = this.#residents.gatewayOf(player);
      if (gateway === undefined) continue;
      const players = parts.get(gateway);
      if (players === undefined) parts.set(gateway, [player]);
      else players.push(player);
    }
    return parts;
  }

  #newRegion(): Region {
    const { plan, others, isLand } = this.#options;
    return new Region({ ...plan, others, isLand });
  }

  get #phaseMs(): number {
    return this.#region.described.tickMs / PHASES;
  }

  get #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}
