// What the logs of a drill say of a studio's features: sound ones, and those that only a replay shows.
import assert from 'node:assert/strict';
import test from 'node:test';
import { CorruptionError } from '../../src/base/errors.ts';
import { playerId } from '../../src/base/id.ts';
import { type OwnQuery, ownTruth, type OwnTruth } from '../../src/chaos/own-truth.ts';
import { surroundingsOf } from '../../src/services/topology/surroundings.ts';
import { seedTopology, type Topology } from '../../src/services/topology/topology.ts';
import { encodeCommand } from '../../src/wire/command.ts';
import { encodeWith } from '../../src/wire/schema.ts';
import type { Tapped } from '../../src/wire/tap.ts';
import { stockFeatures } from '../../src/world/catalogue.ts';
import type { Feature } from '../../src/world/feature.ts';
import { createGroupMachine } from '../../src/world/group-machine.ts';
import { addition, purse } from '../support/purse-feature.ts';

const PLAYER = 7;

function topologyWith(own: Feature): Topology {
  const seed = seedTopology({ world: 'drilled' });
  const groups = seed.groups.map((group) =>
    group.name === 'economy' ? { ...group, features: [...group.features, own.name] } : group,
  );
  return { ...seed, groups };
}

/** What a node of that world would write down of additions, behind the opening of the first term. */
function applied(own: Feature, amounts: readonly number[]): readonly Tapped[] {
  const topology = topologyWith(own);
  const plan = topology.groups.find(({ name }) => name === 'economy');
  assert.ok(plan);
  const held = [...stockFeatures, own].filter(({ name }) => plan.features.includes(name));
  const machine = createGroupMachine(held, surroundingsOf(topology, plan.number));
  const entries: Tapped[] = [{ epoch: 1, index: 1, timeMs: 1, applied: undefined }];
  for (const [at, amount] of amounts.entries()) {
    const bytes = encodeCommand({
      session: 1,
      sessionExpiresAtMs: 1_000_000,
      number: at + 1,
      answeredBelow: at + 1,
      player: PLAYER,
      call: 'purse.add',
      args: encodeWith(addition, { amount }),
    });
    const entry = { index: at + 2, timeMs: at + 2, command: bytes };
    const { reply } = machine.apply(entry);
    entries.push({ epoch: 1, index: at + 2, timeMs: at + 2, applied: { command: bytes, reply } });
  }
  return entries;
}

function judged(
  own: Feature,
  lives: readonly (readonly Tapped[])[],
  queries: readonly OwnQuery[] = [],
): OwnTruth {
  const taken = lives.map((entries, at) => ({ node: `global-${at + 1}`, log: 'economy', entries }));
  const features = [...stockFeatures, own];
  return ownTruth({ topology: topologyWith(own), features, own: [own], taken, queries });
}

function look(order: number): OwnQuery {
  return { log: 'economy', order, player: playerId(PLAYER), call: 'purse.look', args: null };
}

test('of a sound feature the log says what was asked and answered, and what a reading had to be', () => {
  const own = purse();
  const entries = applied(own, [5, 6]);
  const truth = judged(own, [entries, entries], [look(2), look(1), look(3)]);
  assert.deepEqual([truth.unknown, truth.differing, truth.wrong, truth.forgotten], [[], [], [], []]);
  const add = { process: '7', f: 'purse.add' } as const;
  assert.deepEqual(truth.applied, [
    { log: 'economy', order: 2, value: { ...add, args: { amount: 5 }, answer: { sum: 5, adds: 1 } } },
    { log: 'economy', order: 3, value: { ...add, args: { amount: 6 }, answer: { sum: 11, adds: 2 } } },
  ]);
  assert.deepEqual(
    truth.shown.map(({ order, value }) => [order, value.answer]),
    [
      [1, { sum: 0, adds: 0 }],
      [2, { sum: 5, adds: 1 }],
      [3, { sum: 11, adds: 2 }],
    ],
  );
  assert.deepEqual(truth.logs, [{ log: 'economy', entries: 3 }]);
});

test('a repeated command stands at its first place alone', () => {
  const own = purse();
  const entries = applied(own, [5]);
  const again = { ...entries[1], index: 3 } as Tapped;
  const truth = judged(own, [[...entries, again]]);
  assert.deepEqual(truth.applied.map(({ order }) => order), [2]);
  assert.deepEqual(truth.wrong, []);
});

test('nodes that make different things of one entry are named with both answers', () => {
  let answered = 0;
  const own = purse({ lies: () => (answered += 1) });
  const { differing } = judged(own, [applied(own, [5]), applied(own, [5])]);
  assert.deepEqual(differing, [
    'economy at 2: purse.add {"amount":5} of player 7 -> {"sum":6,"adds":1} at global-1; ' +
      'purse.add {"amount":5} of player 7 -> {"sum":7,"adds":1} at global-2',
  ]);
});

test('what a fresh machine answers otherwise is named', () => {
  let answered = 0;
  const own = purse({ lies: () => (answered += 1) });
  const { wrong, differing } = judged(own, [applied(own, [5])]);
  assert.deepEqual(differing, []);
  assert.deepEqual(wrong, [
    'economy at 2: purse.add {"amount":5} of player 7 -> {"sum":6,"adds":1}; ' +
      'replayed it is {"sum":7,"adds":1}',
  ]);
});

test('what a feature leaves out when it saves its state shows, although no node needed a checkpoint', () => {
  const own = purse({ forgets: true });
  const { wrong, forgotten } = judged(own, [applied(own, [5, 6])]);
  assert.deepEqual(wrong, []);
  assert.deepEqual(forgotten, [
    'economy at 3: purse.add {"amount":6} of player 7 -> {"sum":11,"adds":2}; ' +
      'replayed from the state that was saved after 2 it is {"sum":11,"adds":1}',
  ]);
});

test('a state that is another one once it was saved and loaded is named, or why it can not be loaded', () => {
  const loads = (what: () => number): readonly string[] => {
    const own = purse({ loads: what });
    return judged(own, [applied(own, [5])]).forgotten;
  };
  const differs = 'economy: the state after 1 is other bytes once it was saved and loaded';
  assert.deepEqual(loads(() => 9), [differs]);
  const refuse = (): never => {
    throw new CorruptionError('no such sum');
  };
  assert.deepEqual(loads(refuse), ['economy: the state after 1 can not be loaded: no such sum']);
  assert.deepEqual(loads(() => 0), []);
});

test('a log that is not known from its first entry on is not judged', () => {
  const own = purse();
  const truth = judged(own, [applied(own, [5, 6]).slice(1)], [look(2)]);
  assert.deepEqual(truth.unknown, ['economy: the nodes wrote down only what stands from 2 on']);
  assert.deepEqual([truth.applied, truth.shown, truth.logs], [[], [], []]);
  assert.deepEqual(judged(own, []).unknown, ['economy: the nodes wrote down nothing of it']);
});

test('a feature that throws where it is replayed leaves the log unjudged', () => {
  let isOver = false;
  const own = purse({
    lies: () => {
      if (isOver) throw new Error('no more');
      return 0;
    },
  });
  const entries = applied(own, [5]);
  isOver = true;
  assert.deepEqual(judged(own, [entries]).unknown, ['economy could not be replayed: no more']);
});
