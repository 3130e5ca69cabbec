import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nodeId } from '../../src/base/id.ts';
import { PlacedWorld } from '../support/placed-world.ts';

/** Its copies are on nodes 8, 9 and 6; node 7 has none. */
const EU = 103;

function begun(): PlacedWorld {
  const world = new PlacedWorld();
  world.clock.advance(3_000);
  for (const node of [8, 9, 6]) world.copy(node, EU).last = 70;
  return world;
}

function holdsLease(world: PlacedWorld, node: number): boolean {
  const { leasedEpoch, leaseMs, promised, primary } = world.copy(node, EU);
  return primary === node && leasedEpoch === promised && leaseMs > world.clock.monotonicMs();
}

describe('a new world', () => {
  test('has a primary for each region, which holds a lease for as long as nothing happens', () => {
    const world = begun();
    assert.equal(world.seen(7, EU).primary, 8);
    for (let second = 0; second < 60; second++) {
      world.clock.advance(1_000);
      assert.ok(holdsLease(world, 8));
      assert.ok(!holdsLease(world, 9) && !holdsLease(world, 6));
    }
  });

  test('has none while placement can not decide', () => {
    const world = new PlacedWorld();
    world.isStuck = true;
    world.clock.advance(20_000);
    assert.equal(world.copy(8, EU).primary, undefined);
    world.isStuck = false;
    world.clock.advance(3_000);
    assert.ok(holdsLease(world, 8));
  });
});

describe('a primary that was chosen to begin a log', () => {
  test('may wait for the other copies, and has not lost what it never had', () => {
    const world = new PlacedWorld();
    world.copy(8, EU).waits = true;
    world.clock.advance(20_000);
    assert.deepEqual([world.seen(7, EU).epoch, world.seen(7, EU).fence], [2, null]);
  });
});

describe('a primary that finds its disk lost again and again', () => {
  test('is followed by one search after the other, and not by a storm of them', () => {
    const world = begun();
    const copy = world.copy(8, EU);
    copy.isBlank = true;
    copy.waits = true;
    world.kill(8);
    for (const node of [9, 6]) world.copy(node, EU).waits = true;
    world.startNode(nodeId(8));
    world.clock.advance(10_000);
    assert.ok(world.seen(7, EU).epoch < 40);
  });
});

describe('a primary whose process ends', () => {
  test('has a successor before the next beat would have been due', () => {
    const world = begun();
    world.copy(9, EU).last = 71;
    world.kill(8);
    world.clock.advance(200);
    assert.equal(world.seen(7, EU).primary, 9);
    assert.deepEqual(world.seen(7, EU).start, { epoch: 1, sequence: 71 });
    assert.ok(holdsLease(world, 9));
  });

  test('does not get its region back when it returns, and follows', () => {
    const world = begun();
    world.kill(8);
    world.clock.advance(1_000);
    world.startNode(nodeId(8));
    world.clock.advance(20_000);
    const { primary } = world.seen(8, EU);
    assert.equal(world.copy(8, EU).primary, primary);
    assert.notEqual(primary, 8);
  });

  test('and whose disk is empty when it returns is not primary of what it lost', () => {
    const world = begun();
    world.isStuck = true;
    world.kill(8);
    const lost = world.copy(8, EU);
    lost.last = 0;
    lost.isBlank = true;
    lost.promised = 0;
    world.startNode(nodeId(8));
    world.clock.advance(1_000);
    world.isStuck = false;
    world.clock.advance(3_000);
    assert.notEqual(world.seen(7, EU).primary, 8);
    assert.equal(world.seen(7, EU).start.sequence, 70);
  });
});

describe('a copy whose disk is lost after its promise was recorded', () => {
  test('says so, and is not counted by what it held before', () => {
    const world = begun();
    world.kill(9);
    world.kill(8);
    world.clock.advance(1_000);
    assert.deepEqual(world.seen(7, EU).fence?.promised, [6]);
    world.kill(6);
    const lost = world.copy(6, EU);
    [lost.last, lost.isBlank, lost.promised] = [0, true, 0];
    world.startNode(nodeId(6));
    world.clock.advance(1_000);
    world.copy(9, EU).last = 60;
    world.startNode(nodeId(9));
    world.clock.advance(5_000);
    assert.notEqual(world.seen(7, EU).fence, null);
    world.startNode(nodeId(8));
    world.clock.advance(20_000);
    assert.equal(world.seen(7, EU).start.sequence, 70);
  });
});

describe('a primary that falls silent', () => {
  test('keeps its region while it is only suspected', () => {
    const world = begun();
    world.hang(8);
    world.clock.advance(4_000);
    assert.equal(world.seen(7, EU).primary, 8);
    world.wake(8);
    world.clock.advance(20_000);
    assert.equal(world.seen(7, EU).primary, 8);
    assert.ok(holdsLease(world, 8));
  });

  test('has lost its lease before it has a successor', () => {
    const world = begun();
    world.hang(8);
    let endedMs = 0;
    while (world.seen(7, EU).primary === 8 && world.clock.monotonicMs() < 60_000) {
      world.clock.advance(10);
      if (endedMs === 0 && !holdsLease(world, 8)) endedMs = world.clock.monotonicMs();
    }
    assert.notEqual(world.seen(7, EU).primary, 8);
    assert.ok(endedMs > 0 && endedMs < world.clock.monotonicMs() - 1_000);
  });

  test('gets no lease from witnesses whose word that it failed stands', () => {
    const world = begun();
    world.hang(8);
    world.clock.advance(4_400);
    // All have stated it by now, or are about to; none of it is recorded.
    world.isStuck = true;
    world.clock.advance(1_000);
    world.wake(8);
    world.clock.advance(30_000);
    assert.ok(!holdsLease(world, 8));
    world.isStuck = false;
    world.clock.advance(3_000);
    const { primary } = world.seen(7, EU);
    assert.ok(holdsLease(world, primary));
  });
});

describe('a witness that starts again', () => {
  test('acknowledges nothing before its first statement is recorded', () => {
    const world = begun();
    world.isStuck = true;
    for (const witness of [1, 2, 3]) {
      world.witnesses.get(nodeId(witness))?.stop();
      world.startWitness(nodeId(witness));
    }
    world.clock.advance(3_000);
    assert.ok(!holdsLease(world, 8));
    world.isStuck = false;
    world.clock.advance(2_000);
    assert.ok(holdsLease(world, 8));
  });
});

describe('a node that loses its links to a majority of the witnesses', () => {
  test('has no lease from that moment on, and says that it sees no majority', () => {
    const world = begun();
    assert.ok(world.nodes.get(nodeId(8))?.appointments.seesMajority);
    for (const witness of [1, 2]) world.network.cut(nodeId(8), nodeId(witness));
    assert.ok(holdsLease(world, 8));
    world.network.cut(nodeId(8), nodeId(3));
    assert.ok(!holdsLease(world, 8));
    assert.equal(world.nodes.get(nodeId(8))?.appointments.seesMajority, false);
    world.network.mend(nodeId(8), nodeId(3));
    world.clock.advance(100);
    assert.ok(holdsLease(world, 8));
  });
});

describe('a hand-over that an operator asks for', () => {
  test('loses nothing, and the heir serves', () => {
    const world = begun();
    world.operator('move', { region: EU, to: 6, acceptLoss: false });
    world.clock.advance(500);
    assert.equal(world.seen(7, EU).primary, 6);
    assert.ok(holdsLease(world, 6) && !holdsLease(world, 8));
    const { mayLose, cause } = world.seen(7, EU).appointments.at(-1) ?? assert.fail();
    assert.deepEqual({ mayLose, cause }, { mayLose: 0, cause: 'moved' });
  });
});

test('what a returning copy has set aside is recorded with the appointment that cost it', () => {
  const world = begun();
  world.copy(8, EU).last = 74;
  world.kill(8);
  world.clock.advance(1_000);
  const tail = { fromEpoch: 2, fromSequence: 71, toEpoch: 2, toSequence: 74 };
  world.copy(8, EU).lostTails = [tail];
  world.startNode(nodeId(8));
  world.clock.advance(5_000);
  const { lost } = world.seen(7, EU).appointments.at(-1) ?? assert.fail();
  assert.deepEqual(lost, [
    { node: 8, from: { epoch: 2, sequence: 71 }, to: { epoch: 2, sequence: 74 } },
  ]);
});

test('a push that is no placement, or an older one, changes nothing', () => {
  const world = begun();
  const before = world.seen(7, EU);
  const { appointments } = world.nodes.get(nodeId(7)) ?? assert.fail();
  const older = { ...before, epoch: 1, primary: 6 };
  for (const json of ['', '{', '[]', '{"a":1}', '[7]', JSON.stringify([older])]) appointments.told(json);
  assert.deepEqual(world.seen(7, EU), before);
});
