// States saved slice by slice: the same bytes as at once, whatever is applied in between.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { StateMachine } from '../../src/protocols/state-machine.ts';
import { slicesOf } from '../../src/protocols/state-machine.ts';
import { createGroupMachine } from '../../src/world/group-machine.ts';
import { hoard, putCommand } from '../support/hoard-feature.ts';

function filled(): StateMachine {
  const machine = createGroupMachine([hoard]);
  for (let i = 1; i <= 5_000; i++) apply(machine, i);
  return machine;
}

function apply(machine: StateMachine, i: number): void {
  machine.apply({ index: i, timeMs: 1_000 + i, command: putCommand({ key: i, value: i, session: i }) });
}

test('slices are the bytes of the moment when they began, though the state goes on', () => {
  const machine = filled();
  const before = machine.snapshot();
  const work = slicesOf(machine);
  let [count, step] = [0, work.next()];
  for (; step.done !== true; step = work.next()) {
    count += 1;
    apply(machine, 5_000 + count);
  }
  assert.ok(count >= 4, `${count} slices`);
  assert.deepEqual(Buffer.concat(step.value), Buffer.from(before));
  const other = createGroupMachine([hoard]);
  other.restore(Buffer.concat(step.value));
  for (let i = 1; i <= count; i++) apply(other, 5_000 + i);
  assert.deepEqual(other.snapshot(), machine.snapshot());
});
