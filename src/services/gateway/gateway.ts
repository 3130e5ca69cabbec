// The players' door of a region node: every link, who is on it, and what groups want him told.
//
// The WebSocket adapter calls it as its listener, `node.ts` hands in notices. One player has one link
// here: a later log-in or resume takes the place of an earlier one.
// A player's frame can make nothing but his own link fail, whatever is in it.
import { InvariantError, type Outcome } from '../../base/errors.ts';
import { type PlayerId, playerId } from '../../base/id.ts';
import type { Clock, Logger, PlayerLink, PlayerListener } from '../../runtime/ports.ts';
import type { PeerMessage } from '../../wire/peer.ts';
import { formatPush } from '../../wire/player.ts';
import type { GatewayStatus, OutcomeCounts } from '../../wire/status.ts';
import type { Accounts } from './accounts.ts';
import type { GroupCalls } from '../calls/group-calls.ts';
import type { AppointedRegion } from './lost-notices.ts';
import { motionLimits, type PlayerHouse, PlayerSession } from './player-session.ts';
import type { BucketLimits } from './token-bucket.ts';
import type { Presences } from '../space/presences.ts';
import type { RegionCalls } from '../calls/region-calls.ts';

/** WebSocket's own code for an error of the server. */
const INTERNAL_ERROR_CODE = 1011;

export class Gateway implements PlayerListener, PlayerHouse {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly calls: GroupCalls;
  readonly regional: RegionCalls;
  readonly accounts: Accounts;
  readonly presences: Presences;
  readonly motionLimits: BucketLimits;
  readonly #sessions = new Map<PlayerLink, PlayerSession>();
  readonly #players = new Map<PlayerId, PlayerSession>();
  readonly #appointed = new Map<string, AppointedRegion>();
  readonly #outcomes = { done: 0, rejected: 0, unavailable: 0, uncertain: 0 };
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(o: {
    clock: Clock;
    logger: Logger;
    calls: GroupCalls;
    regional: RegionCalls;
    accounts: Accounts;
    presences: Presences;
  }) {
    this.clock = o.clock;
    this.logger = o.logger;
    this.calls = o.calls;
    this.regional = o.regional;
    this.accounts = o.accounts;
    this.presences = o.presences;
    this.motionLimits = motionLimits(o.presences.tickMsMin);
  }

  opened(link: PlayerLink): void {
    this.#sessions.set(link, new PlayerSession(link, this));
  }

  text(link: PlayerLink, text: string): void {
    this.#bytesIn += text.length;
    this.#guarded(link, (session) => session.text(text));
  }

  binary(link: PlayerLink, bytes: Uint8Array): void {
    this.#bytesIn += bytes.length;
    this.#guarded(link, (session) => session.binary(bytes));
  }

  closed(link: PlayerLink): void {
    this.#sessions.get(link)?.ended();
    this.#sessions.delete(link);
  }

  /** Tells a player something, or all who are in a region, if they are connected here and read it. */
  told({ player, region, push, value }: Extract<PeerMessage, { kind: 'notice' }>): void {
    const frame = formatPush(push, value);
    if (player > 0) this.#players.get(playerId(player))?.offer(frame);
    else if (region !== undefined) this.#toldRegion(region, frame);
  }

  /** Tells those whom a promotion cost something that they were told was done. */
  regionAppointed(region: AppointedRegion): void {
    this.#appointed.set(region.name, region);
    for (const session of this.#players.values()) session.regionAppointed(region);
  }

  appointed(region: string): AppointedRegion | undefined {
    return this.#appointed.get(region);
  }

  #toldRegion(region: number, frame: string): void {
    for (const [player, session] of this.#players) {
      if (this.regional.hears(player) === region) session.offer(frame);
    }
  }

  /** Closes every link: the players resume at another node. */
  stop(): void {
    for (const session of this.#sessions.values()) session.close('node-leaving');
  }

  admitted(player: PlayerId, session: PlayerSession): void {
    this.#players.get(player)?.close('replaced');
    this.#players.set(player, session);
  }

  ended(session: PlayerSession): void {
    this.#players.delete(session.player);
    this.presences.leave(session.player);
  }

  counted(outcome: Outcome<unknown>): void {
    this.#outcomes[outcome.kind] += 1;
  }

  sent(bytes: number): void {
    this.#bytesOut += bytes;
  }

  outcomes(): OutcomeCounts {
    return { ...this.#outcomes };
  }

  /** Text counts as one byte per character, which it nearly always is. */
  status(): GatewayStatus {
    return {
      connections: this.#sessions.size,
      players: this.presences.count,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      framesSkipped: this.presences.framesSkipped,
    };
  }

  #guarded(link: PlayerLink, work: (session: PlayerSession) => void): void {
    const session = this.#sessions.get(link);
    if (session === undefined) return;
    try {
      work(session);
    } catch (cause) {
      if (cause instanceof InvariantError) throw cause;
      this.logger.log('error', 'player-frame-broke', { player: session.player, cause });
      session.ended();
      link.close(INTERNAL_ERROR_CODE, 'internal-error: this frame could not be handled');
    }
  }
}
