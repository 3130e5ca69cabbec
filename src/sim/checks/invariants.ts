// The safety of every group, looked at after every step of every process.
//
// `cluster.ts` reports what disks, links and machines do; nothing here is asked of the code under test
// but its public state. All checks are incremental: a step costs what it changed.
// Source: Ongaro's thesis, figure 3.2; the invariants are named in `violation.ts`.
import { ByteReader } from '../../base/bytes.ts';
import { crc32c } from '../../base/crc32c.ts';
import type { Voters } from '../../base/quorum.ts';
import type { LogWrite, Membership, Recovered } from '../../protocols/raft/messages.ts';
import type { StateMachine } from '../../protocols/state-machine.ts';
import { readChanges, recordAt } from '../../runtime/journal-record.ts';
import type { RaftGroup } from '../../runtime/raft-group.ts';
import type { GroupPlan, Topology } from '../../services/topology/topology.ts';
import { Configurations, haveMajorities } from './configurations.ts';
import { DurableLog } from './durable-log.ts';
import { GroupHistory } from './group-history.ts';
import type { Verdicts } from './violation.ts';
import { watchedMachine } from './watched-machine.ts';

/** Every so many entries the whole state is compared between the members. */
const HASH_EVERY = 64;
const JOURNAL_PREFIX = 'journal-';
const CHECKPOINT_NAME = /^checkpoint-(.+)-[0-9a-f]{16}-([0-9a-f]{16})\.bin$/;
// As in `wire/peer.ts` and `protocols/raft/codec.ts`: looked at without decoding the whole.
const RAFT_FRAME = 1;
const VOTE = 2;
const VOTE_REPLY = 3;
const APPEND_REPLY = 5;
const SNAPSHOT_REPLY = 7;

/** What is known of one member, across its lives. */
interface Member {
  readonly node: number;
  readonly number: number;
  readonly history: GroupHistory;
  readonly configurations: Configurations;
  readonly log: DurableLog;
  readonly votes: Map<number, number>;
  /** The group while its process lives. */
  group: RaftGroup | undefined;
  checked: number;
  applied: number;
  commit: number;
  term: number;
  last: number;
  base: number;
  snapshot: number;
  wasLeader: boolean;
  /** As its log named the members when it was looked at. */
  membership: Membership | undefined;
}

/** What checks an entry that was applied for the first time anywhere. */
export type FirstApplied = (group: number, index: number, machine: StateMachine) => void;

export class Invariants {
  /** For a timeline. */
  note: ((lane: number, what: string) => void) | undefined;
  readonly #verdicts: Verdicts;
  readonly #histories = new Map<number, GroupHistory>();
  readonly #configurations = new Map<number, Configurations>();
  readonly #members = new Map<number, Map<number, Member>>();
  /** The same, by node: there is a look at them after every step. */
  readonly #lists: Member[][] = [];
  readonly #firstApplied: FirstApplied;

  constructor(topology: Topology, verdicts: Verdicts, firstApplied: FirstApplied) {
    this.#verdicts = verdicts;
    this.#firstApplied = firstApplied;
    for (const { number, name, members, founders = members } of topology.groups) {
      const history = new GroupHistory(name, verdicts);
      this.#histories.set(number, history);
      this.#configurations.set(number, new Configurations(founders, history, verdicts));
      for (const node of members) this.hosts(node, number);
    }
  }

  get histories(): ReadonlyMap<number, GroupHistory> {
    return this.#histories;
  }

  /** The node holds a copy of the group from now on, whether it votes there or not. */
  hosts(node: number, number: number): void {
    const history = this.#histories.get(number);
    const configurations = this.#configurations.get(number);
    if (history === undefined || configurations === undefined || this.#of(node).has(number)) return;
    const member = newMember({ node, number, history, configurations });
    this.#of(node).set(number, member);
    (this.#lists[node] ??= []).push(member);
  }

  /**
   * A process read its journal. When its machine had died, what was read is what is durable. Only from a
   * damaged disk entries may be missing, and then it says so.
   */
  recovered(
    node: number,
    found: ReadonlyMap<number, Recovered>,
    disk: { readonly machineDied: boolean; readonly isDamaged: boolean },
  ): void {
    for (const [number, member] of this.#of(node)) {
      const recovered = found.get(number);
      const missesUntil = disk.isDamaged ? (recovered?.healUntil ?? 0) : 0;
      checkMemory(member, recovered, { missesUntil, verdicts: this.#verdicts });
      const isAllThereIs = disk.machineDied || missesUntil > 0;
      if (isAllThereIs && recovered !== undefined) member.log.recover(recovered);
    }
  }

  /** The groups of a process that starts. */
  lives(node: number, groups: ReadonlyMap<number, RaftGroup>): void {
    for (const [number, member] of this.#of(node)) {
      member.group = groups.get(number);
      member.checked = member.group?.node.commit ?? 0;
      member.applied = 0;
      member.commit = 0;
      member.term = 0;
      // Nothing is as before: there is a look at all of it.
      member.last = -1;
      member.wasLeader = false;
    }
  }

  died(node: number): void {
    for (const member of this.#of(node).values()) {
      // It may have committed something, and told others, in the very step in which it died.
      this.#look(member);
      member.group = undefined;
    }
  }

  /** The machine of one member, watched. */
  watched(node: number, plan: GroupPlan, machine: StateMachine): StateMachine {
    const member = this.#of(node).get(plan.number);
    if (member === undefined) return machine;
    return watchedMachine(machine, {
      apply: (entry) => {
        this.#look(member);
        const applied = machine.apply(entry);
        const { history } = member;
        if (history.applies(node, entry, applied.reply)) {
          this.#firstApplied(plan.number, entry.index, machine);
        }
        if (entry.index % HASH_EVERY === 0) {
          history.hashes(node, entry.index, crc32c(machine.snapshot()));
        }
        return applied;
      },
    });
  }

  /** Bytes of a file became durable. */
  durable(node: number, name: string, bytes: Uint8Array): void {
    const members = this.#of(node);
    if (!name.startsWith(JOURNAL_PREFIX)) {
      const checkpoint = CHECKPOINT_NAME.exec(name);
      if (checkpoint === null) return;
      const member = [...members.values()].find(({ history }) => history.name === checkpoint[1]);
      member?.log.checkpointed(Number.parseInt(checkpoint[2] ?? '', 16));
      return;
    }
    const record = recordAt(bytes, 0);
    if (record === undefined) return;
    for (const item of readChanges(bytes, record)) {
      if (item.kind === 'header') continue;
      const member = members.get(item.group);
      if (item.kind === 'mark') member?.log.compact(item.mark);
      else {
        if (member !== undefined) this.#written(member, item.write);
      }
    }
  }

  /** A frame leaves: what it says of its sender's disk must be so. */
  sent(from: number, to: number, frame: Uint8Array): void {
    if (frame[0] !== RAFT_FRAME) return;
    const reader = new ByteReader(frame, 1);
    const member = this.#of(from).get(reader.varint());
    reader.varint();
    const kind = reader.u8();
    if (member === undefined) return;
    if (kind === VOTE) this.#voted(member, reader.varint(), from);
    else if (kind === VOTE_REPLY) {
      const term = reader.varint();
      if (reader.u8() === 1) this.#voted(member, term, to);
    } else if (kind === APPEND_REPLY) {
      const term = reader.varint();
      reader.varint();
      if (reader.u8() === 1) this.#claimed(member, reader.varint(), term);
    } else if (kind === SNAPSHOT_REPLY) {
      const term = reader.varint();
      reader.varint();
      const index = reader.varint();
      if (reader.varint() === Number.MAX_SAFE_INTEGER) this.#claimed(member, index, term);
    }
  }

  /** A step of a process is done. */
  stepped(node: number): void {
    const members = this.#lists[node];
    if (members !== undefined) for (const member of members) this.#look(member);
  }

  #written(member: Member, write: LogWrite): void {
    member.log.write(write);
    for (const entry of write.entries) {
      member.history.written(entry);
      if (entry.kind !== 'configuration') continue;
      this.#look(member);
      member.configurations.written(entry);
    }
  }

  #of(node: number): Map<number, Member> {
    let members = this.#members.get(node);
    if (members === undefined) this.#members.set(node, (members = new Map<number, Member>()));
    return members;
  }

  #look(member: Member): void {
    const { group } = member;
    if (group !== undefined && !isAsBefore(member, group)) this.#moved(member, group);
  }

  /** Something that there is to see of a member is not as it was. */
  #moved(member: Member, group: RaftGroup): void {
    const { configurations, history, node } = member;
    const { applied, isLeader: leads } = group;
    const { base, commit, last, membership, snapshotIndex, term } = group.node;
    const name = `${history.name} at ${node}`;
    if (term < member.term) {
      this.#verdicts.broken('MT', `${name}: term ${term} after ${member.term}`);
    }
    if (commit < member.commit) {
      this.#verdicts.broken('MC', `${name}: commit ${commit} after ${member.commit}`);
    }
    if (applied < member.applied) {
      this.#verdicts.broken('MA', `${name}: applied ${applied} after ${member.applied}`);
    }
    member.term = term;
    member.commit = commit;
    member.applied = applied;
    member.last = last;
    member.base = base;
    member.snapshot = snapshotIndex;
    const inOrder =
      base <= snapshotIndex && snapshotIndex <= commit && commit <= last && applied <= commit;
    if (!inOrder) {
      const line = `${base} ${snapshotIndex} ${applied} ${commit} ${last}`;
      this.#verdicts.broken('ORD', `${name}: base, snapshot, applied, commit, last are ${line}`);
    }
    const named = membership === member.membership ? [] : configurations.learn(group.node);
    member.membership = membership;
    if (commit > member.checked) this.#commits(member, commit);
    configurations.check(named, group.node);
    if (leads) history.leads(node, term);
    if (leads && !member.wasLeader) {
      this.note?.(node, `leads ${history.name} in term ${term}`);
      this.#isElected(member, group, term);
      this.#complete(member, group);
    }
    member.wasLeader = leads;
  }

  #commits(member: Member, commit: number): void {
    const { group, history, node } = member;
    let news = 0;
    let term = 0;
    for (let index = member.checked + 1; index <= commit; index++) {
      const entry = group?.node.entryAt(index);
      if (entry === undefined || !history.commits({ node, term: member.term }, entry)) continue;
      news = index;
      term = entry.term;
    }
    member.checked = commit;
    if (news > 0) this.#isHeld(member, news, term);
    if (news === commit && group?.isLeader === true && term !== group.node.term) {
      const what = `${node} leads term ${group.node.term} and commits an entry of term ${term}`;
      this.#verdicts.broken('OWN', `${history.name}: ${what} by counting`);
    }
    if (commit > history.committed) {
      const what = `${node} calls ${commit} committed, of which nobody has seen the entry`;
      this.#verdicts.broken('CI', `${history.name}: ${what}`);
    }
  }

  #isHeld(member: Member, index: number, term: number): void {
    const { group, configurations, history } = member;
    if (group === undefined) return;
    const voters = configurations.votersOf(group.node, index);
    // Members named behind it may have decided it, or have been named only after it was committed.
    const isHeld = [voters, configurations.votersOf(group.node, Infinity)].some((either) =>
      this.#haveQuorum(member, either, ({ log }) => log.vouches(index, term)),
    );
    if (isHeld) return;
    const what = `entry ${index} of term ${term} is called committed, and is on too few disks`;
    this.#verdicts.broken('CQ', `${history.name}: ${what} of ${nameOf(voters)}`);
  }

  #isElected(member: Member, group: RaftGroup, term: number): void {
    const { configurations, history, node } = member;
    const voters = configurations.votersOf(group.node, Infinity);
    if (this.#haveQuorum(member, voters, ({ votes }) => votes.get(term) === node)) return;
    const what = `${node} leads term ${term} with too few votes`;
    this.#verdicts.broken('ES', `${history.name}: ${what} of ${nameOf(voters)}`);
  }

  /** Whether a majority of each set of voters is so. */
  #haveQuorum({ number }: Member, voters: Voters, isSo: (member: Member) => boolean): boolean {
    return haveMajorities(voters, (node) => {
      const member = this.#of(node).get(number);
      return member !== undefined && isSo(member);
    });
  }

  #complete({ history, node }: Member, group: RaftGroup): void {
    const decided = history.at(history.committed);
    const { base, last, term: ledTerm } = group.node;
    // Only leaders of later terms than the one it was committed in must have it.
    if (decided === undefined || ledTerm <= decided.committedIn) return;
    const { index, term } = decided.entry;
    if (index < base || group.node.entryAt(index)?.term === term) return;
    if (index === base && index <= last) return;
    const what = `${node} leads and lacks committed entry ${index} of term ${term}`;
    this.#verdicts.broken('LC', `${history.name}: ${what}`);
  }

  #voted(member: Member, term: number, candidate: number): void {
    const { history, node, log, votes } = member;
    const known = votes.get(term);
    if (known !== undefined && known !== candidate) {
      const what = `${node} votes for ${known} and ${candidate} in term ${term}`;
      this.#verdicts.broken('MV', `${history.name}: ${what}`);
    }
    votes.set(term, candidate);
    const { hardState } = log;
    if (hardState.term > term || (hardState.term === term && hardState.votedFor === candidate)) return;
    const what = `${node} tells its vote for ${candidate} in term ${term} before its disk has it`;
    this.#verdicts.broken('MV', `${history.name}: ${what}`);
  }

  /** It says to the leader of `term` that its disk holds that leader's log up to `index`. */
  #claimed({ history, node, log }: Member, index: number, term: number): void {
    const entry = history.inLogOf(term, { upTo: index, diskTerm: log.hardState.term });
    const isOther = entry !== undefined && !log.holds(entry.index, entry.term);
    if (log.reached(index, term) && !isOther) return;
    const what = `${node} says that its disk holds entry ${index}, and it does not`;
    this.#verdicts.broken('CQ', `${history.name}: ${what}`);
  }
}

/** What was on the disk must be there again, but what a damaged one says it lost. */
function checkMemory(
  { history, node, log }: Member,
  recovered: Recovered | undefined,
  o: { readonly missesUntil: number; readonly verdicts: Verdicts },
): void {
  const { missesUntil, verdicts } = o;
  const { term, votedFor } = recovered?.hardState ?? { term: 0, votedFor: undefined };
  const { hardState } = log;
  const forgets =
    term < hardState.term ||
    (term === hardState.term && votedFor !== (hardState.votedFor ?? votedFor));
  if (forgets) {
    const what = `${node} had term ${hardState.term} on disk, and starts with ${term}`;
    verdicts.broken('FORGET', `${history.name}: ${what}`);
  }
  const decided = history.at(Math.min(history.committed, log.last));
  if (decided === undefined) return;
  const { index, term: entryTerm } = decided.entry;
  if (!log.holds(index, entryTerm) || index <= Math.max(missesUntil, log.checkpoint)) return;
  const first = (recovered?.snapshot.index ?? 0) + 1;
  if (index < first || recovered?.entries[index - first]?.term === entryTerm) return;
  const what = `${node} had entry ${index} on disk, and starts without`;
  verdicts.broken('FORGET', `${history.name}: ${what}`);
}

/** There is nothing to judge: what a look would see is what the last one saw. */
function isAsBefore(member: Member, { applied, node }: RaftGroup): boolean {
  return (
    node.commit === member.commit &&
    applied === member.applied &&
    node.last === member.last &&
    node.term === member.term &&
    (node.role === 'leader') === member.wasLeader &&
    node.base === member.base &&
    node.snapshotIndex === member.snapshot &&
    node.membership === member.membership
  );
}

function nameOf({ incoming, outgoing }: Voters): string {
  const all = incoming.join(', ');
  return outgoing.length === 0 ? all : `${all} and of ${outgoing.join(', ')}`;
}

function newMember(
  of: Pick<Member, 'node' | 'number' | 'history' | 'configurations'>,
): Member {
  return {
    ...of,
    log: new DurableLog(),
    votes: new Map(),
    group: undefined,
    checked: 0,
    applied: 0,
    commit: 0,
    term: 0,
    last: -1,
    base: 0,
    snapshot: 0,
    wasLeader: false,
    membership: undefined,
  };
}
