// What the control socket answers, also to questions that make no sense.
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Answer, answerOperator, type Question } from '../../src/host/operator.ts';
import { Network } from '../../src/host/network.ts';
import { NodeKeeper } from '../../src/host/node-keeper.ts';
import type { ChangeableWorld } from '../../src/host/replacing.ts';
import { viewOf, type WorldView } from '../../src/host/view.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { factsOf, sampleOf, topology } from '../support/world-views.ts';

function view(): WorldView {
  const around = { upMs: 0, nodes: factsOf(), leaderChanges: 0, linkFaults: [], crowd: undefined };
  return viewOf(topology, sampleOf({ economy: { leader: 2, term: 7 } }), undefined, around);
}

const CUT = { cut: 'silent', delayMs: 0, jitterMs: 0, lossPerMille: 0 } as const;
/** Only asked what there is: nothing is changed in these tests. */
const changeable = { topology: () => topology } as unknown as ChangeableWorld;

function ask(
  question: unknown,
  keepers: ReadonlyMap<string, NodeKeeper> = new Map(),
  members?: ChangeableWorld,
): Promise<Answer> {
  const keeper = (name: string): NodeKeeper | undefined => keepers.get(name);
  const network = new Network({ topology, base: [], tell: () => {} });
  const clock = new VirtualClock();
  const world = { clock, view: () => Promise.resolve(view()), keeper, network };
  return answerOperator(members === undefined ? world : { ...world, changeable: members }, question);
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

test('every command answers a name that is not there with those that are, as a wrong usage', async () => {
  const questions: readonly (readonly [Question, RegExp])[] = [
    [{ kind: 'kill', nodes: ['mars'] }, /^There is no node "mars": name one of global-1, .*asia\.$/],
    [{ kind: 'checkpoint', region: 'mars' }, /^There is no region "mars": name one of na-west, .*asia\.$/],
    [{ kind: 'transfer', group: 'mars', node: 'eu' }, /^There is no group "mars": name one of auth, /],
    [{ kind: 'transfer', group: 'auth', node: 'mars' }, /^There is no node "mars": name one of global-1, /],
    [{ kind: 'promote', region: 'mars', node: 'eu', acceptLoss: false }, /^There is no region "mars": name/],
    [{ kind: 'promote', region: 'eu', node: 'mars', acceptLoss: true }, /^There is no node "mars": name/],
    [{ kind: 'replace', node: 'mars' }, /^There is no node "mars": name one of global-1, /],
    [{ kind: 'partition', sides: 'mars / rest', fault: CUT }, /^There is no node "mars": name one of /],
  ];
  for (const [question, sentence] of questions) {
    const answer = await ask(question, new Map(), changeable);
    assert.ok(answer.kind === 'refused', JSON.stringify(question));
    assert.match(answer.sentence, sentence);
    assert.equal(answer.isUsage, true);
  }
});

test('what the world is in no state for is no wrong usage', async () => {
  const answer = await ask({ kind: 'kill', nodes: ['leader:guild'] });
  assert.ok(answer.kind === 'refused');
  assert.match(answer.sentence, /^Nobody leads guild/);
  assert.notEqual(answer.isUsage, true);
});

test('an unknown node is refused before anything is done', async () => {
  const keepers = new Map([['eu', kept('eu')]]);
  const answer = await ask({ kind: 'pause', nodes: ['eu', 'mars'] }, keepers);
  assert.equal(answer.kind, 'refused');
  assert.equal(keepers.get('eu')?.facts.condition, 'starting');
});
