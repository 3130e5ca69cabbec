// The names of test players: what the world accepts, unique, and the same in every run.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { accountOf, worldNameOf } from '../../src/crowd/names.ts';
import { claimName, register } from '../../src/wire/calls.ts';

test('every account and every name is of the form that the world accepts', () => {
  const seeds = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 10_000 }), (seed, number) => {
      register.args.parse(accountOf({ world: 'world-0123456789ab', seed, number }), 'account');
      claimName.args.parse({ name: worldNameOf({ seed, number }) }, 'claim');
    }),
  );
});

test('no two players of any two seeds share an account or a name', () => {
  const accounts = new Set<string>();
  const names = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    for (let number = 1; number <= 50; number++) {
      accounts.add(accountOf({ world: 'w', seed, number }).name);
      names.add(worldNameOf({ seed, number }).toLowerCase());
    }
  }
  assert.equal(accounts.size, 1_000);
  assert.equal(names.size, 1_000);
});

test('a second run finds the same accounts again', () => {
  const who = { world: 'w', seed: 3, number: 7 };
  assert.deepEqual(accountOf(who), accountOf(who));
  assert.equal(worldNameOf(who), worldNameOf(who));
});
