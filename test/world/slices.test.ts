// States saved slice by slice: the same bytes as at once, whatever is applied in between.
import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError } from '../../src/base/errors.ts';
import { Random } from '../../src/base/random.ts';
import { restoredInSlices, slicesOf, type StateMachine } from '../../src/protocols/state-machine.ts';
import { accounts } from '../../src/world/features/accounts.ts';
import { chat } from '../../src/world/features/chat.ts';
import { crafting } from '../../src/world/features/crafting.ts';
import { holdings } from '../../src/world/features/holdings.ts';
import { names } from '../../src/world/features/names.ts';
import { trade } from '../../src/world/features/trade.ts';
import { createGroupMachine } from '../../src/world/group-machine.ts';
import { AskedGroup } from '../support/asked-group.ts';
import { hoard, putCommand } from '../support/hoard-feature.ts';

/** One random command of a random player. */
type Deed = (group: AskedGroup, random: Random, player: number) => void;

function filled(): StateMachine {
  const machine = createGroupMachine([hoard]);
  for (let i = 1; i <= 5_000; i++) apply(machine, i);
  return machine;
}

function apply(machine: StateMachine, i: number): void {
  machine.apply({ index: i, timeMs: 1_000 + i, command: putCommand({ key: i, value: i, session: i }) });
}

/** Walks over the group's state three times, with random deeds in between and before. */
function walkAmong(group: AskedGroup, deed: Deed, players: number): void {
  const random = new Random('slices');
  const act = (): void => {
    group.timeMs += random.integer(0, 3);
    deed(group, random, random.integer(1, players));
  };
  const twin = createGroupMachine(group.features);
  for (let walk = 0; walk < 3; walk++) {
    for (let i = 0; i < 500; i++) act();
    const before = group.machine.snapshot();
    const work = slicesOf(group.machine);
    let [count, step] = [0, work.next()];
    for (; step.done !== true; step = work.next()) {
      count += 1;
      for (let i = 0; i < 60; i++) act();
      // A look at the state as it is now disturbs no walk, and a walk no look.
      if (count === 2) twin.restore(group.machine.snapshot());
    }
    assert.ok(count >= 4, `${count} slices`);
    assert.ok(Buffer.concat(step.value).equals(before), `walk ${walk}`);
    // Equal states give equal bytes, whatever way they came about.
    const after = group.machine.snapshot();
    const restoring = restoredInSlices(twin, after);
    let restored = 0;
    while (restoring.next().done !== true) restored += 1;
    assert.ok(restored >= 4, `${restored} slices`);
    assert.ok(Buffer.from(twin.snapshot()).equals(after));
    assert.ok(!Buffer.from(before).equals(after));
  }
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

test('a state is restored in slices: the old one until the last step, then the new one as a whole', () => {
  const [source, target] = [filled(), createGroupMachine([hoard])];
  apply(target, 9);
  const [wanted, before] = [source.snapshot(), target.snapshot()];
  const work = restoredInSlices(target, wanted);
  let [count, step] = [0, work.next()];
  for (; step.done !== true; step = work.next()) {
    count += 1;
    assert.deepEqual(target.snapshot(), before);
  }
  assert.ok(count >= 4, `${count} slices`);
  assert.deepEqual(target.snapshot(), wanted);
});

test('a state that can not be read leaves the old one as it was, wherever the fault is', () => {
  const wanted = filled().snapshot();
  const target = createGroupMachine([hoard]);
  apply(target, 9);
  const before = target.snapshot();
  for (const length of [3, wanted.length >> 1, wanted.length - 1]) {
    assert.throws(() => target.restore(wanted.subarray(0, length)), InvalidInputError);
    assert.deepEqual(target.snapshot(), before);
  }
});

test('a walk over the economy sees one moment of it, whatever is opened, given, offered and settled', () => {
  const none = { gold: 0, items: [] };
  const group = new AskedGroup([holdings, trade, names, accounts]);
  for (let player = 1; player <= 3_000; player++) {
    group.ask(player, 'holdings.open');
    group.ask(player, 'names.claim', { name: `Name ${player}` });
    group.serve('accounts.register', {
      name: `player-${player}`,
      credential: new Uint8Array(40),
      nonce: `nonce ${player}`,
    });
    const offered = { to: player - 1, give: { gold: 1, items: [] }, want: none };
    group.ask(player, 'trade.offer', offered);
  }
  walkAmong(group, economyDeed, 3_000);
});

test('a walk over a region sees one moment of it, whatever is said, gathered and made', () => {
  const group = new AskedGroup([chat, crafting]);
  for (let player = 1; player <= 4_000; player++) {
    group.ask(player, 'crafting.gather', { material: 'wood' });
    group.ask(player, 'chat.say', { channel: 'region', text: `I am ${player}` });
  }
  walkAmong(group, regionDeed, 4_020);
});

function economyDeed(group: AskedGroup, random: Random, player: number): void {
  const [to, gold] = [random.integer(1, 3_000), random.integer(0, 20)];
  // A player's first items have these numbers, wherever they are now.
  const item = player * 3 - random.integer(0, 2);
  const stake = { gold, items: random.integer(0, 1) === 1 ? [item] : [] };
  const dice = random.integer(0, 9);
  if (dice === 0) group.ask(random.integer(3_001, 9_000), 'holdings.open');
  else if (dice <= 2) group.ask(player, 'trade.give', { to, ...stake });
  else if (dice <= 5) {
    const wish = { to, give: stake, want: { gold: 1, items: [] } };
    const made = group.ask(player, 'trade.offer', wish);
    if (made.kind === 'done' && dice <= 4) {
      const [who, call] = dice === 3 ? [to, 'trade.accept'] : [player, 'trade.withdraw'];
      group.ask(who, call, { offer: (made.value as { readonly offer: number }).offer });
    }
  } else if (dice === 6) group.ask(player, 'names.release');
  else if (dice === 7) group.ask(player, 'names.claim', { name: `Other ${player}` });
  else if (dice === 8) {
    const name = `late-${random.integer(0, 1_000_000)}`;
    group.serve('accounts.register', { name, credential: new Uint8Array(40), nonce: name });
  } else group.ask(player, 'trade.withdraw', { offer: 4 * player });
}

function regionDeed(group: AskedGroup, random: Random, player: number): void {
  const dice = random.integer(0, 9);
  if (dice <= 3) group.ask(player, 'crafting.gather', { material: 'wood' });
  else if (dice <= 6) {
    const job = group.ask(player, 'crafting.start', { recipe: 'plank', item: null });
    group.timeMs += 100;
    if (job.kind === 'done') group.ask(player, 'crafting.collect', { job: job.order });
  } else {
    const said = { channel: dice === 7 ? 'world' : 'region', text: 'well' };
    // Of a client that does not say which answers it has: all of them are remembered.
    group.apply(group.command(player, 'chat.say', said, { answeredBelow: 1 }));
  }
}
