// Who is in a region, through which gateway and under which epoch: the region's side of a presence.
//
// `services/space` has one for each region whose primary runs here, and hands in what gateways say. A
// player is let in, moved and let go only under the epoch that his gateway gave him; lower ones are of
// the past, whoever sends them and however late. Two gateways may take the same epoch from their clocks: the
// one that comes here first has it, and the other goes above that. `presence.ts` is the other side and the
// whole idea.
// Invariants:
//  R1 a player is here at most once, under the highest epoch that asked for him;
//  R2 whoever his gateway does not name for `UNNAMED_MS_MAX` is let go, since that gateway died or can not
//     be reached: nobody stays behind for ever;
//  R3 a stay that was ended does not begin again, even if its beginning arrives after its end.
import type { NodeId, PlayerId } from '../../base/id.ts';
import { playerId } from '../../base/id.ts';
import type { Place } from '../../wire/calls.ts';
import { decodeUpdate, encodeCorrection } from '../../wire/motion.ts';
import type { SpaceMessage, StayMark } from '../../wire/space.ts';
import type { Region } from './region.ts';

/** Gateways name their players each second; after so long without that a player is let go. */
export const UNNAMED_MS_MAX = 3_500;
/** How long the end of a stay is remembered: longer than a message between nodes lives. */
const ENDED_MS_MAX = 10_000;

type Told<Kind extends SpaceMessage['kind']> = Extract<SpaceMessage, { kind: Kind }>;
export type SpaceReply = Told<'entered' | 'refused' | 'unknown' | 'walked-out' | 'answer'>;

interface Resident {
  readonly gateway: NodeId;
  readonly epoch: number;
  namedAtMs: number;
}

/** One who stands in a region, as it has him. */
export interface Standing extends StayMark {
  readonly gateway: NodeId;
  readonly place: Place;
}

export class Residents {
  readonly #region: Region;
  readonly #residents = new Map<PlayerId, Resident>();
  /** The epochs of stays that ended, and when; in the order of their ends. */
  readonly #ended = new Map<PlayerId, { readonly epoch: number; readonly atMs: number }>();

  constructor(region: Region) {
    this.#region = region;
  }

  /** Whose frames go through that gateway; `undefined` when he is not here. */
  gatewayOf(player: PlayerId): NodeId | undefined {
    return this.#residents.get(player)?.gateway;
  }

  has(player: PlayerId): boolean {
    return this.#residents.has(player);
  }

  /** Everyone who is here. */
  *standing(): Iterable<Standing> {
    for (const [player, { gateway, epoch }] of this.#residents) {
      const place = this.#region.placeOf(player);
      if (place !== undefined) yield { player, gateway, epoch, place };
    }
  }

  /** Lets the player in, again if he is here under this epoch or a lower one. */
  enter(gateway: NodeId, message: Told<'enter'>, nowMs: number): SpaceReply {
    const player = playerId(message.player);
    const { epoch, place, allowedMm } = message;
    const mark: StayMark = { player, epoch };
    if (epoch < this.#newest(player) || epoch <= this.#lastEnded(player)) return this.#unknown(mark);
    if (this.#isAnothers(gateway, mark)) return this.#unknown(mark);
    if (this.#residents.get(player)?.epoch !== epoch) {
      const decision = this.#region.enter(player, place, nowMs, allowedMm);
      if (decision.kind === 'rejected') return { kind: 'refused', ...mark, reason: decision.reason };
    }
    this.#residents.set(player, { gateway, epoch, namedAtMs: nowMs });
    const { tickMs, sightMetres } = this.#region.described;
    return { kind: 'entered', ...mark, tickMs, sightMetres };
  }

  /** Takes a motion frame; throws `InvalidInputError` for bytes that are none. */
  move(gateway: NodeId, message: Told<'move'>, nowMs: number): SpaceReply | undefined {
    const { epoch, update } = message;
    const player = playerId(message.player);
    const here = this.#residents.get(player);
    if (here?.epoch !== epoch || here.gateway !== gateway) return this.#unknown(message);
    const motion = decodeUpdate(update);
    const verdict = this.#region.move(player, motion, nowMs);
    if (verdict === undefined || verdict.reason === 'stale') return undefined;
    const { reason, back } = verdict;
    if (reason === 'outside-region') return { kind: 'walked-out', player, epoch, back };
    const bytes = encodeCorrection({ sequence: motion.sequence, reason, ...back });
    return { kind: 'answer', player, epoch, bytes };
  }

  /** Ends that stay; one of a higher epoch goes on, and one of the same through another gateway. */
  leave(gateway: NodeId, message: Told<'leave'>, nowMs: number): void {
    const player = playerId(message.player);
    const { epoch } = message;
    if (epoch < this.#newest(player)) return;
    if (this.#isAnothers(gateway, message)) return;
    this.#end(player, epoch, nowMs);
  }

  /** The gateway names its players; answers for those who are not here, or not under that epoch. */
  present(gateway: NodeId, stays: readonly StayMark[], nowMs: number): readonly SpaceReply[] {
    const replies: SpaceReply[] = [];
    for (const stay of stays) {
      const here = this.#residents.get(playerId(stay.player));
      if (here?.epoch === stay.epoch && here.gateway === gateway) here.namedAtMs = nowMs;
      else replies.push(this.#unknown(stay));
    }
    return replies;
  }

  /** Lets go whom no gateway names any more. Called at each tick. */
  expire(nowMs: number): void {
    for (const [player, { epoch, namedAtMs }] of this.#residents) {
      if (nowMs - namedAtMs >= UNNAMED_MS_MAX) this.#end(player, epoch, nowMs);
    }
    for (const [player, { atMs }] of this.#ended) {
      if (nowMs - atMs < ENDED_MS_MAX) return;
      this.#ended.delete(player);
    }
  }

  /** He is here under that very epoch, and through another gateway. */
  #isAnothers(gateway: NodeId, { player, epoch }: StayMark): boolean {
    const here = this.#residents.get(playerId(player));
    return here?.epoch === epoch && here.gateway !== gateway;
  }

  /** His gateway goes on above whatever stands against it here, also when its clock is behind. */
  #unknown({ player: number, epoch }: StayMark): SpaceReply {
    const player = playerId(number);
    const newest = Math.max(this.#newest(player), this.#lastEnded(player));
    return { kind: 'unknown', player, epoch, newest, isHere: this.has(player) };
  }

  /** The highest epoch under which the player is here; 0 when he is not. */
  #newest(player: PlayerId): number {
    return this.#residents.get(player)?.epoch ?? 0;
  }

  /** The highest epoch that has ended lately; 0 for none. */
  #lastEnded(player: PlayerId): number {
    return this.#ended.get(player)?.epoch ?? 0;
  }

  #end(player: PlayerId, epoch: number, nowMs: number): void {
    const highest = Math.max(epoch, this.#lastEnded(player));
    this.#residents.delete(player);
    this.#region.leave(player);
    // Set anew, so that the map stays in the order of the ends.
    this.#ended.delete(player);
    this.#ended.set(player, { epoch: highest, atMs: nowMs });
  }
}
