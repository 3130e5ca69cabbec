import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError } from '../../src/base/errors.ts';
import { knownCalls } from '../../src/client/known-calls.ts';
import type { OwnCalls } from '../../src/wire/own-calls.ts';

test('the stock world’s commands and queries are known, and a studio’s beside them', () => {
  const calls = knownCalls({ 'auction.bid': { kind: 'command', isRegional: false } });
  assert.deepEqual(calls.get('auction.bid'), { kind: 'command', isRegional: false });
  assert.deepEqual(calls.get('trade.give'), { kind: 'command', isRegional: false });
  assert.deepEqual(calls.get('chat.history'), { kind: 'query', isRegional: true });
  for (const name of ['account.logIn', 'position.enter', 'toString']) assert.ok(!calls.has(name));
});

const wrong: readonly (readonly [calls: unknown, sentence: RegExp])[] = [
  [{ 'trade.give': { kind: 'query', isRegional: false } }, /"trade.give" is a call of the stock world/],
  [{ 'account.logIn': { kind: 'query', isRegional: false } }, /"account.logIn" is a call of the stock world/],
  [{ 'a.b': { kind: 'account', isRegional: false } }, /"a.b" needs a kind/],
  [{ 'a.b': { kind: 'query' } }, /"a.b" needs a kind, command or query, and isRegional/],
  [{ [`a.${'b'.repeat(63)}`]: { kind: 'query', isRegional: false } }, /longer than the 64 characters/],
];

test('calls that no gateway would take for what they are, are refused before anything is sent', () => {
  for (const [calls, sentence] of wrong) {
    assert.throws(() => knownCalls(calls as OwnCalls), (error) => {
      assert.ok(error instanceof InvalidInputError);
      assert.match(error.message, sentence);
      return true;
    });
  }
});
