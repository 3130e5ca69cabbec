import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../src/base/crc32c.ts';
import { CorruptionError, InvalidInputError, InvariantError } from '../../src/base/errors.ts';
import { decodeReply, encodeCommand, encodeQuery } from '../../src/wire/command.ts';
import { findFeature, stockFeatures } from '../../src/world/catalogue.ts';
import type { Feature } from '../../src/world/feature.ts';
import { accounts } from '../../src/world/features/accounts.ts';
import { holdings } from '../../src/world/features/holdings.ts';
import { names } from '../../src/world/features/names.ts';
import { trade } from '../../src/world/features/trade.ts';
import { createGroupMachine } from '../../src/world/group-machine.ts';
import {
  AskedGroup,
  reasonOf,
  serviceCommand,
  SESSION_END_MS,
  varints,
} from '../support/asked-group.ts';

const nothing = new Uint8Array(0);

test('the stock world has its features in an order in which each finds what it needs', () => {
  const expected = ['accounts', 'names', 'holdings', 'trade', 'placement', 'chat', 'crafting'];
  assert.deepEqual(stockFeatures.map(({ name }) => name), expected);
  createGroupMachine(stockFeatures);
  assert.equal(findFeature('trade'), trade);
  assert.equal(findFeature('__proto__'), undefined);
});

test('a group whose features miss what they need can not be made', () => {
  assert.throws(() => createGroupMachine([trade, holdings]), InvariantError);
});

test('an answer carries the place in the log that decided it', () => {
  const group = new AskedGroup([names]);
  group.ask(1, 'names.release');
  const answer = group.ask(1, 'names.claim', { name: 'Ada' });
  assert.deepEqual(answer, { kind: 'done', order: 2, value: { name: 'Ada' } });
  assert.equal(group.query(1, 'names.of', { player: 1 }).order, 2);
});

test('bytes that are no command are a decided refusal, and the group goes on', () => {
  const group = new AskedGroup([names]);
  const before = group.machine.snapshot();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const reply = decodeReply(group.apply(bytes));
      assert.equal(reply.kind, 'rejected');
      assert.equal(reply.order, group.index);
      decodeReply(group.machine.query(bytes, group.index, group.timeMs));
    }),
  );
  assert.equal(reasonOf(group.answer('names.claim', group.apply(nothing))), 'unreadable-command');
  assert.deepEqual(group.machine.snapshot(), before);
  assert.equal(reasonOf(group.ask(1, 'names.claim', { name: 'Ada' })), 'done');
});

test('a call that there is not is refused, whatever its name', () => {
  const group = new AskedGroup([names, holdings]);
  const calls = ['names.steal', 'names', 'claim', '', '.', 'trade.give', 'names.owner', 'names.toString'];
  for (const call of [...calls, '__proto__.constructor', 'names.__proto__', 'names.constructor']) {
    const command = serviceCommand(call, nothing);
    assert.equal(reasonOf(group.answer('', group.apply(command))), 'unknown-call', call);
  }
  for (const call of ['names.claim', 'holdings.__proto__']) {
    const request = encodeQuery({ player: 1, call, args: nothing });
    const reply = decodeReply(group.machine.query(request, 1, 1));
    assert.equal(reply.kind === 'rejected' && reply.reason, 'unknown-call', call);
  }
});

test('a player may make the calls of players, our services the others, a mixture none', () => {
  const group = new AskedGroup([accounts, holdings]);
  const open = { sessionExpiresAtMs: SESSION_END_MS, number: 1, answeredBelow: 1 };
  const account = group.argsOf('accounts.openSession', { player: 1 });
  const asked = [
    { session: 7, player: 1, call: 'accounts.openSession', args: account },
    { session: 7, player: 0, call: 'accounts.openSession', args: account },
    { session: 0, player: 1, call: 'accounts.openSession', args: account },
    { session: 0, player: 0, call: 'holdings.open', args: nothing },
    { session: 0, player: 1, call: 'holdings.open', args: nothing },
    { session: 8, player: 0, call: 'holdings.open', args: nothing },
  ];
  for (const command of asked) {
    const reply = group.apply(encodeCommand({ ...open, ...command, number: group.index + 1 }));
    assert.equal(reasonOf(group.answer('', reply)), 'not-allowed', JSON.stringify(command));
  }
  assert.equal(reasonOf(group.query(1, 'holdings.audit')), 'not-allowed');
  assert.equal(reasonOf(group.query(1, 'holdings.of', { player: 2 })), 'not-allowed');
  assert.equal(reasonOf(group.query(0, 'holdings.mine')), 'not-allowed');
  assert.equal(reasonOf(group.query(1, 'accounts.readCredential', { name: 'ada' })), 'not-allowed');
});

test('arguments that are not of the agreed form are refused with a detail and change nothing', () => {
  const group = new AskedGroup([holdings, trade]);
  for (const player of [1, 2]) group.ask(player, 'holdings.open');
  const before = group.query(0, 'holdings.audit');
  const items = Array.from({ length: 17 }, (_, place) => place + 1);
  const hostile: readonly Uint8Array[] = [
    nothing,
    varints(2, 1),
    varints(2, 1, 0, 0),
    varints(0, 1, 0),
    varints(2, 1_000_000_000_001, 0),
    varints(2, Number.MAX_SAFE_INTEGER, 0),
    varints(2, 1, 17, ...items),
    varints(2, 1, Number.MAX_SAFE_INTEGER),
    varints(2, 1, 2, 1, 1),
    varints(2, 1, 1, 0),
    new Uint8Array(300).fill(0xff),
    new TextEncoder().encode('{"to":2,"gold":-1,"items":[]}'),
  ];
  for (const args of hostile) {
    const answer = group.answer('trade.give', group.apply(group.command(1, 'trade.give', args)));
    assert.equal(reasonOf(answer), 'invalid-input', String(args));
    assert.ok(answer.kind === 'rejected' && answer.detail !== undefined);
  }
  const after = group.query(0, 'holdings.audit');
  assert.deepEqual(after, { ...before, order: after.order });
  const request = encodeQuery({ player: 0, call: 'holdings.of', args: varints(0) });
  assert.equal(reasonOf(group.answer('', group.machine.query(request, 1, 1))), 'invalid-input');
});

test('a refusal of the sessions is an answer like others', () => {
  const group = new AskedGroup([names]);
  group.timeMs = SESSION_END_MS;
  const answer = group.ask(1, 'names.claim', { name: 'Ada' });
  assert.deepEqual(answer, { kind: 'rejected', order: 1, reason: 'session-expired' });
  group.timeMs -= 1;
  assert.equal(reasonOf(group.query(1, 'names.owner', { name: 'Ada' })), 'done');
});

test('a machine that replays the log and one that was restored have the same bytes', () => {
  const group = new AskedGroup(stockFeatures);
  const log: { index: number; timeMs: number; command: Uint8Array }[] = [];
  const step = (command: Uint8Array): void => {
    group.apply(command);
    log.push({ index: group.index, timeMs: group.timeMs, command });
    group.timeMs += 7_000;
  };
  for (let player = 1; player <= 4; player++) {
    const account = { name: `player-${player}`, credential: nothing, nonce: 'n' };
    step(serviceCommand('accounts.register', group.argsOf('accounts.register', account)));
    step(group.command(player, 'names.claim', { name: `Player ${player}` }));
    step(group.command(player, 'holdings.open', null));
  }
  const stake = (gold: number, ...items: readonly number[]): object => ({ gold, items });
  step(group.command(2, 'trade.give', { to: 1, gold: 5, items: [4, 6] }));
  step(group.command(1, 'trade.offer', { to: 3, give: stake(7, 4), want: stake(0, 7) }));
  step(group.command(3, 'names.release', null));
  step(group.command(4, 'trade.offer', { to: 1, give: stake(0, 10, 11), want: stake(9) }));
  const replay = createGroupMachine(stockFeatures);
  for (const entry of log) replay.apply(entry);
  const restored = createGroupMachine(stockFeatures);
  restored.restore(group.machine.snapshot());
  const bytes = group.machine.snapshot();
  assert.deepEqual(replay.snapshot(), bytes);
  assert.deepEqual(restored.snapshot(), bytes);
  assert.equal(crc32c(restored.snapshot()), crc32c(bytes));
});

test('a snapshot of other features, of another version, or cut anywhere is refused', () => {
  const group = new AskedGroup([names, holdings]);
  group.ask(1, 'names.claim', { name: 'Ada' });
  group.ask(1, 'holdings.open');
  const snapshot = group.machine.snapshot();
  const newer: Feature = { ...holdings, version: holdings.version + 1 };
  const others: readonly (readonly Feature[])[] = [
    [names],
    [holdings, names],
    [names, accounts],
    [names, newer],
    [names, holdings, trade],
  ];
  for (const features of others) {
    assert.throws(() => createGroupMachine(features).restore(snapshot), CorruptionError);
  }
  for (let length = 0; length < snapshot.length; length++) {
    assert.throws(
      () => createGroupMachine([names, holdings]).restore(snapshot.subarray(0, length)),
      (error) => error instanceof CorruptionError || error instanceof InvalidInputError,
    );
  }
});

test('a snapshot that can not be restored leaves the state as it was', () => {
  const group = new AskedGroup([names, holdings]);
  group.ask(1, 'names.claim', { name: 'Ada' });
  const before = group.machine.snapshot();
  const other = new AskedGroup([names, accounts]).machine.snapshot();
  assert.throws(() => group.machine.restore(other), CorruptionError);
  assert.deepEqual(group.machine.snapshot(), before);
});

test('what is due by the time of the log is done before the command, though it can not be read', () => {
  const group = new AskedGroup([holdings, trade]);
  for (const player of [1, 2]) group.ask(player, 'holdings.open');
  const offer = { to: 2, give: { gold: 9, items: [] }, want: { gold: 0, items: [] } };
  group.ask(1, 'trade.offer', offer);
  group.timeMs += 60_000;
  group.apply(nothing);
  assert.deepEqual(group.notices.map(({ player, push }) => [player, push]), [
    [1, 'trade.settled'],
    [2, 'trade.settled'],
  ]);
});
