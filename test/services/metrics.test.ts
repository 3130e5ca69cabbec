import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../src/base/id.ts';
import { metricsText } from '../../src/services/metrics.ts';
import type { PlacedRegion } from '../../src/wire/placement.ts';
import { type CopyStatus, groupRoles, type NodeStatus } from '../../src/wire/status.ts';
import { type ReadSample, readExposition } from '../support/exposition-rules.ts';
import { REGION, SeedWorld } from '../support/seed-world.ts';
import { sampleOf, topology } from '../support/world-views.ts';

const [NA_EAST, EU, ASIA] = [nodeId(6), nodeId(8), nodeId(9)];
const at = (sequence: number): { epoch: number; sequence: number } => ({ epoch: 2, sequence });
const eu: PlacedRegion = {
  ...{ number: 103, copies: [EU, ASIA, NA_EAST], epoch: 3, primary: ASIA, start: at(70) },
  isBegun: true,
  fence: { epoch: 4, cause: 'failed', to: null, promised: [] },
  appointments: [
    {
      ...{ epoch: 3, primary: ASIA, former: EU, cause: 'failed', atMs: 1, start: at(70), mayLose: 9 },
      lost: [{ node: EU, from: at(71), to: at(73) }],
    },
  ],
};
const copy: CopyStatus = {
  ...{ region: 'eu', role: 'primary', epoch: 3, primary: EU, isServing: true, isHealthy: true },
  isDeserted: false,
  ...{ last: 80, durable: 79, committed: 78, applied: 77, checkpoint: 60, lagEntries: 0, lagMs: 0 },
  ...{ waiting: 2, stateHash: 0, hashedSequence: 0, lostTails: [] },
  copies: [
    { node: EU, last: 80, applied: 77, lagEntries: 0, lagMs: 0, isHealthy: true, isBlank: false },
    { node: NA_EAST, last: 40, applied: 40, lagEntries: 40, lagMs: 120.5, isHealthy: true, isBlank: false },
    { node: ASIA, isHealthy: false, isBlank: true },
  ],
};

function statusOf(name: string, changes: Partial<NodeStatus> = {}): NodeStatus {
  const led = { economy: { leader: 1, term: 4, lag: 7 } };
  const status = sampleOf(led, { done: 5 }).statuses.get(name) ?? assert.fail(name);
  return { ...status, ...changes };
}

function readOf(status: NodeStatus): (name: string) => readonly ReadSample[] {
  const families = readExposition(metricsText(status, topology));
  return (name) => families.get(`bluemarble_${name}`) ?? [];
}

test('a node says once who it is, and how it is in bytes and milliseconds', () => {
  const read = readOf(statusOf('eu', { loopLateMsMax: 12.5, seesMajority: false, peersConnected: [EU] }));
  const info = { node: 'eu', kind: 'region', world: 'world-test', version: '0.0.0' };
  assert.deepEqual(read('node_info'), [{ labels: info, value: 1 }]);
  const alone = (value: number): readonly ReadSample[] => [{ labels: {}, value }];
  assert.deepEqual(read('ready'), alone(1));
  assert.deepEqual(read('sees_majority'), alone(0));
  assert.deepEqual(read('resident_bytes'), alone(80_000_000));
  assert.deepEqual(read('loop_late_max_milliseconds'), alone(12.5));
  assert.deepEqual(read('peers_connected'), alone(1));
});

test('a member of a group tells role, term and places; the leader also how far others trail', () => {
  const labels = { group: 'economy' };
  for (const [name, role] of [['global-1', 'leader'], ['global-2', 'follower']] as const) {
    const read = readOf(statusOf(name));
    assert.deepEqual(
      read('group_role'),
      groupRoles.map((each) => ({ labels: { ...labels, role: each }, value: each === role ? 1 : 0 })),
    );
    assert.deepEqual(read('group_term'), [{ labels, value: 4 }]);
    assert.deepEqual(read('group_has_leader'), [{ labels, value: 1 }]);
    assert.deepEqual(read('group_commit_index'), [{ labels, value: 1_000 }]);
    assert.equal(read('group_member_lag_entries').length, role === 'leader' ? 5 : 0);
  }
  const told = readOf(statusOf('global-1'))('group_member_lag_entries');
  assert.deepEqual(told[1], { labels: { group: 'economy', member: 'global-2' }, value: 7 });
});

test('a copy tells its epoch and its lag in entries and milliseconds, the primary those of all', () => {
  const read = readOf(statusOf('eu', { copies: [copy] }));
  const labels = { region: 'eu' };
  assert.deepEqual(read('copy_epoch'), [{ labels, value: 3 }]);
  assert.deepEqual(read('copy_serving'), [{ labels, value: 1 }]);
  assert.deepEqual(read('copy_lag_entries'), [{ labels, value: 0 }]);
  assert.deepEqual(read('copy_lag_milliseconds'), [{ labels, value: 0 }]);
  const far = { region: 'eu', copy: 'na-east' };
  assert.deepEqual(read('primary_copy_lag_entries')[1], { labels: far, value: 40 });
  assert.deepEqual(read('primary_copy_lag_milliseconds')[1], { labels: far, value: 120.5 });
  assert.deepEqual(read('primary_copy_healthy').map(({ value }) => value), [1, 1, 0]);
  const replica = readOf(statusOf('eu', { copies: [{ ...copy, role: 'replica' }] }));
  assert.deepEqual(replica('primary_copy_lag_entries'), []);
});

test('a lag that is not known has no sample, instead of one that looks well', () => {
  const read = readOf(statusOf('eu', { copies: [{ ...copy, lagEntries: undefined, lagMs: undefined }] }));
  assert.deepEqual(read('copy_lag_entries'), []);
  assert.deepEqual(read('copy_lag_milliseconds'), []);
  assert.deepEqual(read('primary_copy_lag_entries').map(({ labels }) => labels['copy']), ['eu', 'na-east']);
});

test('a region node tells its space, its gateway and the outcomes of calls', () => {
  const read = readOf(statusOf('eu'));
  assert.deepEqual(read('space_players'), [{ labels: { region: 'eu' }, value: 50 }]);
  assert.deepEqual(read('space_tick_max_milliseconds'), [{ labels: { region: 'eu' }, value: 2 }]);
  assert.deepEqual(read('gateway_links'), [{ labels: {}, value: 50 }]);
  assert.deepEqual(read('gateway_sent_bytes_total'), [{ labels: {}, value: 500 }]);
  assert.deepEqual(read('gateway_outcomes_total')[0], { labels: { outcome: 'done' }, value: 5 });
  assert.deepEqual(readOf(statusOf('global-1'))('gateway_outcomes_total'), []);
});

test('a region node tells what placement told it: primaries, losses and whom witnesses doubt', () => {
  const nodes = [{ node: EU, incarnation: 1, suspectedBy: 3, failedBy: 2 }];
  const read = readOf(statusOf('asia', { placement: { regions: [eu], nodes } }));
  const labels = { region: 'eu' };
  assert.deepEqual(read('region_epoch'), [{ labels, value: 3 }]);
  assert.deepEqual(read('region_sought'), [{ labels, value: 1 }]);
  assert.deepEqual(read('region_lost_entries'), [{ labels, value: 3 }]);
  assert.deepEqual(read('region_primary_info'), [{ labels: { region: 'eu', node: 'asia' }, value: 1 }]);
  assert.deepEqual(read('node_suspected_by_witnesses'), [{ labels: { node: 'eu' }, value: 3 }]);
  assert.deepEqual(read('node_failed_by_witnesses'), [{ labels: { node: 'eu' }, value: 2 }]);
});

test('a node that was replaced is named by its number', () => {
  const nodes = [{ node: nodeId(77), incarnation: 1, suspectedBy: 5, failedBy: 5 }];
  const read = readOf(statusOf('asia', { placement: { regions: [], nodes } }));
  assert.deepEqual(read('node_failed_by_witnesses')[0]?.labels, { node: 'node-77' });
});

test('every node of a running world is measured by the rules of the format', async () => {
  const world = new SeedWorld();
  await world.ready();
  await world.clock.live(2_000);
  for (const { id, kind } of world.topology.nodes) {
    const families = readExposition(world.node(id).metrics());
    assert.equal(families.has('bluemarble_group_term'), kind === 'global');
    assert.equal(families.has('bluemarble_copy_epoch'), kind === 'region');
  }
  const serving = readExposition(world.node(REGION).metrics()).get('bluemarble_copy_serving') ?? [];
  assert.deepEqual(serving.filter(({ value }) => value === 1).map(({ labels }) => labels['region']), ['eu']);
});
