// Whom an operator means.
import assert from 'node:assert/strict';
import test from 'node:test';
import { selectNodes } from '../../src/host/selectors.ts';
import { viewOf, type WorldView } from '../../src/host/view.ts';
import { factsOf, founded, sampleOf, topology } from '../support/world-views.ts';

function viewWith(changes: Parameters<typeof factsOf>[0] = {}): WorldView {
  const nodes = factsOf(changes);
  const answering = nodes.filter(({ condition }) => condition === 'up').map(({ name }) => name);
  const groups = { economy: { leader: 2, term: 7 }, guild: { leader: 3, term: 1 } };
  const around = { upMs: 0, nodes, leaderChanges: 0, linkFaults: [], crowd: undefined };
  return viewOf(topology, sampleOf(groups, { answering, placement: founded() }), undefined, around);
}

function names(view: WorldView, ...selectors: string[]): readonly string[] {
  const selection = selectNodes(view, selectors);
  assert.equal(selection.kind, 'nodes', JSON.stringify(selection));
  return selection.kind === 'nodes' ? selection.names : [];
}

function sentence(view: WorldView, ...selectors: string[]): string {
  const selection = selectNodes(view, selectors);
  return selection.kind === 'nodes' ? assert.fail(JSON.stringify(selection)) : selection.sentence;
}

test('names name nodes, each once, in the order of naming', () => {
  assert.deepEqual(names(viewWith(), 'eu', 'global-1', 'eu'), ['eu', 'global-1']);
});

test('all is every node', () => {
  assert.equal(names(viewWith(), 'all').length, 9);
});

test('the leader of a group is whoever leads it now', () => {
  assert.deepEqual(names(viewWith(), 'leader:economy', 'leader:guild'), ['global-2', 'global-3']);
});

test('a follower is the first one that is up', () => {
  assert.deepEqual(names(viewWith(), 'follower:economy'), ['global-1']);
  assert.deepEqual(names(viewWith({ 'global-1': 'down' }), 'follower:economy'), ['global-3']);
});

test('an unknown node is answered by those there are', () => {
  assert.match(sentence(viewWith(), 'global-9'), /"global-9".*global-1, .*asia/);
  assert.match(sentence(viewWith(), 'boss:economy'), /"boss:economy"/);
  assert.match(sentence(viewWith(), 'leader:economy:2'), /There is no node/);
});

test('a name that is not there is told from a part that nobody plays now', () => {
  const view = viewWith({ 'global-2': 'down' });
  assert.equal(selectNodes(view, ['leader:chat']).kind, 'unknown');
  assert.equal(selectNodes(view, ['leader:economy']).kind, 'nobody');
});

test('an unknown group is answered by those there are', () => {
  assert.match(sentence(viewWith(), 'leader:chat'), /"chat".*auth, economy, guild/);
});

test('a group that nobody leads has no leader to name', () => {
  const view = viewWith({ 'global-2': 'down' });
  assert.match(sentence(view, 'leader:economy'), /Nobody leads economy/);
  assert.match(sentence(view, 'eu', 'follower:economy'), /Nobody leads economy/);
});

test('the primary of a region is whoever is it now, its replicas are all others', () => {
  const view = viewWith();
  assert.deepEqual(names(view, 'primary:eu', 'primary:na-west'), ['eu', 'na-west']);
  const others = names(view, 'replicas:eu');
  assert.equal(others.length, 2);
  assert.ok(!others.includes('eu'));
});

test('a replica is the first one that is up', () => {
  const [first = '', second = ''] = names(viewWith(), 'replicas:eu');
  assert.deepEqual(names(viewWith(), 'replica:eu'), [first]);
  assert.deepEqual(names(viewWith({ [first]: 'down' }), 'replica:eu'), [second]);
  assert.match(sentence(viewWith({ [first]: 'down', [second]: 'paused' }), 'replica:eu'), /No replica of eu/);
});

test('an unknown region is answered by those there are', () => {
  assert.match(sentence(viewWith(), 'primary:mars'), /"mars".*eu/);
  assert.match(sentence(viewWith(), 'primary:'), /There is no region ""/);
});

test('a region of whose primary nobody has heard has none to name', () => {
  const silent = Object.fromEntries(topology.nodes.map(({ name }) => [name, 'down'] as const));
  assert.match(sentence(viewWith(silent), 'primary:eu'), /Nobody knows the primary of eu/);
});
