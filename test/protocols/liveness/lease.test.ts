import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import type { Beat } from '../../../src/protocols/liveness/detector.ts';
import { DRIFT_PER_MILLE, Lease, LEASE_MS } from '../../../src/protocols/liveness/lease.ts';

const WITNESSES = [1, 2, 3, 4, 5].map(nodeId);
const SURE_MS = (LEASE_MS * (1_000 - DRIFT_PER_MILLE)) / 1_000;

function answer(
  lease: Lease,
  witness: number,
  beat: Beat,
  o: { known?: number; counts?: boolean } = {},
): boolean {
  const { known = beat.incarnation, counts = true } = o;
  return lease.heard(nodeId(witness), { ...beat, known, counts });
}

/** Its end for a node that has asked placement as often as it must. */
function endOf(lease: Lease): number {
  lease.untilMs(10_000);
  lease.answered(lease.asks());
  return lease.untilMs(10_000);
}

describe('a lease', () => {
  test('is none before a majority of the witnesses have answered', () => {
    const lease = new Lease(WITNESSES, 1);
    const beat = lease.beat(10_000);
    for (const witness of [1, 2]) answer(lease, witness, beat);
    assert.ok(endOf(lease) < 10_000);
    answer(lease, 3, beat);
    assert.equal(endOf(lease), 10_000 + SURE_MS);
  });

  test('counts from when the answered beat was sent, however late the answer comes', () => {
    const lease = new Lease(WITNESSES, 1);
    const beat = lease.beat(10_000);
    lease.beat(11_000);
    lease.beat(12_000);
    for (const witness of [1, 2, 3]) answer(lease, witness, beat);
    assert.equal(endOf(lease), 10_000 + SURE_MS);
  });

  test('is as long as the oldest answer of the freshest majority', () => {
    const lease = new Lease(WITNESSES, 1);
    const [first, second] = [lease.beat(10_000), lease.beat(11_000)];
    for (const witness of [1, 2, 3]) answer(lease, witness, first);
    for (const witness of [3, 4]) answer(lease, witness, second);
    assert.equal(endOf(lease), 10_000 + SURE_MS);
    answer(lease, 5, second);
    assert.equal(endOf(lease), 11_000 + SURE_MS);
  });

  test('is not shortened by an answer that comes late', () => {
    const lease = new Lease(WITNESSES, 1);
    const [first, second] = [lease.beat(10_000), lease.beat(11_000)];
    for (const witness of [1, 2, 3]) answer(lease, witness, second);
    for (const witness of [1, 2, 3]) answer(lease, witness, first);
    assert.equal(endOf(lease), 11_000 + SURE_MS);
  });

  test('ends at once when the links to a majority broke, and answers under way do not undo it', () => {
    const lease = new Lease(WITNESSES, 1);
    const beat = lease.beat(10_000);
    for (const witness of [1, 2, 3, 4, 5]) answer(lease, witness, beat);
    for (const witness of [1, 2]) lease.lost(nodeId(witness));
    assert.equal(endOf(lease), 10_000 + SURE_MS);
    lease.lost(nodeId(3));
    assert.ok(endOf(lease) < 10_000);
    answer(lease, 3, beat);
    assert.ok(endOf(lease) < 10_000);
    answer(lease, 3, lease.beat(10_100));
    assert.equal(endOf(lease), 10_000 + SURE_MS);
  });

  test('is not extended by a witness whose word stands that this node failed', () => {
    const lease = new Lease(WITNESSES, 1);
    const beat = lease.beat(10_000);
    for (const witness of [1, 2, 3]) answer(lease, witness, beat, { counts: witness !== 3 });
    assert.ok(endOf(lease) < 10_000);
  });

  test('that was over counts again once placement was asked after its return', () => {
    const lease = new Lease(WITNESSES, 1);
    const renew = (nowMs: number): void => {
      const beat = lease.beat(nowMs);
      for (const witness of [1, 2, 3]) answer(lease, witness, beat);
    };
    renew(10_000);
    assert.equal(endOf(lease), 10_000 + SURE_MS);
    renew(11_000);
    assert.equal(lease.untilMs(11_000), 11_000 + SURE_MS, 'it never ended');
    const before = lease.asks();
    renew(15_000);
    assert.ok(lease.untilMs(15_000) < 15_000);
    assert.ok(lease.isUnconfirmed);
    lease.answered(before);
    assert.ok(lease.untilMs(15_000) < 15_000, 'what was asked before may be answered with the past');
    lease.answered(lease.asks());
    assert.equal(lease.untilMs(15_000), 15_000 + SURE_MS);
    assert.ok(!lease.isUnconfirmed);
  });

  test('is not extended by answers to beats that were never sent', () => {
    const lease = new Lease(WITNESSES, 1);
    const { incarnation, sequence } = lease.beat(10_000);
    for (const witness of [1, 2, 3]) answer(lease, witness, { incarnation, sequence: sequence + 1 });
    for (const witness of [1, 2, 3]) answer(lease, witness, { incarnation: 0, sequence }, { known: 0 });
    assert.ok(endOf(lease) < 10_000);
  });
});

describe('a process that witnesses take for an older one', () => {
  test('beats on as a newer one', () => {
    const lease = new Lease(WITNESSES, 5);
    assert.equal(answer(lease, 1, lease.beat(10_000), { known: 77 }), false);
    const beat = lease.beat(10_001);
    assert.equal(beat.incarnation, 78);
    for (const witness of [1, 2, 3]) assert.equal(answer(lease, witness, beat), true);
    assert.equal(endOf(lease), 10_001 + SURE_MS);
  });
});

describe('a node that hears from too few witnesses', () => {
  test('knows that it sees no majority', () => {
    const lease = new Lease(WITNESSES, 1);
    assert.equal(lease.seesMajority(10_000, 3_500), false);
    const beat = lease.beat(10_000);
    for (const witness of [1, 2, 3]) answer(lease, witness, beat);
    assert.equal(lease.seesMajority(13_499, 3_500), true);
    assert.equal(lease.seesMajority(13_500, 3_500), false);
  });
});
