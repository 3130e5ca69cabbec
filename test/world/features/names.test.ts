import assert from 'node:assert/strict';
import test from 'node:test';
import { names } from '../../../src/world/features/names.ts';
import { type Answer, AskedGroup, reasonOf } from '../../support/asked-group.ts';

const claim = (group: AskedGroup, player: number, name: string): Answer =>
  group.ask(player, 'names.claim', { name });
const ownerOf = (group: AskedGroup, name: string): unknown => {
  const answer = group.query(9, 'names.owner', { name });
  return answer.kind === 'done' ? answer.value : answer;
};
const nameOf = (group: AskedGroup, player: number): unknown => {
  const answer = group.query(9, 'names.of', { player });
  return answer.kind === 'done' ? answer.value : answer;
};

test('a name is granted once in the world', () => {
  const group = new AskedGroup([names]);
  assert.equal(reasonOf(claim(group, 1, 'Ada')), 'done');
  assert.equal(reasonOf(claim(group, 2, 'Ada')), 'name-taken');
  assert.deepEqual(ownerOf(group, 'Ada'), { player: 1 });
  assert.deepEqual(nameOf(group, 2), { name: null });
});

test('names that people would take for the same are the same', () => {
  const group = new AskedGroup([names]);
  claim(group, 1, 'Sea Wolf');
  for (const name of ['sea wolf', 'SEA-WOLF', "sea'wolf", 'Sea_Wolf']) {
    assert.equal(reasonOf(claim(group, 2, name)), 'name-taken', name);
    assert.deepEqual(ownerOf(group, name), { player: 1 });
  }
  assert.equal(reasonOf(claim(group, 2, 'SeaWolf')), 'done');
  assert.deepEqual(nameOf(group, 1), { name: 'Sea Wolf' });
});

test('a player has one name, and claiming it again is no fault and changes nothing', () => {
  const group = new AskedGroup([names]);
  claim(group, 1, 'Sea Wolf');
  assert.equal(reasonOf(claim(group, 1, 'Ada')), 'has-a-name');
  const again = claim(group, 1, 'SEA WOLF');
  assert.deepEqual(again.kind === 'done' && again.value, { name: 'Sea Wolf' });
  assert.deepEqual(nameOf(group, 1), { name: 'Sea Wolf' });
});

test('a name that was released is free for anyone', () => {
  const group = new AskedGroup([names]);
  claim(group, 1, 'Ada');
  assert.equal(reasonOf(group.ask(1, 'names.release')), 'done');
  assert.equal(reasonOf(group.ask(1, 'names.release')), 'no-name');
  assert.deepEqual(ownerOf(group, 'Ada'), { player: null });
  assert.equal(reasonOf(claim(group, 2, 'ada')), 'done');
  assert.equal(reasonOf(claim(group, 1, 'Bob')), 'done');
});

test('names outlive a restart', () => {
  const group = new AskedGroup([names]);
  claim(group, 1, 'Sea Wolf');
  group.restart();
  assert.equal(reasonOf(claim(group, 2, 'sea-wolf')), 'name-taken');
  assert.deepEqual(nameOf(group, 1), { name: 'Sea Wolf' });
});

test('text that is no name is refused before anyone looks it up', () => {
  const { args } = names.commands['claim'] ?? assert.fail();
  for (const name of ['Al', 'a'.repeat(21), ' Ada', 'Ada ', 'A  da', 'A--da', 'Ådа', 'Ada\n', '']) {
    assert.throws(() => args.parse({ name }, 'args'), name);
  }
  assert.deepEqual(args.parse({ name: "O'Hara 2-b_c" }, 'args'), { name: "O'Hara 2-b_c" });
});
