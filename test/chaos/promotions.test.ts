import assert from 'node:assert/strict';
import test from 'node:test';
import { Promotions } from '../../src/chaos/promotions.ts';
import { nodeId } from '../../src/base/id.ts';
import { nameOf } from '../../src/host/view.ts';
import type { Appointment } from '../../src/wire/placement.ts';
import { founded, sampleOf, topology } from '../support/world-views.ts';

const at = (sequence: number): { epoch: number; sequence: number } => ({ epoch: 1, sequence });
const promoted: Appointment = {
  epoch: 2,
  primary: nodeId(9),
  former: nodeId(8),
  cause: 'failed',
  atMs: 1,
  start: at(70),
  mayLose: 2,
  lost: [],
};

function told(promotions: Promotions, ...appointments: readonly Appointment[]): void {
  const { nodes, regions } = founded();
  const placed = regions.map((region) => (region.number === 103 ? { ...region, appointments } : region));
  promotions.note(sampleOf({}, { placement: { nodes, regions: placed } }).statuses);
}

test('a promotion counts once, and costs what the returning copy really had', () => {
  const promotions = new Promotions(topology, (node) => nameOf(topology, node));
  told(promotions, promoted);
  assert.deepEqual(promotions.lostPlaces, [{ key: 'eu', value: { from: 71, to: 72 } }]);
  told(promotions, { ...promoted, lost: [{ node: nodeId(8), from: at(71), to: at(75) }] });
  told(promotions, promoted);
  assert.equal(promotions.count, 1);
  assert.equal(promotions.lostEntries, 5);
  assert.deepEqual(promotions.lostPlaces.at(-1), { key: 'eu', value: { from: 71, to: 75 } });
  assert.deepEqual(promotions.appointments, [{ group: 'eu', epoch: 2, node: 'asia' }]);
});

test('what placement has forgotten is remembered, and a second primary of an epoch shows', () => {
  const promotions = new Promotions(topology, (node) => nameOf(topology, node));
  told(promotions, promoted);
  told(promotions, { ...promoted, epoch: 3, mayLose: 0 });
  told(promotions, { ...promoted, epoch: 3, mayLose: 0, primary: nodeId(6) });
  assert.equal(promotions.count, 2);
  assert.equal(promotions.lostEntries, 2);
  assert.equal(promotions.appointments.filter(({ epoch }) => epoch === 3).length, 2);
});

test('what only a disk held that never comes back is lost from where the next primary went on', () => {
  const promotions = new Promotions(topology, (node) => nameOf(topology, node));
  told(promotions, { ...promoted, mayLose: 0 }, { ...promoted, epoch: 4, start: at(90), mayLose: 0 });
  promotions.noteGone({ region: 'eu', end: { epoch: 4, sequence: 120 } });
  promotions.noteGone({ region: 'eu', end: { epoch: 1, sequence: 70 } });
  promotions.noteGone({ region: 'asia', end: { epoch: 1, sequence: 80 } });
  assert.deepEqual(promotions.lostPlaces, [], 'the log goes on from there');
  promotions.noteGone({ region: 'eu', end: { epoch: 1, sequence: 112 } });
  promotions.noteGone({ region: 'eu', end: { epoch: 1, sequence: 80 } });
  assert.deepEqual(promotions.lostPlaces, [{ key: 'eu', value: { from: 71, to: 112 } }]);
  assert.equal(promotions.lostEntries, 42);
});
