// What a drill of a studio's features refuses before it starts anything.
import assert from 'node:assert/strict';
import test from 'node:test';
import { StartError } from '../../src/adapters/node/start-error.ts';
import { mustShow } from '../../src/chaos/own-drill.ts';
import type { Deed } from '../../src/world/deed.ts';
import features from '../sim/worlds/forgetful-feature.ts';

function refusalOf(deed: Deed): string | undefined {
  const world = { file: 'my-world.ts', features, digest: '', drawDeed: () => deed };
  try {
    mustShow(world, { folder: undefined, seed: 1 });
    return undefined;
  } catch (cause) {
    assert.ok(cause instanceof StartError);
    return cause.message;
  }
}

test('deeds that players can do are taken, of own features and of the stock world', () => {
  assert.equal(refusalOf({ call: 'counter.count', args: null }), undefined);
  assert.equal(refusalOf({ call: 'holdings.mine', args: null }), undefined);
});

test('a deed that nobody can do is refused with its name, before any process starts', () => {
  for (const call of ['counter.lost', 'account.register', 'holdings.credit']) {
    assert.equal(
      refusalOf({ call, args: null }),
      `my-world.ts can not be drilled: drawDeed drew "${call}", which players can not ask`,
    );
  }
  const wrong = refusalOf({ call: 'counter.count', args: 7 }) ?? '';
  assert.match(wrong, /with arguments that it can not have: args/);
});
