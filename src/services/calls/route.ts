// The way from a gateway to the groups: finds the leader, asks, asks again, and never lies about it.
//
// Gateways call `ask`; `region-node.ts` hands in what other nodes said and which links broke. An ask is
// repeated with the same bytes under the same number: commands are applied once however often they
// arrive, so a second attempt is always safe and the first `answered`, of whichever attempt, wins.
//
// Who was elected says so: what waits at another member is then asked there at once, and a leader that
// hangs costs no patience of ours. Terms tell old news from new.
//
// A leader is waited for as long as his answers take by what was measured (`answer-time.ts`), and while his
// link speaks: one who is far is not mistaken for one who hangs, nor the other way round. What he answers
// after that counts as well.
//
// Where any member of a group answers queries, they go to the members in turn, and an answer does not tell
// who leads.
//
// Whom a majority of the witnesses doubts is passed over while another member can serve: where nobody is
// known to lead, and for queries that any copy of a region may answer. His role he keeps.
//
// Invariant: `unavailable` is told only when every attempt that was handed to a link was refused by
// its receiver. One that was never answered may have happened, and the end is then `uncertain`.
import { invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import type { Clock, Peers } from '../../runtime/ports.ts';
import type { AckLevel, ReadBound } from '../../wire/levels.ts';
import { encodePeerMessage, type GroupAnswer, type PeerMessage } from '../../wire/peer.ts';
import { AnswerTime, PATIENCE_MS_MAX, PATIENCE_MS_MIN } from './answer-time.ts';
import type { Outbox } from './outbox.ts';
import type { GroupPlan } from '../topology/topology.ts';

/** How long a player's call may take before it ends without a decision. */
export const ASK_DEADLINE_MS = 3_000;
/** Beyond it new asks are refused: 20,000 are more than a second's work of the groups. */
const OPEN_ASKS_MAX = 20_000;
/** How often the link is looked at over which an answer is awaited: it falls silent before it breaks. */
const LOOK_MS = 50;
/**
 * How long a member that let an attempt time out is left out, if others are there. Not for ever: it
 * speaks only when asked, and may lead again.
 */
const SILENT_MS = 1_000;
/** Pause when no leader is known, so that an election is not disturbed by the question who won it. */
const NO_LEADER_PAUSE_MS = 20;
/** Hints followed without a pause: two members that point at each other must not make a storm. */
const HOPS_MAX = 4;
/**
 * So long an ask is carried from member to member that know of no leader; an election takes less. Then
 * nobody leads here, and who asks is better told than kept waiting.
 */
const LEADERLESS_MS_MAX = 400;
/** A group that says `unavailable` so often means it; then the caller decides. */
const REFUSALS_MAX = 3;
const SWEEP_MS = 10;
const BUSY_RETRY_MS = 100;

/** A final answer: where the leader is concerns nobody behind the route. */
export type RouteAnswer = Exclude<GroupAnswer, { kind: 'moved' }>;

export interface Ask {
  readonly group: number;
  readonly mode: 'command' | 'query';
  /** A `CommandEnvelope` or `QueryEnvelope` in bytes. */
  readonly body: Uint8Array;
  /** Of a command to a region. */
  readonly level?: AckLevel | undefined;
  /** Of a query to a region. */
  readonly bound?: ReadBound | undefined;
  /** A copy that may well serve it, and is asked first. */
  readonly prefer?: NodeId | undefined;
  /** After so long the ask ends as `uncertain`, or as `unavailable` when surely nothing happened. */
  readonly deadlineMs: number;
  /** Called exactly once, never before `ask` returned unless the route is full. */
  answer(answer: RouteAnswer): void;
}

interface OpenAsk {
  readonly ask: Ask;
  readonly home: Home;
  readonly number: number;
  readonly frame: Uint8Array;
  readonly endsAtMs: number;
  /** Whom the next attempt goes to, if he can be asked: only the first one has a preference. */
  prefer: NodeId | undefined;
  /** Whom the last attempt went to; `undefined` while it waits to be sent again. */
  target: NodeId | undefined;
  /** When the last attempt was made. */
  sentAtMs: number;
  /** The last attempt that was given up: its answer may still come, and tells how long it took. */
  overdue: { readonly node: NodeId; readonly sentAtMs: number } | undefined;
  /** When the next attempt is due, or a look at whether the last one is still to be waited for. */
  againAtMs: number;
  /** A copy has said that it can not serve this, so that only the primary is left. */
  needsPrimary: boolean;
  /** Attempts of a command handed to a link and not refused by their receiver. */
  unsettled: number;
  /** Since when every member that was asked has refused, or could not be asked. */
  leaderlessSinceMs: number;
  hops: number;
  refusals: number;
}

/** What is known about the whereabouts of a group's leader. */
interface Home {
  readonly members: readonly NodeId[];
  /** Any member answers queries. */
  readonly isReadAnywhere: boolean;
  /** The last one believed; whether it can be asked at this moment is another question. */
  leader: NodeId | undefined;
  /** The newest term that was heard of; the leader is of this term or unknown. */
  term: number;
  /** A member that let an attempt time out: left out until it speaks, or for a moment. */
  silent:
    | { readonly node: NodeId; readonly untilMs: number; readonly patienceMs: number }
    | undefined;
  readonly times: Map<NodeId, AnswerTime>;
  /** The next member to try while no leader is known. */
  turn: number;
}

export class Route {
  readonly #clock: Clock;
  readonly #peers: Peers;
  readonly #outbox: Outbox;
  readonly #isDoubted: (node: NodeId) => boolean;
  readonly #homes = new Map<number, Home>();
  readonly #open = new Map<number, OpenAsk>();
  #nextNumber: number;
  #sweeping = false;

  constructor(o: {
    clock: Clock;
    peers: Peers;
    outbox: Outbox;
    groups: readonly GroupPlan[];
    /** Whether a majority of the witnesses doubts the node, as far as is known here. */
    isDoubted?: ((node: NodeId) => boolean) | undefined;
    /**
     * Drawn at random from a wide range: an answer meant for this node before it restarted must not
     * fit an ask of today.
     */
    firstNumber: number;
  }) {
    this.#clock = o.clock;
    this.#peers = o.peers;
    this.#outbox = o.outbox;
    this.#isDoubted = o.isDoubted ?? (() => false);
    this.#nextNumber = o.firstNumber;
    for (const { number, members, reads } of o.groups) {
      const isReadAnywhere = reads === 'any';
      const unknown = { leader: undefined, term: 0, silent: undefined, turn: 0 };
      this.#homes.set(number, { members, isReadAnywhere, times: new Map(), ...unknown });
    }
  }

  ask(ask: Ask): void {
    const home = this.#homes.get(ask.group);
    invariant(home !== undefined, `group ${ask.group} is in the topology`);
    if (this.#open.size >= OPEN_ASKS_MAX) {
      ask.answer({ kind: 'unavailable', retryAfterMs: BUSY_RETRY_MS });
      return;
    }
    const number = this.#nextNumber++;
    const nowMs = this.#clock.monotonicMs();
    const open: OpenAsk = {
      ask,
      home,
      number,
      frame: frameOf(ask, number),
      endsAtMs: nowMs + ask.deadlineMs,
      prefer: ask.prefer ?? (isSpread(ask, home) ? this.#nextMember(home) : undefined),
      target: undefined,
      sentAtMs: nowMs,
      overdue: undefined,
      againAtMs: nowMs,
      needsPrimary: !isForAny(ask, home),
      unsettled: 0,
      leaderlessSinceMs: nowMs,
      hops: 0,
      refusals: 0,
    };
    this.#open.set(number, open);
    this.#attempt(open, nowMs);
    this.#sweepSoon();
  }

  /** Takes in what a node answered; answers to asks that have ended are ignored. */
  answered(from: NodeId, message: Extract<PeerMessage, { kind: 'answer' }>): void {
    this.#spoke(from);
    const open = this.#open.get(message.number);
    if (open === undefined) return;
    const { home } = open;
    const { answer } = message;
    if (answer.kind === 'answered') this.#measure(open, from);
    else if (open.overdue?.node === from) open.overdue = undefined;
    switch (answer.kind) {
      case 'answered':
        // What an old leader decided long ago may arrive after its successor was heard.
        if (open.target === from && !isForAny(open.ask, home)) home.leader = from;
        this.#end(open, answer);
        return;
      case 'moved':
        this.#refused(open);
        open.needsPrimary = true;
        this.#moved(open, from, answer);
        return;
      case 'unavailable':
        this.#refused(open);
        open.refusals += 1;
        if (open.refusals >= REFUSALS_MAX && open.unsettled === 0) this.#end(open, answer);
        else this.#pause(open, from, Math.max(answer.retryAfterMs, NO_LEADER_PAUSE_MS));
        return;
      case 'uncertain':
        this.#pause(open, from, NO_LEADER_PAUSE_MS);
    }
  }

  /** A member was elected: what waits elsewhere is asked there at once. */
  led(from: NodeId, { group, term }: Extract<PeerMessage, { kind: 'leads' }>): void {
    this.#spoke(from);
    const home = this.#homes.get(group);
    if (home !== undefined && term >= home.term) this.#follow(home, from, term);
  }

  /** A copy was appointed primary of a region, by the word of whoever appoints: the same as an election. */
  appointed(region: number, primary: NodeId, epoch: number): void {
    const home = this.#homes.get(region);
    if (home !== undefined && epoch > home.term) this.#follow(home, primary, epoch);
  }

  /** A link broke: what was under way there is asked elsewhere at once. */
  lost(node: NodeId): void {
    const nowMs = this.#clock.monotonicMs();
    for (const open of this.#open.values()) {
      if (open.target === node) this.#attempt(open, nowMs);
    }
  }

  /** Of two attempts at one member the first is taken to be the one that was answered. */
  #measure({ home, target, sentAtMs, overdue }: OpenAsk, from: NodeId): void {
    const isLate = overdue?.node === from;
    if (!isLate && target !== from) return;
    timeOf(home, from).answeredAfter(
      this.#clock.monotonicMs() - (isLate ? overdue.sentAtMs : sentAtMs),
    );
  }

  /** An attempt of this ask certainly did not happen. */
  #refused(open: OpenAsk): void {
    if (open.ask.mode === 'command') open.unsettled -= 1;
  }

  /** Follows the hint of a member that does not lead, unless a later term was heard of. */
  #moved(open: OpenAsk, from: NodeId, moved: Extract<GroupAnswer, { kind: 'moved' }>): void {
    const { home } = open;
    const { leader, term } = moved;
    const isDeposed = term > home.term && leader !== home.leader;
    if (isDeposed || (term === home.term && home.leader === from)) home.leader = undefined;
    if (term >= home.term && leader !== undefined && leader !== from) {
      this.#hint(open, leader, term);
    }
    home.term = Math.max(home.term, term);
    // An older attempt's answer teaches where the leader is, but another attempt is under way.
    if (open.target !== from) return;
    open.hops += 1;
    const next = home.leader;
    const usable = next !== undefined && next !== from && this.#usable(home, next);
    if (usable && open.hops <= HOPS_MAX) this.#attempt(open, this.#clock.monotonicMs());
    else this.#pause(open, from, NO_LEADER_PAUSE_MS);
  }

  #hint(open: OpenAsk, leader: NodeId, term: number): void {
    const { home } = open;
    // Others hear him: he may be slower than we thought, unless he had all the time that there is.
    const { silent } = home;
    if (silent?.node === leader && silent.patienceMs < PATIENCE_MS_MAX) home.silent = undefined;
    if (!this.#usable(home, leader)) return;
    if (term <= home.term || leader === home.leader) {
      // Known before: members that point at each other, or at one who hangs, must neither make a storm
      // nor keep anybody waiting.
      home.leader = leader;
      return;
    }
    open.leaderlessSinceMs = this.#clock.monotonicMs();
    this.#follow(home, leader, term);
  }

  #follow(home: Home, leader: NodeId, term: number): void {
    home.leader = leader;
    home.term = term;
    const nowMs = this.#clock.monotonicMs();
    for (const open of this.#open.values()) {
      if (open.home !== home || open.target === leader) continue;
      open.hops = 0;
      this.#attempt(open, nowMs);
    }
  }

  #spoke(from: NodeId): void {
    for (const home of this.#homes.values()) {
      if (home.silent?.node === from) home.silent = undefined;
    }
  }

  #pause(open: OpenAsk, from: NodeId, pauseMs: number): void {
    if (open.target !== from) return;
    open.target = undefined;
    open.againAtMs = this.#clock.monotonicMs() + pauseMs;
  }

  #attempt(open: OpenAsk, nowMs: number): void {
    const target = this.#preferred(open) ?? this.#choose(open);
    if (target !== undefined && this.#outbox.send(target, open.frame)) {
      // A query that was lost has changed nothing: it counts as one that never left.
      if (open.ask.mode === 'command') open.unsettled += 1;
      open.target = target;
      open.sentAtMs = nowMs;
      open.againAtMs = nowMs + LOOK_MS;
    } else {
      open.target = undefined;
      open.againAtMs = nowMs + NO_LEADER_PAUSE_MS;
    }
  }

  #preferred(open: OpenAsk): NodeId | undefined {
    const { home, prefer } = open;
    open.prefer = undefined;
    return prefer !== undefined && this.#usable(home, prefer) ? prefer : undefined;
  }

  /**
   * The believed leader, else the members in turn; a doubted one only where no other can serve, and a
   * silent one only when nobody else is linked.
   */
  #choose({ home, needsPrimary }: OpenAsk): NodeId | undefined {
    const { leader, silent } = home;
    const led = leader !== undefined && this.#usable(home, leader) ? leader : undefined;
    if (led !== undefined && (needsPrimary || !this.#isDoubted(led))) return led;
    const next = this.#nextMember(home);
    if (next !== undefined) return this.#isDoubted(next) ? (led ?? next) : next;
    return silent !== undefined && this.#peers.connected(silent.node) ? silent.node : undefined;
  }

  /** In turn; one that is doubted only where there is no other. */
  #nextMember(home: Home): NodeId | undefined {
    const { members } = home;
    let doubted: NodeId | undefined;
    for (let tried = 0; tried < members.length; tried++) {
      const member = members[home.turn++ % members.length];
      if (member === undefined || !this.#usable(home, member)) continue;
      if (!this.#isDoubted(member)) return member;
      doubted ??= member;
    }
    return doubted;
  }

  #usable(home: Home, member: NodeId): boolean {
    const { silent } = home;
    const isSilent = silent?.node === member && this.#clock.monotonicMs() < silent.untilMs;
    return !isSilent && this.#peers.connected(member);
  }

  #end(open: OpenAsk, answer: RouteAnswer): void {
    this.#open.delete(open.number);
    open.ask.answer(answer);
  }

  /** One timer for all asks, and none while nothing is open. */
  #sweepSoon(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#clock.wakeAt(this.#clock.monotonicMs() + SWEEP_MS, () => {
      this.#sweeping = false;
      this.#sweep(this.#clock.monotonicMs());
      if (this.#open.size > 0) this.#sweepSoon();
    });
  }

  #sweep(nowMs: number): void {
    for (const open of this.#open.values()) {
      if (nowMs >= open.endsAtMs || isHopeless(open, nowMs)) this.#expire(open);
      else if (nowMs >= open.againAtMs) this.#again(open, nowMs);
    }
  }

  #expire(open: OpenAsk): void {
    const surelyNothing = open.unsettled === 0;
    this.#end(
      open,
      surelyNothing ? { kind: 'unavailable', retryAfterMs: BUSY_RETRY_MS } : { kind: 'uncertain' },
    );
  }

  #again(open: OpenAsk, nowMs: number): void {
    const { home, target, sentAtMs } = open;
    if (target !== undefined) {
      const patienceMs = patienceWith(home, target);
      const leftMs = sentAtMs + patienceMs - nowMs;
      const isLinked = this.#peers.connected(target);
      if (isLinked && leftMs > 0) {
        open.againAtMs = nowMs + Math.min(leftMs, LOOK_MS);
        return;
      }
      if (isLinked && target === home.leader) timeOf(home, target).ranOut();
      if (open.overdue?.node !== target) open.overdue = { node: target, sentAtMs };
      home.silent = { node: target, untilMs: nowMs + SILENT_MS, patienceMs };
    }
    open.hops = 0;
    this.#attempt(open, nowMs);
  }
}

function timeOf(home: Home, member: NodeId): AnswerTime {
  let time = home.times.get(member);
  if (time === undefined) {
    time = new AnswerTime(patienceWith(home, member));
    home.times.set(member, time);
  }
  return time;
}

/** Who was never measured gets all the time if he leads, and little where he is only asked in turn. */
function patienceWith({ times, leader }: Home, member: NodeId): number {
  const unknownMs = member === leader ? PATIENCE_MS_MAX : PATIENCE_MS_MIN;
  return times.get(member)?.patienceMs ?? unknownMs;
}

/** A query of a group whose members answer all of them. */
function isSpread({ mode }: Ask, { isReadAnywhere }: Home): boolean {
  return mode === 'query' && isReadAnywhere;
}

/** Also of a region's copies one that is new enough: who answers says nothing by it of who leads. */
function isForAny(ask: Ask, home: Home): boolean {
  const { mode, bound } = ask;
  const isBounded = mode === 'query' && bound !== undefined && bound.kind !== 'primary';
  return isBounded || isSpread(ask, home);
}

/** Nothing is under way, nothing may have happened, and nobody has led for long enough. */
function isHopeless({ target, unsettled, leaderlessSinceMs }: OpenAsk, nowMs: number): boolean {
  return target === undefined && unsettled === 0 && nowMs - leaderlessSinceMs >= LEADERLESS_MS_MAX;
}

function frameOf({ group, mode, body, level, bound }: Ask, number: number): Uint8Array {
  return encodePeerMessage({
    kind: 'ask',
    number,
    group,
    mode,
    body,
    ...(level === undefined ? {} : { level }),
    ...(bound === undefined ? {} : { bound }),
  });
}
