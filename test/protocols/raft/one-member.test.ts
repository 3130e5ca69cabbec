// One member alone, told what others would say: rows of the catalogue that a whole group shows too seldom.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import { Random } from '../../../src/base/random.ts';
import type { Entry, Message, Recovered, SnapshotMark } from '../../../src/protocols/raft/messages.ts';
import { DIGEST_NONE } from '../../../src/protocols/raft/digests.ts';
import { encodeMembership } from '../../../src/protocols/raft/entry-codec.ts';
import type { Effects } from '../../../src/protocols/raft/effects.ts';
import { RaftNode } from '../../../src/protocols/raft/node.ts';
import { Progress } from '../../../src/protocols/raft/progress.ts';
import { RAFT_DEFAULTS } from '../../../src/protocols/raft/state.ts';

const [A, B, C] = [nodeId(1), nodeId(2), nodeId(3)];
const membership = { incoming: [A, B, C], outgoing: [], learners: [], retiring: [] };
const mark = (index: number, term: number): SnapshotMark => {
  return { index, term, timeMs: 1, membership, digest: 0 };
};
const entry = (index: number, term: number): Entry => {
  return { index, term, kind: 'command', timeMs: 1, data: Uint8Array.of(index, term) };
};
const entries = (from: number, to: number, term: number): readonly Entry[] =>
  Array.from({ length: to - from + 1 }, (_, i) => entry(from + i, term));

/** Member A, at whose start the disk holds this log in this term. */
function member(log: readonly Entry[], term: number, snapshot: SnapshotMark = mark(0, 0)): RaftNode {
  const recovered: Recovered = { hardState: { term, votedFor: undefined }, snapshot, entries: log };
  const options = { ...RAFT_DEFAULTS, self: A, voters: [A, B, C], random: new Random('one') };
  return new RaftNode(options, recovered, 0);
}

function append(
  term: number,
  [prevIndex, prevTerm]: readonly [number, number],
  o: { readonly commit?: number; readonly entries?: readonly Entry[] } = {},
): Message {
  const { commit = 0, entries: brought = [] } = o;
  const timing = { round: 0, sentMs: 0, roundTripMs: 0 };
  return { kind: 'append', term, prevIndex, prevTerm, commit, entries: brought, ...timing };
}

/** What its newest answer to an append says that its disk holds. */
function matched({ sendNow, sendAfterWrite }: Effects): number | undefined {
  const replies = [...sendNow, ...sendAfterWrite].map(({ message }) => message);
  const last = replies.findLast(({ kind }) => kind === 'append-reply');
  if (last?.kind !== 'append-reply' || last.result.kind !== 'matched') return undefined;
  return last.result.index;
}

test('row 3: a candidate’s own vote is on its disk before anybody is asked, also after a restart', () => {
  const candidate = member([], 4);
  candidate.campaignNow(1);
  const effects = candidate.collect();
  assert.deepEqual(effects.write?.hardState, { term: 5, votedFor: A });
  assert.deepEqual(effects.sendNow, []);
  assert.deepEqual(effects.sendAfterWrite.map(({ message }) => message.kind), ['vote', 'vote']);
  const again = new RaftNode(
    { ...RAFT_DEFAULTS, self: A, voters: [A, B, C], random: new Random('again') },
    { hardState: { term: 5, votedFor: A }, snapshot: mark(0, 0), entries: [] },
    0,
  );
  again.receive(B, { kind: 'vote', term: 5, lastIndex: 9, lastTerm: 4, transfer: false }, 1);
  const reply = again.collect().sendAfterWrite[0]?.message;
  assert.deepEqual(reply, { kind: 'vote-reply', term: 5, granted: false });
});

test('row 7: whoever learns of a newer term answers with it, granted or not', () => {
  for (const lastIndex of [0, 9]) {
    const voter = member(entries(1, 5, 1), 1);
    voter.receive(B, { kind: 'vote', term: 6, lastIndex, lastTerm: 1, transfer: false }, 1);
    const effects = voter.collect();
    assert.equal(effects.write?.hardState?.term, 6);
    const granted = lastIndex === 9;
    assert.deepEqual(effects.sendAfterWrite[0]?.message, { kind: 'vote-reply', term: 6, granted });
  }
  const follower = member(entries(1, 5, 1), 1);
  follower.receive(B, append(7, [5, 1]), 1);
  const reply = follower.collect().sendAfterWrite[0]?.message;
  assert.equal(reply?.term, 7);
});

test('row 18: a heartbeat that verifies little commits little, however much it says is committed', () => {
  const follower = member([...entries(1, 3, 1), ...entries(4, 8, 2)], 2);
  follower.receive(B, append(3, [3, 1], { commit: 8 }), 1);
  assert.equal(follower.commit, 3);
  follower.receive(B, append(3, [3, 1], { commit: 8, entries: entries(4, 5, 3) }), 2);
  assert.equal(follower.commit, 5);
  assert.equal(follower.entryAt(5)?.term, 3);
  assert.equal(follower.status.last, 5);
});

test('rows 21 and 22: a write of entries that were overwritten meanwhile acknowledges nothing', () => {
  const follower = member(entries(1, 2, 1), 1);
  follower.receive(B, append(2, [2, 1], { entries: entries(3, 6, 2) }), 1);
  const old = follower.collect();
  follower.receive(C, append(3, [2, 1], { entries: entries(3, 4, 3) }), 2);
  const newer = follower.collect();
  follower.persisted(old.afterWrite, 3);
  assert.equal(follower.status.durable, 2);
  follower.receive(C, append(3, [4, 3]), 4);
  const effects = follower.collect();
  assert.equal(matched(effects), 4);
  assert.deepEqual(effects.sendNow, [], 'told only behind the newer write');
  follower.persisted(newer.afterWrite, 5);
  assert.equal(follower.status.durable, 4);
});

test('row 23: a later write that is durable covers those before it, and an older one changes nothing', () => {
  const follower = member([], 1);
  const writes = [1, 2, 3].map((index) => {
    follower.receive(B, append(1, [index - 1, index === 1 ? 0 : 1], { entries: [entry(index, 1)] }), 1);
    return follower.collect().afterWrite;
  });
  follower.persisted(writes[2] ?? 0, 2);
  assert.equal(follower.status.durable, 3);
  follower.persisted(writes[0] ?? 0, 3);
  assert.equal(follower.status.durable, 3);
});

test('row 24: answers in any order never lower what a member is known to hold', () => {
  for (const order of [[4, 9, 7], [9, 4, 7], [7, 9, 4]]) {
    const progress = new Progress(1, 0);
    for (const last of [4, 7, 9]) progress.sent(last, 10);
    let known = 0;
    for (const index of order) {
      progress.matched(index);
      assert.ok(progress.match >= known && progress.match < progress.next);
      known = progress.match;
    }
    assert.equal(progress.match, 9);
    assert.equal(progress.conflicted(5, 3), false, 'a conflict below it means nothing');
    assert.equal(progress.next, 10);
  }
});

test('row 41: a log that was compacted up to its very last entry goes on at the next index', () => {
  for (const keep of [5, 4]) {
    const follower = member(entries(1, 5, 1), 1);
    follower.receive(B, append(2, [5, 1], { commit: 5 }), 1);
    follower.compact(mark(5, 1), keep);
    assert.equal(follower.status.base, keep);
    follower.collect();
    follower.receive(B, append(2, [5, 1], { commit: 6, entries: [entry(6, 2)] }), 2);
    assert.equal(follower.status.last, 6);
    assert.equal(follower.commit, 6);
    // Behind the base nothing conflicts: it is committed.
    follower.receive(B, append(2, [2, 1], { commit: 6, entries: entries(3, 5, 1) }), 3);
    assert.equal(follower.status.last, 6);
    assert.deepEqual(follower.committedAfter(5, 10).map(({ index }) => index), [6]);
  }
});

test('row 42: chunks of another snapshot begin anew, and an older one changes nothing', () => {
  const follower = member([], 1);
  const chunk = (of: SnapshotMark, offset: number, bytes: readonly number[]): void => {
    const state = { offset, totalBytes: 4, chunk: Uint8Array.from(bytes) };
    follower.receive(B, { kind: 'snapshot', term: 2, round: 0, mark: of, ...state }, 1);
  };
  chunk(mark(5, 1), 0, [1, 1]);
  chunk(mark(9, 1), 2, [9, 9]);
  assert.equal(follower.collect().install, undefined, 'the half of another one is no whole');
  chunk(mark(9, 1), 0, [9, 9]);
  chunk(mark(9, 1), 0, [9, 9]);
  chunk(mark(9, 1), 2, [8, 8]);
  const { install } = follower.collect();
  assert.deepEqual(install?.state, Uint8Array.of(9, 9, 8, 8));
  follower.receive(B, append(2, [0, 0], { entries: entries(1, 3, 1) }), 2);
  assert.equal(follower.status.last, 0, 'nothing is taken in while a state is being installed');
  follower.installed(3);
  assert.equal(follower.commit, 9);
  chunk(mark(5, 1), 0, [1, 1, 1, 1]);
  assert.equal(follower.collect().install, undefined);
  assert.equal(follower.commit, 9);
});

test('row 42: a snapshot of what is committed here already replaces nothing', () => {
  const follower = member([], 1);
  follower.receive(B, append(1, [0, 0], { commit: 9, entries: entries(1, 9, 1) }), 1);
  const bytes = { offset: 0, totalBytes: 2, chunk: Uint8Array.of(5, 5) };
  follower.receive(B, { kind: 'snapshot', term: 1, round: 0, mark: mark(5, 1), ...bytes }, 2);
  const effects = follower.collect();
  assert.equal(effects.install, undefined);
  assert.equal(follower.commit, 9);
  assert.equal(matched(effects), 9);
});

test('4.2.2: whoever an entry removes campaigns only while that entry may not be committed', () => {
  const D = nodeId(4);
  const names = (index: number, incoming: readonly number[], outgoing: readonly number[]): Entry => {
    const now = { ...membership, incoming: incoming.map(nodeId), outgoing: outgoing.map(nodeId) };
    return { index, term: 1, kind: 'configuration', timeMs: 1, data: encodeMembership(now) };
  };
  const log = [entry(1, 1), names(2, [B, C, D], [A, B, C]), names(3, [B, C, D], [])];
  for (const [commit, asked] of [[2, [B, C, D]], [3, []]] as const) {
    const removed = member(log, 1);
    removed.receive(B, append(1, [3, 1], { commit }), 1);
    removed.collect();
    // Its leader is missed; its turn comes behind the others'.
    removed.tick(1_000);
    removed.tick(1_400);
    const preVotes = removed.collect().sendNow.filter(({ message }) => message.kind === 'pre-vote');
    assert.deepEqual(preVotes.map(({ to }) => to), asked);
  }
});

test('what is not committed is written once more on demand, and counts as durable meanwhile', () => {
  const follower = member(entries(1, 3, 1), 1);
  follower.receive(B, append(1, [3, 1], { commit: 2, entries: entries(4, 4, 1) }), 1);
  const effects = follower.collect();
  follower.rewriteUncommitted();
  assert.equal(follower.collect().write, undefined, 'not while a write is under way');
  follower.persisted(effects.afterWrite, 2);
  follower.rewriteUncommitted();
  assert.deepEqual(follower.collect().write, { entries: entries(3, 4, 1) });
  assert.equal(follower.status.durable, 4);
});

test('an answer that comes after the commit has no effects, and the one that brought it has', () => {
  const leader = member([], 1);
  leader.campaignNow(1);
  leader.collect();
  leader.persisted(1, 2);
  leader.receive(B, { kind: 'vote-reply', term: 2, granted: true }, 3);
  leader.propose(Uint8Array.of(7), 1);
  const { write, afterWrite } = leader.collect();
  assert.equal(write?.entries.length, 2, 'the term’s opening and the command');
  leader.persisted(afterWrite, 4);
  assert.equal(leader.hasEffects, false, 'one disk of three');
  const answer: Message = {
    kind: 'append-reply',
    term: 2,
    round: 0,
    sentMs: 3,
    result: { kind: 'matched', index: 2 },
    digest: DIGEST_NONE,
    stateHash: DIGEST_NONE,
  };
  leader.receive(B, answer, 5);
  assert.equal(leader.hasEffects, true);
  assert.equal(leader.collect().commit, 2);
  leader.receive(C, answer, 6);
  assert.equal(leader.hasEffects, false);
});
