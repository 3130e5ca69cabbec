// A Raft group in virtual time for tests: real cores, a network and disks that can be told to misbehave.
//
// Every member's disk keeps what was synced; a crash loses the rest. After every step the safety
// invariants of Raft are checked over all members; `raft-rules.ts` has them.
import assert from 'node:assert/strict';
import { type NodeId, nodeId } from '../../src/base/id.ts';
import { Random } from '../../src/base/random.ts';
import { decodeMessage, MessageEncoder } from '../../src/protocols/raft/codec.ts';
import type {
  Entry,
  Envelope,
  HardState,
  LogWrite,
  Message,
  Recovered,
  Snapshot,
  SnapshotMark,
} from '../../src/protocols/raft/messages.ts';
import type { Effects } from '../../src/protocols/raft/effects.ts';
import { RaftNode } from '../../src/protocols/raft/node.ts';
import type { Reconfigured } from '../../src/protocols/raft/reconfiguration.ts';
import { RAFT_DEFAULTS, type RaftOptions } from '../../src/protocols/raft/state.ts';
import { RaftRules } from './raft-rules.ts';

const NO_MEMBERS = { incoming: [], outgoing: [], learners: [], retiring: [] } as const;
const START: SnapshotMark = { index: 0, term: 0, timeMs: 0, membership: NO_MEMBERS, digest: 0 };
const TEXT = new TextEncoder();

export interface Stored {
  hardState: HardState;
  snapshot: Snapshot | undefined;
  entries: Entry[];
  /** Set by a test that damages the log, as recovery would. */
  healUntil?: number;
}

interface Pending {
  readonly write: LogWrite | undefined;
  readonly number: number;
  readonly after: readonly Envelope[];
  readonly dueMs: number;
}

export class Member {
  node: RaftNode;
  readonly id: NodeId;
  stored: Stored = {
    hardState: { term: 0, votedFor: undefined },
    snapshot: undefined,
    entries: [],
  };
  pending: Pending[] = [];
  applied: Entry[] = [];
  appliedIndex = 0;
  readsServed: { readonly ticket: number; readonly index: number | undefined }[] = [];
  alive = true;
  deposed = 0;
  divergedAt: number | undefined;
  /** While true, its disk completes nothing. */
  diskHangs = false;
  /** While true, its process does nothing at all. */
  frozen = false;
  incarnation = 0;
  /** A snapshot that is being taken over. */
  installing: { readonly snapshot: Snapshot; readonly dueMs: number } | undefined;

  constructor(id: NodeId, node: RaftNode) {
    this.id = id;
    this.node = node;
  }
}

export interface ClusterOptions {
  /** The founders, 1 to `size`. */
  readonly size: number;
  /** Members that run from the start and are in no membership yet; their ids follow. */
  readonly spare?: number;
  readonly seed: string | number;
  readonly delayMsMin?: number;
  readonly delayMsMax?: number;
  readonly syncMsMax?: number;
  /** How long a snapshot takes to be installed. */
  readonly installMsMax?: number;
  /** Of 1,000 messages. */
  readonly lost?: number;
  readonly doubled?: number;
  /** Other than the defaults, for all members. */
  readonly raft?: Partial<RaftOptions>;
}

interface InFlight {
  readonly atMs: number;
  readonly order: number;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly bytes: Uint8Array;
}

export class Cluster {
  nowMs = 1_000;
  readonly ids: NodeId[];
  readonly members: Map<NodeId, Member> = new Map();
  /** Refuses a message when it returns true. */
  cut: (from: NodeId, to: NodeId, message: Message) => boolean = () => false;
  lost: number;
  doubled: number;
  /** Messages sent so far, for assertions about who said what. */
  readonly sent: { readonly from: NodeId; readonly to: NodeId; readonly message: Message }[] = [];
  readonly #options: ClusterOptions;
  readonly #random: Random;
  readonly #encoder: MessageEncoder = new MessageEncoder();
  #network: InFlight[] = [];
  #order = 0;
  readonly #rules: RaftRules = new RaftRules(this.members);

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.lost = options.lost ?? 0;
    this.doubled = options.doubled ?? 0;
    this.ids = Array.from({ length: options.size }, (_, i) => nodeId(i + 1));
    const all = Array.from({ length: options.size + (options.spare ?? 0) }, (_, i) => nodeId(i + 1));
    for (const id of all) this.members.set(id, this.#boot(id));
  }

  member(id: NodeId | number): Member {
    const member = this.members.get(nodeId(id));
    assert.ok(member, `member ${id} exists`);
    return member;
  }

  get live(): Member[] {
    return [...this.members.values()].filter((member) => member.alive);
  }

  /** The live leader of the highest term. */
  get leader(): Member | undefined {
    return this.live
      .filter((member) => member.node.role === 'leader')
      .sort((a, b) => b.node.status.term - a.node.status.term)[0];
  }

  run(ms: number): void {
    const untilMs = this.nowMs + ms;
    while (this.step(untilMs));
    this.nowMs = untilMs;
  }

  /** Runs until `condition` holds; fails after `ms`. */
  until(condition: () => boolean, ms: number, what: string): void {
    const untilMs = this.nowMs + ms;
    while (!condition()) {
      if (!this.step(untilMs)) assert.fail(`after ${ms} ms: ${what}\n${this.picture()}`);
    }
  }

  elect(): Member {
    this.until(() => this.leader !== undefined, 5_000, 'a leader is elected');
    return this.leader as Member;
  }

  /** Proposes at `member`; returns the index, or undefined when it was refused. */
  propose(member: Member, text: string): number | undefined {
    const proposed = member.node.propose(TEXT.encode(text), 1_700_000_000_000 + this.nowMs);
    this.#effects(member);
    return proposed.kind === 'appended' ? proposed.index : undefined;
  }

  read(member: Member, ticket: number): boolean {
    const asked = member.node.read(ticket, this.nowMs);
    this.#effects(member);
    return asked;
  }

  /** Loses everything that was not synced; messages on their way stay on their way. */
  crash(member: Member): void {
    member.alive = false;
    member.pending = [];
    // The snapshot was durable before it was the machine's, perhaps already.
    const { installing } = member;
    if (installing !== undefined && this.#random.chance(1, 2)) received(member.stored, installing.snapshot);
    member.installing = undefined;
  }

  /** Ends it; its disk loses the entries after `keep`, and knows how far they had reached. */
  damage(member: Member, keep: number): void {
    this.crash(member);
    const { entries, healUntil = 0 } = member.stored;
    member.stored.healUntil = Math.max(healUntil, entries.at(-1)?.index ?? 0);
    member.stored.entries = entries.filter((entry) => entry.index <= keep);
  }

  restart(member: Member): void {
    member.stored.entries = following(member.stored);
    const fresh = this.#boot(member.id, member.stored);
    member.node = fresh.node;
    member.pending = [];
    member.applied = fresh.applied;
    member.appliedIndex = fresh.appliedIndex;
    member.alive = true;
    member.incarnation += 1;
    this.#effects(member);
  }

  /** Asks `member` to make `voters` the voters. */
  reconfigure(member: Member, voters: readonly number[]): Reconfigured {
    const answer = member.node.reconfigure(voters.map(nodeId), this.nowMs);
    this.#effects(member);
    return answer;
  }

  peerLost(at: Member, node: NodeId): void {
    at.node.peerLost(node, this.nowMs);
    this.#effects(at);
  }

  act(member: Member, action: (node: RaftNode) => void): void {
    action(member.node);
    this.#effects(member);
  }

  /** Hands a message to a member as if it came from `from`. */
  deliver(from: NodeId, member: Member, message: Message): void {
    member.node.receive(from, message, this.nowMs);
    this.#effects(member);
  }

  checkpoint(member: Member, keep: number): void {
    const index = member.appliedIndex;
    const entry = member.applied.at(-1);
    if (entry === undefined || entry.index !== index || member.installing !== undefined) return;
    const membership = member.node.membershipAt(index);
    const { term, timeMs } = entry;
    const mark: SnapshotMark = { index, term, timeMs, membership, digest: 0 };
    const state = TEXT.encode(JSON.stringify(member.applied.map(encodeEntry)));
    member.stored.snapshot = { ...mark, state };
    member.stored.entries = member.stored.entries.filter((stored) => stored.index > index);
    member.node.compact(mark, Math.max(0, index - keep));
  }

  #boot(id: NodeId, stored?: Stored): Member {
    const recovered: Recovered = {
      hardState: stored?.hardState ?? { term: 0, votedFor: undefined },
      snapshot: stored?.snapshot ?? START,
      entries: stored?.entries ?? [],
      healUntil: stored?.healUntil ?? 0,
    };
    const random = this.#random.split(`member ${id} at ${this.nowMs}`);
    const voters = this.ids.includes(id) ? this.ids : [];
    const options = { ...RAFT_DEFAULTS, ...this.#options.raft, self: id, voters, random };
    const member = new Member(id, new RaftNode(options, recovered, this.nowMs));
    if (stored?.snapshot !== undefined) restoreApplied(member, stored.snapshot);
    return member;
  }

  /** Does the next thing that is due before `untilMs`; false when there is none. */
  step(untilMs: number): boolean {
    const message = this.#nextMessage();
    const timer = this.#nextTimer();
    const sync = this.#nextSync();
    const install = this.#nextInstall();
    const next = [message, timer, sync, install].map((due) => due?.atMs ?? Infinity);
    const atMs = Math.min(...next);
    if (atMs > untilMs) return false;
    this.nowMs = Math.max(this.nowMs, atMs);
    if (install !== undefined && install.atMs === atMs) this.#installed(install.member);
    else if (sync !== undefined && sync.atMs === atMs) this.#finishSync(sync.member);
    else if (message !== undefined && message.atMs === atMs) this.#arrive(message);
    else if (timer !== undefined) this.act(timer.member, (node) => node.tick(this.nowMs));
    return true;
  }

  /** One line per member: what a failing test shows. */
  picture(): string {
    return [...this.members.values()]
      .map((member) => {
        const { membership: _, snapshot, ...raft } = member.node.status;
        const shown = { id: member.id, alive: member.alive, applied: member.appliedIndex, ...raft };
        return JSON.stringify({ ...shown, snapshot: snapshot.index });
      })
      .join('\n');
  }

  #nextMessage(): InFlight | undefined {
    let best: InFlight | undefined;
    for (const flying of this.#network) {
      if (best === undefined || flying.atMs < best.atMs) best = flying;
      else if (flying.atMs === best.atMs && flying.order < best.order) best = flying;
    }
    return best;
  }

  #nextTimer(): { readonly atMs: number; readonly member: Member } | undefined {
    const timers = this.live.filter(({ frozen }) => !frozen).map((member) => ({
      atMs: Math.max(this.nowMs, member.node.wakeAtMs),
      member,
    }));
    return timers.sort((a, b) => a.atMs - b.atMs)[0];
  }

  #nextSync(): { readonly atMs: number; readonly member: Member } | undefined {
    const syncs = this.live
      .filter(({ pending, diskHangs, frozen }) => pending.length > 0 && !diskHangs && !frozen)
      .map((member) => ({ atMs: member.pending[0]?.dueMs ?? 0, member }));
    return syncs.sort((a, b) => a.atMs - b.atMs)[0];
  }

  #nextInstall(): { readonly atMs: number; readonly member: Member } | undefined {
    const installs = this.live
      .filter(({ installing, frozen }) => installing !== undefined && !frozen)
      .map((member) => ({ atMs: member.installing?.dueMs ?? 0, member }));
    return installs.sort((a, b) => a.atMs - b.atMs)[0];
  }

  #arrive(flying: InFlight): void {
    this.#network.splice(this.#network.indexOf(flying), 1);
    const member = this.member(flying.to);
    if (!member.alive || member.frozen) return;
    member.node.receive(flying.from, decodeMessage(flying.bytes), this.nowMs);
    this.#effects(member);
  }

  #finishSync(member: Member): void {
    const done = member.pending.shift() as Pending;
    if (done.write !== undefined) store(member.stored, done.write);
    for (const envelope of done.after) this.#post(member, envelope);
    member.node.persisted(done.number, this.nowMs);
    this.#effects(member);
  }

  #effects(member: Member): void {
    const effects = collected(member.node);
    for (const envelope of effects.sendNow) this.#post(member, envelope);
    if (effects.write !== undefined || effects.sendAfterWrite.length > 0) {
      const { write, afterWrite: number, sendAfterWrite: after } = effects;
      const soonest = Math.max(this.nowMs, member.pending.at(-1)?.dueMs ?? 0);
      const syncMs = write === undefined ? 0 : this.#random.integer(0, this.#options.syncMsMax ?? 1);
      member.pending.push({ write, number, after, dueMs: soonest + syncMs });
    }
    if (effects.deposed) member.deposed += 1;
    member.divergedAt ??= effects.divergedAt;
    member.readsServed.push(...effects.reads);
    if (effects.install !== undefined) this.#install(member, effects.install);
    this.#apply(member);
    if (effects.snapshotWanted) this.#provide(member);
    this.#rules.check(member);
  }

  #install(member: Member, snapshot: Snapshot): void {
    const { installMsMax = 0 } = this.#options;
    const tookMs = installMsMax === 0 ? 0 : this.#random.integer(0, installMsMax);
    member.installing = { snapshot, dueMs: this.nowMs + tookMs };
    if (installMsMax === 0) this.#installed(member);
  }

  #installed(member: Member): void {
    const { snapshot } = member.installing ?? assert.fail('a snapshot is being installed');
    member.installing = undefined;
    received(member.stored, snapshot);
    restoreApplied(member, snapshot);
    member.node.installed(this.nowMs);
    this.#effects(member);
  }

  #provide(member: Member): void {
    const last = member.applied.at(-1);
    if (last === undefined) return;
    const membership = member.node.membershipAt(last.index);
    const state = TEXT.encode(JSON.stringify(member.applied.map(encodeEntry)));
    member.node.provideSnapshot({ ...last, membership, digest: 0, state });
    this.#effects(member);
  }

  #apply(member: Member): void {
    if (member.appliedIndex >= member.node.commit) return;
    for (const entry of member.node.committedAfter(member.appliedIndex, 1_000_000)) {
      this.#rules.applies(member, entry);
      member.applied.push(entry);
      member.appliedIndex = entry.index;
    }
  }

  #post(member: Member, envelope: Envelope): void {
    const { to, message } = envelope;
    this.sent.push({ from: member.id, to, message });
    this.#rules.says(member, envelope);
    if (this.cut(member.id, to, message)) return;
    const copies = this.#random.chance(this.doubled, 1000) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#random.chance(this.lost, 1000)) continue;
      const { delayMsMin = 0, delayMsMax = 2 } = this.#options;
      const atMs = this.nowMs + this.#random.integer(delayMsMin, delayMsMax);
      const bytes = this.#encoder.encode(message);
      this.#network.push({ atMs, order: this.#order++, from: member.id, to, bytes });
    }
  }
}

function received(stored: Stored, snapshot: Snapshot): void {
  stored.snapshot = snapshot;
  const { term } = stored.hardState;
  if (term < snapshot.term) stored.hardState = { term: snapshot.term, votedFor: undefined };
}

/** The entries that go on from the snapshot; one that was received may not be noted in the log yet. */
function following({ snapshot, entries }: Stored): Entry[] {
  const { index, term } = snapshot ?? START;
  const isNext = entries[0]?.index === index + 1;
  const isHeld = entries.some((entry) => entry.index === index && entry.term === term);
  return isNext || isHeld ? entries.filter((entry) => entry.index > index) : [];
}

function store(stored: Stored, write: LogWrite): void {
  if (write.hardState !== undefined) {
    assert.ok(write.hardState.term >= stored.hardState.term, 'the stored term never falls');
    stored.hardState = write.hardState;
  }
  if (write.healUntil !== undefined) stored.healUntil = write.healUntil;
  if (write.reset !== undefined) stored.entries = [];
  const first = write.entries[0];
  if (first === undefined) return;
  stored.entries = stored.entries.filter((entry) => entry.index < first.index);
  const base = stored.snapshot?.index ?? 0;
  const end = stored.entries.at(-1)?.index ?? base;
  assert.ok(first.index <= end + 1, 'the disk has no gap');
  stored.entries.push(...write.entries.filter((entry) => entry.index > base));
}

function encodeEntry(entry: Entry): unknown {
  return { ...entry, data: [...entry.data] };
}

function restoreApplied(member: Member, snapshot: Snapshot): void {
  const entries = JSON.parse(new TextDecoder().decode(snapshot.state)) as (Omit<Entry, 'data'> & {
    readonly data: readonly number[];
  })[];
  member.applied = entries.map((entry) => ({ ...entry, data: Uint8Array.from(entry.data) }));
  member.appliedIndex = snapshot.index;
}

function collected(node: RaftNode): Effects {
  const { hasEffects } = node;
  const effects = node.collect();
  assert.ok(hasEffects || isNothing(effects), 'a driver that was told of no effects misses none');
  return effects;
}

function isNothing(effects: Effects): boolean {
  const { write, sendNow, sendAfterWrite, reads, install, elected, divergedAt } = effects;
  const sends = sendNow.length + sendAfterWrite.length + reads.length;
  if (sends > 0 || effects.deposed || effects.snapshotWanted) return false;
  return [write, install, elected, divergedAt].every((effect) => effect === undefined);
}
