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
    trailing: 0,
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

test('a replica that trails is not compared, and one that differs among the others is found', () => {
  const economy = { leader: 1, term: 1, index: 50 };
  const places = (hashOf3: number) => {
    const sample = sampleOf({ economy: { ...economy, hash: (node) => (node === 3 ? hashOf3 : 7) } });
    const audits = new Map(sample.audits);
    const late = sampleOf({ economy: { ...economy, index: 40, hash: () => 6 } }).audits.get('global-1');
    audits.set('global-1', late ?? assert.fail());
    return { ...sample, audits };
  };
  const [sound, differing] = [new Agreement(), new Agreement()];
  assert.deepEqual(sound.note(places(7)), []);
  const { index, compared, trailing, isEqual } = economyOf(sound, places(7)) ?? assert.fail();
  assert.deepEqual([index, compared, trailing, isEqual], [50, 4, 1, true]);
  assert.equal(differing.note(places(8)).length, 1);
  assert.equal(economyOf(differing, places(8))?.isEqual, false);
});

test('copies of a region are compared where one epoch wrote the same place', () => {
  const agreement = new Agreement();
  const sample = (epochs: readonly number[], hash: number): ReturnType<typeof sampleOf> => {
    const { copies, name } = topology.regions[0] ?? assert.fail();
    const audits = copies.map((id, place) => {
      const node = topology.nodes.find((each) => each.id === id)?.name ?? '';
      const copy = { applied: 7, epoch: epochs[place] ?? 1, stateHash: hash + (epochs[place] ?? 1) };
      const groups = [{ ...copy, group: name, facts: {} }];
      return [node, { name: node, world: topology.world, groups }] as const;
    });
    return { atMs: 0, statuses: new Map(), audits: new Map(audits) };
  };
  const { name } = topology.regions[0] ?? assert.fail();
  const standing = (of: ReturnType<typeof sampleOf>) =>
    agreement.standings(topology, of).find(({ group }) => group === name);
  // A lost tail: another entry at the same place is no difference, but not all stand there yet.
  const promoted = sample([1, 2, 2], 5);
  assert.deepEqual(agreement.note(promoted), []);
  assert.deepEqual(standing(promoted), {
    ...{ group: name, index: 7, stateHash: 7 },
    ...{ compared: 2, members: 3, trailing: 1, isEqual: true },
  });
  const level = sample([2, 2, 2], 5);
  assert.deepEqual(agreement.note(level), []);
  assert.deepEqual(standing(level), {
    ...{ group: name, index: 7, stateHash: 7 },
    ...{ compared: 3, members: 3, trailing: 0, isEqual: true },
  });
  assert.equal(agreement.note(sample([2, 2, 2], 6)).length, 1);
});
