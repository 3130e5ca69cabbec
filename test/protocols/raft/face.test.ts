// The package's face `bluemarble/raft`: enough for a program of one's own, as docs/raft.md shows it.
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  decodeMessage,
  type LogWrite,
  MessageEncoder,
  nodeId,
  RAFT_DEFAULTS,
  RaftNode,
  Random,
  type Recovered,
} from 'bluemarble/raft';

const VOTERS = [1, 2, 3].map(nodeId);
const NOBODY = { incoming: [], outgoing: [], learners: [], retiring: [] } as const;
const NOTHING: Recovered = {
  hardState: { term: 0, votedFor: undefined },
  snapshot: { index: 0, term: 0, timeMs: 0, membership: NOBODY, digest: 0 },
  entries: [],
};

/** A member whose disk is an array, which has everything at once. */
class Member {
  readonly node: RaftNode;
  readonly disk: LogWrite[] = [];
  readonly encoder: MessageEncoder = new MessageEncoder();

  constructor(self: number) {
    const random = new Random(`member ${self}`);
    const options = { ...RAFT_DEFAULTS, self: nodeId(self), voters: VOTERS, random };
    this.node = new RaftNode(options, NOTHING, 0);
  }
}

test('three members of a program of one’s own elect a leader, and commit what it is handed', () => {
  const members = new Map(VOTERS.map((id) => [id, new Member(id)]));
  const turn = (nowMs: number): void => {
    for (const [id, { node, disk, encoder }] of members) {
      const { write, afterWrite, sendNow, sendAfterWrite } = node.collect();
      if (write !== undefined) disk.push(write);
      node.persisted(afterWrite, nowMs);
      for (const { to, message } of [...sendNow, ...sendAfterWrite]) {
        members.get(to)?.node.receive(id, decodeMessage(encoder.encode(message)), nowMs);
      }
    }
  };
  const leaders = (): readonly RaftNode[] =>
    [...members.values()].map(({ node }) => node).filter(({ role }) => role === 'leader');
  let proposed = 0;
  for (let nowMs = 1; nowMs <= 2_000; nowMs++) {
    for (const { node } of members.values()) if (nowMs >= node.wakeAtMs) node.tick(nowMs);
    turn(nowMs);
    const [leader] = leaders();
    if (leader === undefined || proposed > 0) continue;
    const answer = leader.propose(Uint8Array.of(7), 1_700_000_000_000);
    if (answer.kind === 'appended') proposed = answer.index;
  }
  assert.equal(leaders().length, 1);
  assert.ok(proposed > 0);
  for (const { node, disk } of members.values()) {
    assert.ok(node.commit >= proposed);
    const entries = disk.flatMap((write) => write.entries);
    assert.deepEqual([...(entries.find(({ index }) => index === proposed)?.data ?? [])], [7]);
  }
});
