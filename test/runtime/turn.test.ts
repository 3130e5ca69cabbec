// Groups as they run in a process: the loop, the journal and the checkpoints together, in virtual time.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ByteReader, ByteWriter } from '../../src/base/bytes.ts';
import { type NodeId, nodeId } from '../../src/base/id.ts';
import { Random } from '../../src/base/random.ts';
import type { StateMachine } from '../../src/protocols/state-machine.ts';
import { Checkpoints } from '../../src/runtime/checkpoints.ts';
import type { OperatedGroup } from '../../src/runtime/group.ts';
import { Journal } from '../../src/runtime/journal.ts';
import { CHECKPOINT_BYTES_MIN } from '../../src/runtime/raft-machine.ts';
import { Turn } from '../../src/runtime/turn.ts';
import { decodeMessage, MessageEncoder } from '../../src/protocols/raft/codec.ts';
import type { Entry, Message } from '../../src/protocols/raft/messages.ts';
import { decodePeerMessage, type GroupAnswer } from '../../src/wire/peer.ts';
import type { Tapped } from '../../src/wire/tap.ts';
import { MemoryNetwork } from '../support/memory-peers.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { VirtualDisk } from '../../src/sim/machine/disk.ts';

const IDS = [1, 2, 3].map(nodeId);
const STRANGERS = [8, 9].map(nodeId);
const GROUP = 7;
const OTHER_GROUP = 8;
const SEGMENT_BYTES = 256 * 1024;

/** Adds up numbers: the reply to a command is the sum after it, and what it is wrong by. */
function summing(wrongBy = 0): StateMachine {
  let sum = 0;
  const bytes = (): Uint8Array => new ByteWriter().varint(sum).finish();
  return {
    apply: ({ command }) => {
      sum += new ByteReader(command).varint() + wrongBy;
      return { reply: bytes(), notices: [] };
    },
    query: bytes,
    snapshot: bytes,
    restore: (snapshot) => {
      sum = new ByteReader(snapshot).varint();
    },
  };
}

interface Running {
  readonly turn: Turn;
  readonly group: OperatedGroup;
  /** Whose members, but for this node, are only spoken for. */
  readonly other: OperatedGroup;
  readonly failures: unknown[];
  close(): void;
}

class World {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly disks = new Map(IDS.map((id) => [id, new VirtualDisk()]));
  readonly running = new Map<NodeId, Running>();
  /** Whose machine does not add up as the others' do. */
  readonly wrong = new Set<NodeId>();
  /** What each node applied of the group that all are members of, in its order. */
  readonly tapped = new Map<NodeId, Tapped[]>(IDS.map((id) => [id, []]));
  readonly elected: { readonly node: NodeId; readonly term: number }[] = [];

  readonly #segmentBytes: number;

  constructor(segmentBytes: number = SEGMENT_BYTES) {
    this.#segmentBytes = segmentBytes;
    for (const id of IDS) this.start(id);
  }

  start(id: NodeId): Running {
    const disk = this.disks.get(id) as VirtualDisk;
    const { journal, recovered } = Journal.open(disk, { segmentBytes: this.#segmentBytes });
    const peers = this.network.join(id);
    const failures: unknown[] = [];
    const turn = new Turn({
      self: id,
      clock: this.clock,
      peers,
      journal,
      checkpoints: new Checkpoints(disk),
      recovered,
      random: new Random(`node ${id}`),
      logger: { log: () => {} },
      onNotices: () => {},
      onElected: (_, term) => this.elected.push({ node: id, term }),
      fail: (cause) => failures.push(cause),
      tap: (log, entry) => {
        if (log === 'sums') this.tapped.get(id)?.push(entry);
      },
    });
    const machine = summing(this.wrong.has(id) ? 1 : 0);
    const group = turn.add({ number: GROUP, name: 'sums', members: IDS, machine });
    const members = [id, ...STRANGERS];
    const other = turn.add({ number: OTHER_GROUP, name: 'others', members, machine: summing() });
    peers.listen({
      received: (from, frame) => {
        const message = decodePeerMessage(frame);
        if (message.kind === 'raft') turn.receive(message.group, from, message.body);
      },
      up: (node) => turn.peerUp(node),
      lost: (node) => turn.peerLost(node),
    });
    turn.start();
    const running = { turn, group, other, failures, close: () => void peers.close() };
    this.running.set(id, running);
    return running;
  }

  /** What a SIGKILL leaves: nothing runs on, and what was not synced may be lost. */
  kill(id: NodeId, seed: number): void {
    const { close } = this.#of(id);
    close();
    for (const other of IDS) if (other !== id) this.network.cut(id, other);
    this.disks.set(id, (this.disks.get(id) as VirtualDisk).crashed(new Random(seed)));
    this.running.delete(id);
  }

  restart(id: NodeId): Running {
    const running = this.start(id);
    for (const other of IDS) if (other !== id) this.network.mend(id, other);
    return running;
  }

  leader(): NodeId {
    const leaders = [...this.running].filter(([, { group }]) => group.status().role === 'leader');
    const newest = leaders.sort((a, b) => b[1].group.status().term - a[1].group.status().term)[0];
    assert.ok(newest, 'there is a leader');
    return newest[0];
  }

  group(id: NodeId): OperatedGroup {
    return this.#of(id).group;
  }

  propose(id: NodeId, value: number): GroupAnswer[] {
    const answers: GroupAnswer[] = [];
    this.group(id).propose(new ByteWriter().varint(value).finish(), (answer) => answers.push(answer));
    return answers;
  }

  healthy(): void {
    for (const { failures } of this.running.values()) assert.deepEqual(failures, []);
  }

  #of(id: NodeId): Running {
    const running = this.running.get(id);
    assert.ok(running, `node ${id} runs`);
    return running;
  }
}

function sumIn(answer: GroupAnswer | undefined): number {
  assert.equal(answer?.kind, 'answered');
  return answer?.kind === 'answered' ? new ByteReader(answer.reply).varint() : Number.NaN;
}

test('a command is answered with what the state machine says, once a majority has it on disk', () => {
  const world = new World();
  world.clock.advance(1_000);
  const answers = world.propose(world.leader(), 5);
  assert.deepEqual(answers, []);
  world.clock.advance(100);
  assert.equal(sumIn(answers[0]), 5);
  assert.equal(answers.length, 1);
  world.healthy();
});

test('a tap hears of each entry with its reply, on every node, and on the leader before the answer', () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  const heard: (number | undefined)[] = [];
  const command = new ByteWriter().varint(5).finish();
  world.group(leader).propose(command, () => heard.push(world.tapped.get(leader)?.length));
  world.clock.advance(100);
  const entries = world.tapped.get(leader) ?? [];
  assert.deepEqual(heard, [entries.length]);
  assert.deepEqual(entries.map(({ index }) => index), [1, 2]);
  assert.equal(entries[0]?.applied, undefined, 'what opens a term bears no command');
  assert.deepEqual(entries[1]?.applied, { command, reply: command });
  assert.equal(entries[1]?.epoch, world.group(leader).status().term);
  for (const id of IDS) assert.deepEqual(world.tapped.get(id), entries);
});

test('a follower sends callers to the leader, and nothing happens', () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  const follower = IDS.find((id) => id !== leader) as NodeId;
  const { term } = world.group(leader).status();
  assert.deepEqual(world.propose(follower, 5), [{ kind: 'moved', leader, term }]);
  const answers: GroupAnswer[] = [];
  world.group(follower).query(new Uint8Array(), (answer) => answers.push(answer));
  assert.deepEqual(answers, [{ kind: 'moved', leader, term }]);
});

test('every election is told, by its winner, in its term', () => {
  const world = new World();
  world.clock.advance(1_000);
  const first = world.leader();
  const { term } = world.group(first).status();
  assert.deepEqual(world.elected, [{ node: first, term }]);
  world.kill(first, 1);
  world.clock.advance(1_000);
  const next = world.leader();
  assert.deepEqual(world.elected.slice(1), [{ node: next, term: world.group(next).status().term }]);
});

test('a leader that is cut off answers `uncertain` when it steps down', () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  for (const id of IDS) if (id !== leader) world.network.cut(leader, id);
  const answers = world.propose(leader, 5);
  world.clock.advance(1_000);
  assert.deepEqual(answers, [{ kind: 'uncertain' }]);
});

test('what was answered survives the death of all nodes at once', () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  const answers = [3, 4, 5].flatMap((value) => {
    const answer = world.propose(leader, value);
    world.clock.advance(50);
    return answer;
  });
  assert.deepEqual(answers.map(sumIn), [3, 7, 12]);
  for (const id of IDS) world.kill(id, id);
  for (const id of IDS) world.restart(id);
  world.clock.advance(2_000);
  const again = world.propose(world.leader(), 1);
  world.clock.advance(100);
  assert.equal(sumIn(again[0]), 13);
  world.healthy();
});

test('a node that was away is brought up by a snapshot when the log has moved on', () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  const away = IDS.find((id) => id !== leader) as NodeId;
  world.kill(away, 1);
  const commands = 2 * Math.ceil(CHECKPOINT_BYTES_MIN / 64);
  for (let i = 0; i < commands; i++) {
    world.propose(leader, 1);
    if (i % 512 === 0) world.clock.advance(5);
  }
  world.clock.advance(1_000);
  assert.ok(world.group(leader).status().snapshot > 0, 'the leader has taken a checkpoint');
  world.restart(away);
  world.clock.advance(3_000);
  assert.equal(world.group(away).status().applied, world.group(leader).status().applied);
  const inspected = [...world.running.values()].map(({ group }) => group.inspect());
  assert.equal(new Set(inspected.map(({ stateHash }) => stateHash)).size, 1);
  assert.equal(new ByteReader(world.group(away).read(new Uint8Array())).varint(), commands);
  world.healthy();
});

test('in a calm a long journal is cut off once, and the same state is not saved again and again', () => {
  const world = new World(4_096);
  world.clock.advance(1_000);
  for (let i = 0; i < 2_000; i++) {
    world.propose(world.leader(), 1);
    world.clock.advance(1);
  }
  world.clock.advance(1_000);
  let saved = 0;
  for (const disk of world.disks.values()) {
    const publishSoon = disk.publishSoon.bind(disk);
    disk.publishSoon = (...words) => {
      saved += 1;
      publishSoon(...words);
    };
  }
  world.clock.advance(2_000);
  assert.equal(saved, 0);
  world.healthy();
});

test('a node that has taken checkpoints starts from the newest and what the journal holds after it', () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  const commands = 3 * Math.ceil(CHECKPOINT_BYTES_MIN / 64);
  for (let i = 0; i < commands; i++) {
    world.propose(leader, 1);
    if (i % 512 === 0) world.clock.advance(5);
  }
  world.clock.advance(500);
  world.kill(leader, 2);
  world.restart(leader);
  const status = world.group(leader).status();
  assert.ok(status.snapshot > 0 && status.applied === status.snapshot);
  assert.ok(status.last > status.snapshot, 'the journal holds what came after the checkpoint');
  world.clock.advance(2_000);
  const answers = world.propose(world.leader(), 0);
  world.clock.advance(100);
  assert.equal(sumIn(answers[0]), commands);
  world.healthy();
});

test('a leaving leader hands over first, so that the group hardly notices', async () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  const { turn } = world.running.get(leader) as Running;
  let left = false;
  void turn.leave().then(() => {
    left = true;
  });
  await world.clock.live(60);
  assert.ok(left);
  world.running.delete(leader);
  assert.notEqual(world.leader(), leader);
});

test('a read sees what was answered before it was asked', () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  world.propose(leader, 8);
  world.clock.advance(50);
  const answers: GroupAnswer[] = [];
  world.group(leader).query(new Uint8Array(), (answer) => answers.push(answer));
  world.clock.advance(50);
  assert.equal(sumIn(answers[0]), 8);
});

test('a follower that is asked to read by itself sees what was answered before', () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  const follower = IDS.find((id) => id !== leader) as NodeId;
  world.propose(leader, 8);
  world.clock.advance(50);
  const answers: GroupAnswer[] = [];
  const answer = (given: GroupAnswer): void => void answers.push(given);
  world.group(follower).query(new Uint8Array(), answer, 'here');
  world.clock.advance(100);
  assert.equal(sumIn(answers[0]), 8);
  world.network.cut(leader, follower);
  world.group(follower).query(new Uint8Array(), answer, 'here');
  world.clock.advance(1_000);
  assert.equal(answers.length, 2, 'an answer comes in any case');
});

test('row 14: a leader whose flushes never end steps down and answers `uncertain`', () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  (world.disks.get(leader) as VirtualDisk).holdSyncs = true;
  const answers = world.propose(leader, 5);
  world.clock.advance(600);
  assert.notEqual(world.leader(), leader);
  assert.notEqual(world.group(leader).status().role, 'leader');
  assert.equal(answers.length, 1);
  world.healthy();
});

test('row 44: a node with a damaged journal heals from the others, and is whole after a restart', () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  const damaged = IDS.find((id) => id !== leader) as NodeId;
  for (let i = 0; i < 20; i++) {
    world.propose(leader, 1);
    world.clock.advance(20);
  }
  world.kill(damaged, 1);
  const disk = world.disks.get(damaged) as VirtualDisk;
  disk.flipBit('journal-0000000000000001.log', (3 * 512 + 20) * 8);
  world.restart(damaged);
  assert.equal(world.group(damaged).status().role, 'healing');
  world.clock.advance(1_000);
  assert.equal(world.group(damaged).status().role, 'follower');
  assert.equal(world.group(damaged).inspect().stateHash, world.group(leader).inspect().stateHash);
  world.kill(damaged, 2);
  world.restart(damaged);
  assert.equal(world.group(damaged).status().role, 'follower');
  world.clock.advance(1_000);
  world.healthy();
});

test('a copy that became something else than the others stops with a sentence', () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  const odd = IDS.find((id) => id !== leader) as NodeId;
  world.kill(odd, 3);
  world.wrong.add(odd);
  world.restart(odd);
  world.clock.advance(500);
  for (let i = 0; i < 2 * 256; i++) {
    world.propose(world.leader(), 1);
    if (i % 16 === 0) world.clock.advance(5);
  }
  world.clock.advance(500);
  const failures = world.running.get(odd)?.failures ?? [];
  assert.match(String(failures[0]), /sums has become something else here by entry 256/);
  assert.deepEqual(world.running.get(leader)?.failures, []);
});

test('leadership goes to the node that an operator names', () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  const target = IDS.find((id) => id !== leader) as NodeId;
  assert.deepEqual(world.group(target).transfer(leader), { kind: 'not-leader', leader });
  assert.deepEqual(world.group(leader).transfer(target), { kind: 'begun' });
  world.clock.advance(100);
  assert.equal(world.leader(), target);
});

test('who is asked whether a leader is missed reads first what has arrived from that leader', () => {
  const world = new World();
  world.clock.advance(1_000);
  const leader = world.leader();
  const [voter, asker] = IDS.filter((id) => id !== leader) as [NodeId, NodeId];
  const { term } = world.group(leader).status();
  world.kill(asker, 1);
  world.network.deafen(leader);
  const heard: Message[] = [];
  world.network.join(asker).listen({
    received(_, frame) {
      const message = decodePeerMessage(frame);
      if (message.kind === 'raft') heard.push(decodeMessage(message.body));
    },
    up: () => {},
    lost: () => {},
  });
  world.network.mend(voter, asker);
  world.clock.advance(1_000);
  heard.length = 0;
  const place = { prevIndex: 0, prevTerm: 0, commit: 0, entries: [] };
  const times = { sentMs: 0, roundTripMs: 0 };
  const question = { kind: 'pre-vote', term: term + 1, lastIndex: 99, lastTerm: 9, sentMs: 0 } as const;
  const heartbeat = { kind: 'append', term, round: 0, ...place, ...times } as const;
  const hear = (from: NodeId, message: Message): void => {
    const body = new MessageEncoder().encode(message);
    world.running.get(voter)?.turn.receive(GROUP, from, body);
  };
  hear(asker, question);
  hear(leader, heartbeat);
  world.clock.advance(5);
  const [reply] = heard.filter(({ kind }) => kind === 'pre-vote-reply');
  assert.equal(reply?.kind === 'pre-vote-reply' && reply.granted, false);
  assert.ok(reply);
});

/** Says to a node what the leader of its other group would: three entries, of which one is committed. */
function leaveUncommitted(world: World, node: NodeId): void {
  const [leader] = STRANGERS as [NodeId];
  const entries = [1, 2, 3].map((index): Entry => {
    return { index, term: 1, kind: 'command', timeMs: 1, data: new ByteWriter().varint(1).finish() };
  });
  const place = { prevIndex: 0, prevTerm: 0, commit: 1, entries };
  const append = { kind: 'append', term: 1, round: 0, ...place, sentMs: 0, roundTripMs: 0 } as const;
  world.running.get(node)?.turn.receive(OTHER_GROUP, leader, new MessageEncoder().encode(append));
}

test('entries that are never committed hold no journal back, and are there after a restart', () => {
  const world = new World(4_096);
  world.clock.advance(1_000);
  const leader = world.leader();
  leaveUncommitted(world, leader);
  const disk = world.disks.get(leader) as VirtualDisk;
  const files: number[] = [];
  const saved: string[] = [];
  disk.conduct = {
    begin: (operation, name) => {
      if (operation === 'publish' && name.includes('others')) saved.push(name);
    },
  };
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 20; i++) {
      world.propose(leader, 1);
      world.clock.advance(5);
    }
    files.push(disk.fileCount);
  }
  const most = Math.max(...files);
  assert.ok(most < 40, `${most} files`);
  assert.ok(saved.length <= 2, `checkpoints that free nothing are not taken: ${saved.length}`);
  world.kill(leader, 1);
  const { last, applied } = world.restart(leader).other.status();
  assert.deepEqual({ last, applied }, { last: 3, applied: 1 });
  world.healthy();
});
