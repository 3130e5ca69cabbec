import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32c } from '../../src/base/crc32c.ts';
import { createGroupMachine } from '../../src/world/group-machine.ts';
import { type HashedState, hashInPieces, HASH_PLACES, isHashPlace } from '../../src/runtime/state-hash.ts';
import { hoard, putCommand } from '../support/hoard-feature.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const { stateHashEvery, hashedBytesPerEntry } = HASH_PLACES;

const placesUntil = (entries: number, stateBytes: number): readonly number[] =>
  Array.from({ length: entries }, (_, i) => i + 1).filter((index) =>
    isHashPlace(index, stateBytes, HASH_PLACES),
  );

/** Each look at it takes a millisecond, so that a piece of work is one step. */
class HurriedClock extends VirtualClock {
  #looks = 0;
  #wakes: (() => void)[] = [];

  override monotonicMs(): number {
    return this.#looks++;
  }

  override wakeAt(_atMs: number, wake: () => void): () => void {
    this.#wakes.push(wake);
    return () => {};
  }

  goOn(): void {
    const due = this.#wakes;
    assert.equal(due.length, 1, 'the walk is under way');
    this.#wakes = [];
    for (const wake of due) wake();
  }
}

test('the larger a state, the fewer places, and members that measure it otherwise share the fewer', () => {
  const entries = 16 * stateHashEvery;
  const small = placesUntil(entries, 0);
  const large = placesUntil(entries, 3 * stateHashEvery * hashedBytesPerEntry);
  assert.deepEqual([small.length, large.length], [16, 4]);
  assert.ok(large.every((index) => small.includes(index)));
});

test('the hash is of the state at which the walk began, whatever is applied before it ends', () => {
  const machine = createGroupMachine([hoard]);
  const put = (i: number): void => {
    const command = putCommand({ key: i, value: i, session: i });
    machine.apply({ index: i, timeMs: 1_000 + i, command });
  };
  for (let i = 1; i <= 20_000; i++) put(i);
  const before = machine.snapshot();
  const clock = new HurriedClock();
  let hashed: HashedState | undefined;
  hashInPieces(machine, { clock, guarded: (work) => work() }, (found) => (hashed = found));
  for (let i = 1; hashed === undefined; i++) {
    put(i);
    put(20_000 + i);
    clock.goOn();
  }
  assert.deepEqual(hashed, { hash: crc32c(before), bytes: before.length });
  assert.notEqual(crc32c(machine.snapshot()), crc32c(before));
});
