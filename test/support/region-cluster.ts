// The copies of a region in virtual time for tests: real cores on disks, clocks and a network that can be
// told to misbehave, and a placement that fences, waits out leases and appoints as it should.
//
// Every copy's disk keeps what was synced; a crash loses the rest. Clocks of copies have nothing to do
// with each other, and a restart moves them. After every step the rules of the replication are checked
// over all copies; `region-rules.ts` has them.
import assert from 'node:assert/strict';
import { type NodeId, nodeId } from '../../src/base/id.ts';
import { Random } from '../../src/base/random.ts';
import { decodeMessage, encodeMessage } from '../../src/protocols/primary/codec.ts';
import { type Effects, RegionCopy } from '../../src/protocols/primary/copy.ts';
import type {
  Entry,
  Envelope,
  Mark,
  Message,
  StateTransfer,
} from '../../src/protocols/primary/messages.ts';
import type { Bound } from '../../src/protocols/primary/reads.ts';
import { COPY_DEFAULTS } from '../../src/protocols/primary/state.ts';
import { RegionPlacement } from './region-placement.ts';
import { RegionRules } from './region-rules.ts';

const TEXT = new TextEncoder();
const EMPTY: Mark = { epoch: 0, sequence: 0, timeMs: 0, digest: 0, runs: [] };

export interface Applied {
  readonly epoch: number;
  readonly sequence: number;
  readonly text: string;
}

interface Stored {
  promised: number;
  isBlank: boolean;
  state: StateTransfer | undefined;
  entries: Entry[];
}

interface Pending {
  readonly effects: Effects;
  readonly dueMs: number;
}

export class Member {
  readonly id: NodeId;
  copy: RegionCopy;
  stored: Stored;
  pending: Pending[] = [];
  applied: Applied[] = [];
  isAlive = true;
  /** What its own clock shows at the cluster's time 0. */
  offsetMs: number;
  reads: Map<number, { readonly bound: Bound; readonly askedMs: number }> = new Map();
  /** A state that is being taken over. */
  installing: { readonly state: StateTransfer; readonly dueMs: number } | undefined;

  constructor(id: NodeId, copy: RegionCopy, stored: Stored, offsetMs: number) {
    this.id = id;
    this.copy = copy;
    this.stored = stored;
    this.offsetMs = offsetMs;
  }
}

export interface ClusterOptions {
  readonly size: number;
  readonly seed: string | number;
  readonly delayMsMax: number;
  readonly syncMsMax: number;
  /** How long a state takes to be installed. */
  readonly installMsMax?: number;
  /** Of 1,000 messages. */
  readonly lost: number;
  readonly doubled: number;
}

interface InFlight {
  readonly atMs: number;
  readonly order: number;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly bytes: Uint8Array;
}

export class RegionCluster {
  nowMs = 1_000;
  readonly members: Map<NodeId, Member> = new Map();
  readonly rules: RegionRules;
  cut: (from: NodeId, to: NodeId, message: Message) => boolean = () => false;
  lost: number;
  doubled: number;
  readonly #options: ClusterOptions;
  readonly #random: Random;
  readonly #ids: readonly NodeId[];
  #network: InFlight[] = [];
  #order = 0;
  #life = 0;
  #ticket = 1;
  readonly placement: RegionPlacement;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.lost = options.lost;
    this.doubled = options.doubled;
    this.#ids = Array.from({ length: options.size }, (_, i) => nodeId(i + 1));
    this.placement = new RegionPlacement(this, options.size);
    this.rules = new RegionRules(options.size);
    for (const id of this.#ids) {
      const stored: Stored = { promised: 0, isBlank: true, state: undefined, entries: [] };
      this.members.set(id, this.#boot(id, stored));
    }
  }

  get live(): Member[] {
    return [...this.members.values()].filter(({ isAlive }) => isAlive);
  }

  get serving(): Member | undefined {
    return this.live.find(({ copy }) => copy.status.isServing);
  }

  run(ms: number): void {
    const untilMs = this.nowMs + ms;
    while (this.#step(untilMs));
    this.nowMs = untilMs;
  }

  until(condition: () => boolean, ms: number, what: string): void {
    const untilMs = this.nowMs + ms;
    while (!condition()) {
      if (!this.#step(untilMs)) assert.fail(`after ${ms} ms: ${what}\n${this.picture()}`);
    }
  }

  propose(member: Member, text: string): void {
    const now = { nowMs: this.clockOf(member), wallMs: this.nowMs };
    member.copy.propose(TEXT.encode(text), now);
    this.#effects(member);
  }

  read(member: Member, bound: Bound): void {
    const ticket = this.#ticket++;
    const decided = member.copy.read(ticket, bound, this.clockOf(member));
    member.reads.set(ticket, { bound, askedMs: this.nowMs });
    if (decided !== undefined) this.#served(member, ticket, decided.serves);
    this.#effects(member);
  }

  /** Loses what was not synced, but for some of the oldest writes that happen to have reached the disk. */
  crash(member: Member): void {
    const kept = this.#random.integer(0, member.pending.length);
    for (const { effects } of member.pending.slice(0, kept)) this.#store(member, effects);
    member.pending = [];
    // The state was durable before it was the machine's, perhaps already.
    const { installing } = member;
    if (installing !== undefined && this.#random.chance(1, 2)) received(member.stored, installing.state);
    member.installing = undefined;
    member.isAlive = false;
    member.reads.clear();
  }

  restart(member: Member): void {
    const fresh = this.#boot(member.id, member.stored);
    Object.assign(member, { copy: fresh.copy, applied: fresh.applied, offsetMs: fresh.offsetMs });
    member.isAlive = true;
    this.rules.restarted(member);
    this.#effects(member);
  }

  /** Its disk is replaced by an empty one. */
  wipe(member: Member): void {
    this.crash(member);
    member.stored = { promised: 0, isBlank: true, state: undefined, entries: [] };
    this.rules.wiped(member);
  }

  checkpoint(member: Member, keep: number): void {
    const state = this.#stateOf(member);
    if (state === undefined || member.installing !== undefined) return;
    member.stored.state = state;
    const { sequence } = state.mark;
    member.stored.entries = member.stored.entries.filter((entry) => entry.sequence > sequence);
    member.copy.compact(state.mark, Math.max(0, sequence - keep));
  }

  picture(): string {
    return [...this.members.values()]
      .map(({ id, isAlive, copy, applied }) => {
        const { copies: _, checkpoint, own: __, ...rest } = copy.status;
        return JSON.stringify({ id, isAlive, length: applied.length, mark: checkpoint.sequence, ...rest });
      })
      .join('\n');
  }

  #boot(id: NodeId, stored: Stored): Member {
    const offsetMs = this.#random.integer(0, 1_000_000);
    const mark = stored.state?.mark ?? EMPTY;
    const { promised, isBlank } = stored;
    const isNext = stored.entries[0] === undefined || stored.entries[0].sequence === mark.sequence + 1;
    assert.ok(isNext, 'the disk has no gap');
    const options = { ...COPY_DEFAULTS, self: id, copies: this.#ids, life: ++this.#life };
    const copy = new RegionCopy(
      options,
      { promised, isBlank, mark, entries: stored.entries },
      { nowMs: this.nowMs + offsetMs, wallMs: this.nowMs },
    );
    const member = new Member(id, copy, stored, offsetMs);
    if (stored.state !== undefined) member.applied = appliedIn(stored.state);
    return member;
  }

  #step(untilMs: number): boolean {
    const due: { readonly atMs: number; readonly act: () => void }[] = [];
    const flying = this.#network.reduce<InFlight | undefined>(
      (first, next) =>
        first === undefined ||
        next.atMs < first.atMs ||
        (next.atMs === first.atMs && next.order < first.order)
          ? next
          : first,
      undefined,
    );
    if (flying !== undefined) due.push({ atMs: flying.atMs, act: () => this.#arrive(flying) });
    for (const member of this.live) {
      const sync = member.pending[0];
      if (sync !== undefined) due.push({ atMs: sync.dueMs, act: () => this.#finishSync(member) });
      const { installing } = member;
      if (installing !== undefined) {
        due.push({ atMs: installing.dueMs, act: () => this.#installed(member, installing.state) });
      }
      const wakeMs = Math.max(this.nowMs, member.copy.wakeAtMs - member.offsetMs);
      due.push({ atMs: wakeMs, act: () => this.#tick(member) });
    }
    due.push({ atMs: this.placement.dueMs, act: () => this.placement.look() });
    const next = due.reduce((first, other) => (other.atMs < first.atMs ? other : first));
    if (next.atMs > untilMs) return false;
    this.nowMs = Math.max(this.nowMs, next.atMs);
    next.act();
    return true;
  }

  #tick(member: Member): void {
    member.copy.tick(this.clockOf(member));
    this.#effects(member);
  }

  #arrive(flying: InFlight): void {
    this.#network.splice(this.#network.indexOf(flying), 1);
    const member = this.#member(flying.to);
    if (!member.isAlive) return;
    const now = { nowMs: this.clockOf(member), wallMs: this.nowMs };
    member.copy.receive(flying.from, decodeMessage(flying.bytes), now);
    this.#effects(member);
  }

  #finishSync(member: Member): void {
    const { effects } = member.pending.shift() as Pending;
    this.#store(member, effects);
    for (const envelope of effects.sendAfterWrite) this.#post(member, envelope);
    for (const { promised } of effects.promises) {
      assert.ok(promised.epoch <= member.stored.promised, 'a promise is on the disk when it is told');
      this.placement.promised(member.id, promised);
    }
    if (effects.write !== undefined) {
      member.copy.persisted(effects.afterWrite, this.clockOf(member));
    }
    this.#effects(member);
  }

  #store(member: Member, { write }: Effects): void {
    if (write === undefined) return;
    this.rules.stored(write);
    const { stored } = member;
    if (write.promised !== undefined) {
      assert.ok(write.promised >= stored.promised, 'a stored promise never falls');
      stored.promised = write.promised;
    }
    if (write.isBlank !== undefined) stored.isBlank = write.isBlank;
    if (write.reset !== undefined) stored.entries = [];
    const first = write.entries[0];
    if (first === undefined) return;
    const base = stored.state?.mark.sequence ?? 0;
    stored.entries = stored.entries.filter((entry) => entry.sequence < first.sequence);
    assert.ok(first.sequence <= (stored.entries.at(-1)?.sequence ?? base) + 1, 'the disk has no gap');
    stored.entries.push(...write.entries.filter((entry) => entry.sequence > base));
  }

  /** Does what a step of this copy has decided. */
  act(member: Member): void {
    this.#effects(member);
  }

  #effects(member: Member): void {
    const effects = member.copy.collect();
    for (const lost of effects.lost) this.rules.lost(member, lost);
    for (const envelope of effects.sendNow) this.#post(member, envelope);
    const { write, sendAfterWrite, promises } = effects;
    if (write !== undefined || sendAfterWrite.length > 0 || promises.length > 0) {
      if (write !== undefined) this.rules.wrote(member, write);
      const soonest = Math.max(this.nowMs, member.pending.at(-1)?.dueMs ?? 0);
      const syncMs = write === undefined ? 0 : this.#random.integer(0, this.#options.syncMsMax);
      member.pending.push({ effects, dueMs: soonest + syncMs });
    }
    for (const { ticket, serves } of effects.reads) this.#served(member, ticket, serves);
    if (effects.install !== undefined) this.#install(member, effects.install);
    this.#apply(member);
    if (effects.stateWanted) this.#provide(member);
    this.rules.check(member, this.nowMs);
  }

  #install(member: Member, state: StateTransfer): void {
    const { installMsMax = 0 } = this.#options;
    const dueMs = this.nowMs + (installMsMax === 0 ? 0 : this.#random.integer(0, installMsMax));
    member.installing = { state, dueMs };
    if (installMsMax === 0) this.#installed(member, state);
  }

  #installed(member: Member, state: StateTransfer): void {
    member.installing = undefined;
    received(member.stored, state);
    member.applied = appliedIn(state);
    member.copy.installed(this.clockOf(member));
    this.#effects(member);
  }

  #provide(member: Member): void {
    const state = this.#stateOf(member);
    if (state === undefined) return;
    member.copy.provideState(state);
    this.#effects(member);
  }

  #stateOf(member: Member): StateTransfer | undefined {
    const last = member.applied.at(-1);
    if (last === undefined) return undefined;
    const { epoch, sequence } = last;
    const timeMs = member.copy.entryAt(sequence)?.timeMs ?? member.copy.status.checkpoint.timeMs;
    const mark = { epoch, sequence, timeMs, digest: 0, runs: member.copy.runsUpTo(sequence) };
    const bytes = TEXT.encode(JSON.stringify(member.applied));
    const half = Math.floor(bytes.length / 2);
    return { mark, parts: [bytes.subarray(0, half), bytes.subarray(half)] };
  }

  #apply(member: Member): void {
    const entries = member.copy.applicableAfter(member.applied.length, 1_000_000);
    for (const { epoch, sequence, data } of entries) {
      assert.equal(sequence, member.applied.length + 1, 'applied in order');
      member.applied.push({ epoch, sequence, text: new TextDecoder().decode(data) });
    }
    if (entries.length === 0) return;
    member.copy.noteApplied(member.applied.length);
    this.#effects(member);
  }

  #served(member: Member, ticket: number, serves: boolean): void {
    const read = member.reads.get(ticket);
    member.reads.delete(ticket);
    if (read !== undefined && serves) this.rules.served(member, read.bound, read.askedMs);
  }

  #post(member: Member, { to, message }: Envelope): void {
    if (this.cut(member.id, to, message)) return;
    const copies = this.#random.chance(this.doubled, 1000) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#random.chance(this.lost, 1000)) continue;
      const atMs = this.nowMs + this.#random.integer(0, this.#options.delayMsMax);
      const bytes = encodeMessage(message);
      this.#network.push({ atMs, order: this.#order++, from: member.id, to, bytes });
    }
  }

  clockOf(member: Member): number {
    return this.nowMs + member.offsetMs;
  }

  #member(id: NodeId): Member {
    const member = this.members.get(id);
    assert.ok(member);
    return member;
  }
}

function received(stored: Stored, state: StateTransfer): void {
  stored.state = state;
  stored.entries = [];
  stored.promised = Math.max(stored.promised, state.mark.epoch);
}

function appliedIn({ parts }: StateTransfer): Applied[] {
  const text = parts.map((part) => new TextDecoder().decode(part)).join('');
  return JSON.parse(text) as Applied[];
}
