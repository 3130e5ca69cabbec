// What must hold of a Raft group at every moment, whatever happens to its members.
//
// `raft-cluster.ts` calls it after every step: one leader per term, one vote per term, committed entries
// that never change and are on a majority of disks.
import assert from 'node:assert/strict';
import type { NodeId } from '../../src/base/id.ts';
import { majority } from '../../src/base/quorum.ts';
import type { Entry, Envelope } from '../../src/protocols/raft/messages.ts';
import type { Member, Stored } from './raft-cluster.ts';

export class RaftRules {
  readonly #members: ReadonlyMap<NodeId, Member>;
  readonly #leaders = new Map<number, NodeId>();
  readonly #committed = new Map<number, { readonly term: number; readonly data: string }>();
  readonly #votes = new Map<string, NodeId>();

  constructor(members: ReadonlyMap<NodeId, Member>) {
    this.#members = members;
  }

  applies({ appliedIndex }: Member, { index, term, data: bytes }: Entry): void {
    assert.equal(index, appliedIndex + 1, 'applied in order');
    const known = this.#committed.get(index);
    const data = new TextDecoder().decode(bytes);
    if (known === undefined) this.#committed.set(index, { term, data });
    else assert.deepEqual({ term, data }, known, `entry ${index} never changes`);
  }

  says({ id }: Member, { to, message }: Envelope): void {
    if (message.kind !== 'vote-reply' || !message.granted) return;
    const key = `${id} in ${message.term}`;
    const former = this.#votes.get(key);
    assert.ok(former === undefined || former === to, `one vote per term: ${key}`);
    this.#votes.set(key, to);
  }

  check({ id, node }: Member): void {
    const { role, term, commit, last, votedFor } = node.status;
    assert.ok(commit <= last, 'commit <= last');
    if (role !== 'leader') return;
    const former = this.#leaders.get(term);
    assert.ok(former === undefined || former === id, `one leader in term ${term}`);
    this.#leaders.set(term, id);
    assert.equal(votedFor, id, 'a leader voted for itself');
    this.#isOnMajority(node, commit);
  }

  /** Leader completeness and durability: what a leader calls committed is on a majority of disks. */
  #isOnMajority(leader: Member['node'], commit: number): void {
    const term = leader.entryAt(commit)?.term;
    if (term === undefined) return;
    const onMajorityOf = (voters: readonly NodeId[]): boolean => {
      const count = voters.filter((id) => holds(this.#members.get(id), commit, term)).length;
      return voters.length === 0 || count >= majority(voters.length);
    };
    // It was decided by these members, or by those that a change after it has named since.
    const decided = [leader.membershipAt(commit), leader.status.membership].some(
      ({ incoming, outgoing }) => onMajorityOf(incoming) && onMajorityOf(outgoing),
    );
    assert.ok(decided, `entry ${commit} is on a majority`);
  }
}

function holds(member: Member | undefined, index: number, term: number): boolean {
  assert.ok(member, 'a voter exists');
  return isOn(member.stored, index, term);
}

/** On its disk, or acknowledged and lost: then it does not vote before it holds as much again. */
function isOn({ snapshot, entries, healUntil = 0 }: Stored, index: number, term: number): boolean {
  if (healUntil >= index) return true;
  if (snapshot !== undefined && snapshot.index >= index) return true;
  return entries.some((entry) => entry.index === index && entry.term === term);
}
