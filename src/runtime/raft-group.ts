// A replicated group on the embedded Raft: who waits for what, and for which entry.
//
// `turn.ts` owns the groups of a process and moves them; `services` sees only `Group`. The order of a
// turn is there; here is what one group does when its turn comes. Its state is `raft-machine.ts`.
// Invariants: a caller is answered once; `answered` only after the entry is committed, hence durable on a
// majority, and applied.
import { CorruptionError } from '../base/errors.ts';
import type { NodeId } from '../base/id.ts';
import type { Entry, Snapshot } from '../protocols/raft/messages.ts';
import type { Effects } from '../protocols/raft/effects.ts';
import type { RaftNode, RaftStatus } from '../protocols/raft/node.ts';
import type { Reconfigured } from '../protocols/raft/reconfiguration.ts';
import type { Transferred } from '../protocols/raft/transfer.ts';
import type { Notice } from '../protocols/state-machine.ts';
import type { ReadBound } from '../wire/levels.ts';
import type { GroupAnswer } from '../wire/peer.ts';
import type { GroupStatus, MemberStatus } from '../wire/status.ts';
import type { Inspection, OperatedGroup, ReadPlace } from './group.ts';
import type { Tap } from './ports.ts';
import { RaftMachine, type RaftMachineOptions } from './raft-machine.ts';

/** Commands that wait for their commit here; more are refused, since their answers would be late. */
export const PROPOSALS_WAITING_MAX = 65_536;
const RETRY_AFTER_MS = 50;

type Answer = (answer: GroupAnswer) => void;

interface Proposal {
  readonly term: number;
  readonly answer: Answer;
}

export interface RaftGroupOptions extends Omit<RaftMachineOptions, 'wake'> {
  /** Tells the loop that this group has something to do. */
  readonly wake: (group: RaftGroup) => void;
  readonly notify: (notices: readonly Notice[]) => void;
  readonly tap?: Tap | undefined;
}

export class RaftGroup implements OperatedGroup {
  readonly name: string;
  readonly number: number;
  readonly node: RaftNode;
  readonly #options: RaftGroupOptions;
  readonly #state: RaftMachine;
  readonly #proposals: Map<number, Proposal> = new Map();
  readonly #reads: Map<number, { readonly request: Uint8Array; readonly answer: Answer }> = new Map();
  /** Confirmed reads, by the index that must be applied first, in rising order. */
  #confirmed: { readonly ticket: number; readonly index: number }[] = [];
  #nextTicket = 1;
  #readsServed = 0;

  constructor(options: RaftGroupOptions, restored: Snapshot | undefined) {
    this.#options = options;
    this.name = options.name;
    this.number = options.number;
    this.node = options.node;
    const wake = (): void => options.wake(this);
    this.#state = new RaftMachine({ ...options, wake }, restored);
  }

  get applied(): number {
    return this.#state.applied;
  }

  get isLeader(): boolean {
    return this.node.role === 'leader';
  }

  propose(command: Uint8Array, answer: Answer): void {
    if (this.#proposals.size >= PROPOSALS_WAITING_MAX) {
      answer({ kind: 'unavailable', retryAfterMs: RETRY_AFTER_MS });
      return;
    }
    const proposed = this.node.propose(command, this.#options.clock.wallMs());
    if (proposed.kind === 'not-leader') {
      answer(this.#moved());
    } else if (proposed.kind === 'busy') {
      answer({ kind: 'unavailable', retryAfterMs: RETRY_AFTER_MS });
    } else {
      this.#proposals.set(proposed.index, { term: proposed.term, answer });
      this.#options.wake(this);
    }
  }

  query(request: Uint8Array, answer: Answer, at: ReadPlace | ReadBound = 'leader'): void {
    if (!this.isLeader && (at !== 'here' || this.node.leader === undefined)) {
      answer(this.#moved());
      return;
    }
    const ticket = this.#nextTicket++;
    if (!this.node.read(ticket, this.#options.clock.monotonicMs())) {
      answer({ kind: 'unavailable', retryAfterMs: RETRY_AFTER_MS });
      return;
    }
    this.#reads.set(ticket, { request, answer });
    this.#options.wake(this);
  }

  transfer(to: NodeId): Transferred {
    const transferred = this.node.transferTo(to, this.#options.clock.monotonicMs());
    this.#options.wake(this);
    return transferred;
  }

  reconfigure(voters: readonly NodeId[]): Reconfigured {
    const reconfigured = this.node.reconfigure(voters, this.#options.clock.monotonicMs());
    this.#options.wake(this);
    return reconfigured;
  }

  inspect(): Inspection {
    return this.#state.inspect();
  }

  read(request: Uint8Array): Uint8Array {
    return this.#state.query(request);
  }

  /** This group's oldest entries keep old journal segments on disk: sets them free. */
  relieveJournal(): void {
    this.#state.relieveJournal();
  }

  /**
   * Applies, reads and answers what the effects allow. True when more remains to be applied. Throws
   * `CorruptionError` when a majority has another state than this copy.
   */
  settle(effects: Effects): boolean {
    if (effects.divergedAt !== undefined) throw diverged(this.name, effects.divergedAt);
    if (effects.deposed) this.#abandonProposals();
    for (const read of effects.reads) {
      if (read.index === undefined) this.#refuseRead(read.ticket);
      else this.#confirmed.push({ ticket: read.ticket, index: read.index });
    }
    if (effects.install !== undefined) this.#state.install(effects.install);
    const tells = this.isLeader;
    this.#state.apply((entry, notices, reply) => {
      this.#tap(entry, reply);
      if (tells && notices.length > 0) this.#options.notify(notices);
      this.#answer(entry, reply);
    });
    this.#serveReads();
    if (effects.snapshotWanted) this.#state.provide();
    this.#state.checkpointIfDue();
    return this.applied < this.node.commit;
  }

  status(): GroupStatus {
    const raft = this.node.status;
    return {
      group: this.name,
      role: this.#roleShown(raft),
      term: raft.term,
      leader: raft.leader,
      commit: raft.commit,
      applied: this.applied,
      last: raft.last,
      snapshot: raft.snapshot.index,
      stateHash: this.#state.stateHash,
      hashedIndex: this.#state.hashedIndex,
      waiting: this.#proposals.size + this.#reads.size,
      reads: this.#readsServed,
      members: this.#members(raft),
    };
  }

  #moved(): GroupAnswer {
    return { kind: 'moved', leader: this.node.leader, term: this.node.term };
  }

  #roleShown({ role, membership, healUntil }: RaftStatus): GroupStatus['role'] {
    if (healUntil > 0) return 'healing';
    if (membership.learners.includes(this.#options.self)) return 'learner';
    return role === 'pre-candidate' ? 'candidate' : role;
  }

  #members(raft: RaftStatus): MemberStatus[] {
    if (raft.role !== 'leader') return [];
    const self: MemberStatus = {
      node: this.#options.self,
      match: raft.durable,
      lag: raft.last - raft.durable,
      state: 'self',
    };
    const others = raft.members.map(({ node, match, state }) => ({
      node,
      match,
      lag: raft.last - match,
      state,
    }));
    return [self, ...others].sort((a, b) => a.node - b.node);
  }

  #tap({ index, term: epoch, timeMs, data: command }: Entry, reply: Uint8Array | undefined): void {
    const { tap } = this.#options;
    if (tap === undefined) return;
    const applied = reply === undefined ? undefined : { command, reply };
    tap(this.name, { epoch, index, timeMs, applied });
  }

  #answer({ index, term }: Entry, reply: Uint8Array | undefined): void {
    const waiting = this.#proposals.get(index);
    if (waiting === undefined) return;
    this.#proposals.delete(index);
    // Another leader's entry at this index says nothing about what was proposed here.
    const isOurs = waiting.term === term && reply !== undefined;
    waiting.answer(isOurs ? { kind: 'answered', reply } : { kind: 'uncertain' });
  }

  #serveReads(): void {
    while (this.#confirmed.length > 0) {
      const oldest = this.#confirmed[0] as { readonly ticket: number; readonly index: number };
      if (oldest.index > this.applied) return;
      this.#confirmed.shift();
      const read = this.#reads.get(oldest.ticket);
      this.#reads.delete(oldest.ticket);
      if (read === undefined) continue;
      this.#readsServed += 1;
      read.answer({ kind: 'answered', reply: this.#state.query(read.request) });
    }
  }

  #refuseRead(ticket: number): void {
    const read = this.#reads.get(ticket);
    this.#reads.delete(ticket);
    read?.answer(this.#moved());
  }

  /** Leadership ended: what was proposed may still be committed by the next leader. */
  #abandonProposals(): void {
    for (const { answer } of this.#proposals.values()) answer({ kind: 'uncertain' });
    this.#proposals.clear();
  }
}

function diverged(group: string, index: number): CorruptionError {
  return new CorruptionError(
    `group ${group} has become something else here by entry ${index} than on a majority of its ` +
      'members: this copy must not serve; give its node a new identity with `bluemarble replace NODE`',
  );
}
