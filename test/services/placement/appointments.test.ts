import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import type { PlacedRegion } from '../../../src/wire/placement.ts';
import { PlacedWorld } from '../../support/placed-world.ts';

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

describe('a first primary whose disk does not confirm that its log is begun', () => {
  test('serves nobody until it does, and placement knows', () => {
    const world = new PlacedWorld();
    const copy = world.copy(8, EU);
    copy.stopsAsPrimary = true;
    world.clock.advance(20_000);
    assert.deepEqual([world.seen(7, EU).primary, world.seen(7, EU).isBegun], [8, false]);
    assert.ok(!holdsLease(world, 8));
    copy.stopsAsPrimary = false;
    world.clock.advance(2_000);
    assert.ok(world.seen(7, EU).isBegun);
    assert.ok(holdsLease(world, 8));
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

  test('is called failed by nobody who knows that the world ends', () => {
    const world = begun();
    for (const witness of world.witnesses.values()) witness.stop();
    const { epoch } = world.seen(7, EU);
    world.kill(8);
    world.clock.advance(2_000);
    assert.deepEqual([world.seen(7, EU).epoch, world.seen(7, EU).fence], [epoch, null]);
    world.startNode(nodeId(8));
    world.clock.advance(2_000);
    assert.deepEqual([world.seen(8, EU).epoch, world.seen(8, EU).primary], [epoch, 8]);
    assert.ok(holdsLease(world, 8));
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

test('a copy says that most of them do not hear the primary, and one of them succeeds it', () => {
  const world = begun();
  world.copy(6, EU).isDeserted = true;
  world.copy(8, EU).last = 75;
  world.clock.advance(1_500);
  const { cause, primary, mayLose } = world.seen(7, EU).appointments.at(-1) ?? assert.fail();
  assert.notEqual(primary, 8);
  assert.deepEqual({ cause, isLoss: mayLose > 0 }, { cause: 'deserted', isLoss: true });
  assert.ok(holdsLease(world, primary) && !holdsLease(world, 8));
});

describe('a node that ends in order', () => {
  /** Node 8 has `eu`, and hands over what it can; how long that took. */
  const leaves = async (world: PlacedWorld): Promise<number> => {
    const beganMs = world.clock.monotonicMs();
    let isOver = false;
    const left = world.nodes.get(nodeId(8))?.appointments.leave() ?? assert.fail();
    void left.then(() => (isOver = true));
    while (!isOver) {
      world.clock.advance(10);
      await Promise.resolve();
    }
    return world.clock.monotonicMs() - beganMs;
  };

  test('hands its regions over to the copy that holds most, and nothing is lost', async () => {
    const world = begun();
    world.copy(8, EU).lasts.set(9, 69);
    assert.ok((await leaves(world)) < 300);
    assert.equal(world.seen(7, EU).primary, 6);
    assert.ok(holdsLease(world, 6) && !holdsLease(world, 8));
    const { mayLose, cause } = world.seen(7, EU).appointments.at(-1) ?? assert.fail();
    assert.deepEqual({ mayLose, cause }, { mayLose: 0, cause: 'left' });
  });

  test('keeps what nobody else can have', async () => {
    const world = begun();
    for (const node of [9, 6]) world.copy(8, EU).unhealthy.add(node);
    assert.ok((await leaves(world)) <= 1_250);
    assert.equal(world.seen(8, EU).primary, 8);
    for (const node of [9, 6]) world.kill(node);
    assert.ok((await leaves(world)) <= 10, 'there is nobody to wait for');
  });

  test('waits for a copy that is about to be level', async () => {
    const world = begun();
    for (const node of [9, 6]) world.copy(8, EU).unhealthy.add(node);
    world.clock.wakeAt(world.clock.monotonicMs() + 700, () => world.copy(8, EU).unhealthy.clear());
    assert.ok((await leaves(world)) < 1_000);
    assert.notEqual(world.seen(7, EU).primary, 8);
  });

  test('waits for two and a half seconds at most', async () => {
    const world = begun();
    world.isStuck = true;
    assert.ok((await leaves(world)) <= 2_550);
  });
});

describe('a region whose primary is not the first of its copies', () => {
  const MINUTE_MS = 60_000;
  /** `eu` went from node 8 to node 6, and 8 is back. */
  const away = (): PlacedWorld => {
    const world = begun();
    world.kill(8);
    world.clock.advance(1_000);
    world.startNode(nodeId(8));
    world.clock.advance(1_000);
    assert.equal(world.seen(7, EU).primary, 6);
    return world;
  };

  test('goes home once nothing has been wrong for a minute, and loses nothing', () => {
    const world = away();
    world.clock.advance(MINUTE_MS - 3_000);
    assert.equal(world.seen(7, EU).primary, 6);
    world.clock.advance(10_000);
    assert.equal(world.seen(7, EU).primary, 8);
    assert.ok(holdsLease(world, 8) && !holdsLease(world, 6));
    const { mayLose, cause } = world.seen(7, EU).appointments.at(-1) ?? assert.fail();
    assert.deepEqual({ mayLose, cause }, { mayLose: 0, cause: 'returned' });
    const { epoch } = world.seen(7, EU);
    world.clock.advance(5 * MINUTE_MS);
    assert.equal(world.seen(7, EU).epoch, epoch);
  });

  test('stays while its home trails, is doubted, or can not be reached', () => {
    const world = away();
    const isAwayFor = (ms: number): void => {
      world.clock.advance(ms);
      assert.equal(world.seen(7, EU).primary, 6);
    };
    world.copy(6, EU).unhealthy.add(8);
    isAwayFor(2 * MINUTE_MS);
    world.copy(6, EU).unhealthy.clear();
    isAwayFor(MINUTE_MS - 10_000);
    world.network.cut(nodeId(6), nodeId(8));
    isAwayFor(2 * MINUTE_MS);
    world.network.mend(nodeId(6), nodeId(8));
    isAwayFor(MINUTE_MS - 10_000);
    world.hang(8);
    isAwayFor(2 * MINUTE_MS);
    world.wake(8);
    isAwayFor(MINUTE_MS);
    world.clock.advance(10_000);
    assert.equal(world.seen(7, EU).primary, 8);
  });

  test('stays with whom an operator chose, until that one fails', () => {
    const world = begun();
    world.operator('move', { region: EU, to: 6, acceptLoss: false });
    world.clock.advance(10 * MINUTE_MS);
    assert.equal(world.seen(7, EU).primary, 6);
    world.kill(6);
    world.clock.advance(1_000);
    world.startNode(nodeId(6));
    world.clock.advance(2 * MINUTE_MS);
    assert.equal(world.seen(7, EU).primary, 8);
  });

  test('goes alone: of many none is sought while another one is', () => {
    const world = begun();
    for (const node of [7, 8]) world.kill(node);
    world.clock.advance(1_000);
    for (const node of [7, 8]) world.startNode(nodeId(node));
    const regions = (): readonly PlacedRegion[] => world.nodes.get(nodeId(9))?.appointments.regions ?? [];
    world.clock.advance(2_000);
    assert.equal(regions().filter(({ primary }) => primary === 6).length, 3);
    let most = 0;
    for (let ms = 0; ms < 2 * MINUTE_MS; ms += 5) {
      world.clock.advance(5);
      most = Math.max(most, regions().filter(({ fence }) => fence !== null).length);
    }
    assert.equal(most, 1);
    assert.ok(regions().every(({ primary, copies }) => primary === copies[0]));
  });
});

describe('a region all of whose copies have lost their disks', () => {
  const blank = { isBlank: true, staysBlank: true, promised: 0, primary: undefined, last: 0 };
  const lost = (): PlacedWorld => {
    const world = begun();
    world.clock.advance(2_500);
    for (const node of [8, 9, 6]) {
      world.kill(node);
      Object.assign(world.copy(node, EU), blank);
    }
    for (const node of [8, 9, 6]) world.startNode(nodeId(node));
    world.clock.advance(20_000);
    return world;
  };

  test('has no primary until an operator takes the loss', () => {
    const world = lost();
    assert.notEqual(world.seen(7, EU).fence, null);
    assert.ok([8, 9, 6].every((node) => world.copy(node, EU).isBlank));
    world.operator('move', { region: EU, to: 9, acceptLoss: true });
    world.clock.advance(3_000);
    assert.ok(holdsLease(world, 9));
  });

  test('finds a primary by itself when the disks are back', () => {
    const world = lost();
    for (const node of [8, 6]) {
      world.kill(node);
      Object.assign(world.copy(node, EU), { isBlank: false, promised: 2, last: 70 });
      world.startNode(nodeId(node));
    }
    world.clock.advance(20_000);
    assert.equal(world.seen(7, EU).start.sequence, 70);
    assert.equal(world.seen(7, EU).fence, null);
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

test('what is pushed to a node that has just started may be of the past: nothing is promised for it', () => {
  const world = begun();
  const now = world.seen(7, EU);
  const fence = { epoch: now.epoch, cause: 'founded', to: null, promised: [] } as const;
  const past = { ...now, epoch: now.epoch - 1, fence };
  world.isStuck = true;
  world.kill(8);
  const copy = world.copy(8, EU);
  Object.assign(copy, { isBlank: true, promised: 0, primary: undefined, last: 0 });
  world.startNode(nodeId(8));
  const { appointments } = world.nodes.get(nodeId(8)) ?? assert.fail();
  appointments.told(JSON.stringify([past]));
  assert.equal(copy.promised, 0);
  world.isStuck = false;
  world.clock.advance(3_000);
  assert.equal(world.seen(8, EU).epoch, world.seen(7, EU).epoch);
});
