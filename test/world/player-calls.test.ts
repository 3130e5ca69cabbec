import assert from 'node:assert/strict';
import test from 'node:test';
import { callClass, isRegional } from '../../src/wire/player.ts';
import { stockFeatures } from '../../src/world/catalogue.ts';
import { playerCalls } from '../../src/world/player-calls.ts';

test('what features say of their calls is what the stock world’s client knows of them', () => {
  const calls = playerCalls(stockFeatures);
  const known = Object.entries(callClass)
    .filter(([, kind]) => kind === 'command' || kind === 'query')
    .map(([name, kind]) => [name, { kind, isRegional: isRegional(name) }] as const);
  assert.deepEqual(new Map(Object.entries(calls)), new Map(known));
});

test('what only services and operators may ask is none of a player’s calls', () => {
  const calls = Object.keys(playerCalls(stockFeatures));
  assert.ok(calls.includes('holdings.mine'));
  for (const name of ['holdings.audit', 'accounts.register']) assert.ok(!calls.includes(name));
});
