// What the control socket answers, also to questions that make no sense.
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Answer, answerOperator } from '../../src/host/operator.ts';
import { Network } from '../../src/host/network.ts';
import { NodeKeeper } from '../../src/host/node-keeper.ts';
import { viewOf, type WorldView } from '../../src/host/view.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { factsOf, sampleOf, topology } from '../support/world-views.ts';

function view(): WorldView {
  const around = { upMs: 0, nodes: factsOf(), leaderChanges: 0, linkFaults: [], crowd: undefined };
  return viewOf(topology, sampleOf({ economy: { leader: 2, term: 7 } }), undefined, around);
}

function ask(question: unknown, keepers: ReadonlyMap<string, NodeKeeper> = new Map()): Promise<Answer> {
  const keeper = (name: string): NodeKeeper | undefined => keepers.get(name);
  const network = new Network({ topology, base: [], tell: () => {} });
  return answerOperator({ view: () => Promise.resolve(view()), keeper, network }, question);
}

function kept(name: string): NodeKeeper {
  const child = { pid: 42, signal: () => {}, tell: () => {} };
  const clock = new VirtualClock();
  const keeper = new NodeKeeper({ name, clock, start: () => child, told: () => {} });
  keeper.start();
  return keeper;
}

test('status is answered with the view', async () => {
  const answer = await ask({ kind: 'status' });
  assert.equal(answer.kind === 'status' && answer.view.world, 'world-test');
});

test('an action is done to the nodes that are meant, and told for each', async () => {
  const keepers = new Map([['global-2', kept('global-2')]]);
  const answer = await ask({ kind: 'pause', nodes: ['leader:economy'] }, keepers);
  assert.deepEqual(answer, {
    kind: 'acted',
    deeds: [{ node: 'global-2', done: true, text: 'global-2 (process 42) is paused' }],
  });
  const again = await ask({ kind: 'pause', nodes: ['global-2'] }, keepers);
  assert.equal(again.kind === 'acted' && again.deeds[0]?.done, false);
});

test('questions of a foreign form are refused in a sentence', async () => {
  const nodes = Array.from({ length: 65 }, () => 'eu');
  const questions = [
    undefined,
    null,
    7,
    'kill',
    {},
    { kind: 'explode', nodes: ['eu'] },
    { kind: 'kill' },
    { kind: 'kill', nodes: [] },
    { kind: 'kill', nodes: [1] },
    { kind: 'kill', nodes },
  ];
  for (const question of questions) {
    assert.equal((await ask(question)).kind, 'refused', JSON.stringify(question));
  }
});

test('an unknown node is refused before anything is done', async () => {
  const keepers = new Map([['eu', kept('eu')]]);
  const answer = await ask({ kind: 'pause', nodes: ['eu', 'mars'] }, keepers);
  assert.equal(answer.kind, 'refused');
  assert.equal(keepers.get('eu')?.facts.condition, 'starting');
});
