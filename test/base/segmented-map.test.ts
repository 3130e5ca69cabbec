import assert from 'node:assert/strict';
import test from 'node:test';
import { Random } from '../../src/base/random.ts';
import { SegmentedMap } from '../../src/base/segmented-map.ts';

/** The same random calls on both; it grows over many segments, and shrinks again. */
function compare(seed: number): void {
  const random = new Random(`segments ${seed}`);
  const [map, plain] = [new SegmentedMap<number, number>(16), new Map<number, number>()];
  for (let step = 0; step < 600; step++) {
    const key = random.integer(0, 99);
    const removes = step % 200 >= 100 ? 7 : 2;
    if (random.chance(removes, 10)) {
      assert.equal(map.delete(key), plain.delete(key));
    } else {
      map.set(key, step);
      plain.set(key, step);
    }
    assert.equal(map.size, plain.size);
    assert.equal(map.get(key), plain.get(key));
    assert.equal(map.has(key), plain.has(key));
    assert.deepEqual([...map], [...plain]);
  }
}

test('it looks like a plain map all the time, in whatever order things come and go', () => {
  for (let seed = 1; seed <= 100; seed++) compare(seed);
});
