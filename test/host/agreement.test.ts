// Replicas that agree, and those that do not.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Agreement } from '../../src/host/agreement.ts';
import { sampleOf, topology } from '../support/world-views.ts';

const economyOf = (agreement: Agreement, sample: ReturnType<typeof sampleOf>) =>
  agreement.standings(topology, sample).find(({ group }) => group === 'economy');

test('replicas with equal hashes at the same index agree', () => {
  const agreement = new Agreement();
  const sample = sampleOf({ economy: { leader: 1, term: 1, index: 50 } });
  assert.deepEqual(agreement.note(sample), []);
  assert.deepEqual(economyOf(agreement, sample), {
    group: 'economy',
    index: 50,
    stateHash: 7,
    compared: 5,
    members: 5,
    isEqual: true,
  });
});

test('replicas that differ at the same index are told once and never forgiven', () => {
  const agreement = new Agreement();
  const hash = (node: number): number => (node === 4 ? 8 : 7);
  const [event] = agreement.note(sampleOf({ economy: { leader: 1, term: 1, index: 50, hash } }));
  assert.match(event ?? '', /economy: global-4 and global-1 differ at index 50/);
  const later = sampleOf({ economy: { leader: 1, term: 1, index: 60 } });
  assert.deepEqual(agreement.note(later), []);
  assert.equal(economyOf(agreement, later)?.isEqual, false);
});

test('a difference is found although the replicas pass an index at different times', () => {
  const agreement = new Agreement();
  const first = { economy: { leader: 1, term: 1, index: 50 } };
  agreement.note(sampleOf(first, { answering: ['global-1'] }));
  const second = { economy: { leader: 1, term: 1, index: 50, hash: () => 9 } };
  assert.equal(agreement.note(sampleOf(second, { answering: ['global-2'] })).length, 1);
});

test('replicas that do not answer are left out and not counted', () => {
  const agreement = new Agreement();
  const economy = { leader: 1, term: 1 };
  const sample = sampleOf({ economy }, { answering: ['global-1', 'global-2', 'global-3'] });
  assert.equal(economyOf(agreement, sample)?.compared, 3);
  assert.equal(economyOf(agreement, sample)?.isEqual, true);
});
