// The operator's count of a node's copies.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Inspection } from '../../src/runtime/group.ts';
import { Auditor } from '../../src/services/auditor.ts';
import { encodeCommand } from '../../src/wire/command.ts';
import { encodeWith, nothing } from '../../src/wire/schema.ts';
import { findFeature } from '../../src/world/catalogue.ts';
import type { Feature } from '../../src/world/feature.ts';
import { createGroupMachine } from '../../src/world/group-machine.ts';
import { SoloGroup } from '../support/tiny-world.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function economy(clock: VirtualClock): { group: SoloGroup; features: readonly Feature[] } {
  const features = [findFeature('holdings'), findFeature('trade')].flatMap((each) => each ?? []);
  const none = { tell: () => {} };
  const machine = createGroupMachine(features);
  return { group: new SoloGroup('economy', machine, clock, () => none as never), features };
}

function open(group: SoloGroup, player: number): void {
  const command = encodeCommand({
    session: player,
    sessionExpiresAtMs: Number.MAX_SAFE_INTEGER,
    number: 1,
    answeredBelow: 1,
    player,
    call: 'holdings.open',
    args: encodeWith(nothing, null),
  });
  group.propose(command, () => {});
}

test('an audit says how far a copy is, what its state hashes to, and what its books say', () => {
  const clock = new VirtualClock();
  const { group, features } = economy(clock);
  open(group, 1);
  open(group, 2);
  const auditor = new Auditor(clock);
  auditor.add(group, features);
  const [audit] = auditor.audit(false);
  assert.equal(audit?.group, 'economy');
  assert.equal(audit?.applied, 2);
  assert.equal(audit?.stateHash, group.inspect().stateHash);
  assert.deepEqual(audit?.facts['holdings.audit'], {
    players: 2,
    goldMinted: 2_000,
    goldHeld: 2_000,
    goldLocked: 0,
    itemsMinted: 6,
    itemsHeld: 6,
    itemsLocked: 0,
    itemsConsumed: 0,
  });
});

test('an audit that is dear to make is not made again at once', () => {
  const clock = new VirtualClock();
  const { group, features } = economy(clock);
  const inspect = group.inspect.bind(group);
  group.inspect = (): Inspection => {
    clock.advance(50);
    return inspect();
  };
  const auditor = new Auditor(clock);
  auditor.add(group, features);
  assert.equal(auditor.audit(false)[0]?.applied, 0);
  open(group, 1);
  clock.advance(20_000);
  assert.equal(auditor.audit(false)[0]?.applied, 0);
  clock.advance(5_000);
  assert.equal(auditor.audit(false)[0]?.applied, 1);
});

test('an operator who insists gets a fresh count at once', () => {
  const clock = new VirtualClock();
  const { group, features } = economy(clock);
  const auditor = new Auditor(clock);
  auditor.add(group, features);
  assert.equal(auditor.audit(false)[0]?.applied, 0);
  open(group, 1);
  assert.equal(auditor.audit(true)[0]?.applied, 1);
});
