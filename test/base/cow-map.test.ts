import assert from 'node:assert/strict';
import test from 'node:test';
import { CowMap } from '../../src/base/cow-map.ts';
import { Random } from '../../src/base/random.ts';

/** The same random calls on both; the map is frozen, walked and thawed in between. */
function compare(seed: number): void {
  const random = new Random(`cow ${seed}`);
  const [map, plain] = [new CowMap<number, number>(), new Map<number, number>()];
  let walk: { readonly seen: [number, number][]; readonly rest: Iterator<[number, number]> } | undefined;
  let expected: [number, number][] = [];
  for (let step = 0; step < 300; step++) {
    const key = random.integer(0, 12);
    const dice = random.integer(0, 9);
    if (dice <= 5) {
      map.set(key, step);
      plain.set(key, step);
    } else if (dice <= 7) {
      assert.equal(map.delete(key), plain.delete(key));
    } else if (dice === 8 && walk === undefined) {
      expected = [...plain];
      walk = { seen: [], rest: map.freeze()[Symbol.iterator]() };
    } else if (walk !== undefined) {
      const next = walk.rest.next();
      if (next.done !== true) walk.seen.push(next.value);
      else if (map.thaw(random.integer(1, 3))) {
        assert.deepEqual(walk.seen, expected);
        walk = undefined;
      }
    }
    assert.equal(map.size, plain.size);
    assert.equal(map.get(key), plain.get(key));
    assert.equal(map.has(key), plain.has(key));
    assert.deepEqual([...map], [...plain]);
    assert.deepEqual([...map.values()], [...plain.values()]);
  }
}

test('it looks like a plain map all the time, and a frozen walk sees the moment when it began', () => {
  for (let seed = 1; seed <= 100; seed++) compare(seed);
});
