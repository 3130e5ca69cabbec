import assert from 'node:assert/strict';
import test from 'node:test';
import { done, rejected } from '../../../src/base/errors.ts';
import { Accounts, accounts, SESSION_OPEN_MS } from '../../../src/world/features/accounts.ts';
import { type Answer, AskedGroup, reasonOf, START_MS } from '../../support/asked-group.ts';
import { entryContext } from '../../support/entry-context.ts';

const credential = Uint8Array.of(1, 2, 3);
const ada = { name: 'ada', credential, nonce: 'first' };
const valueOf = (answer: Answer): unknown => (answer.kind === 'done' ? answer.value : answer);

test('players are numbered from one in the order in which they register', () => {
  const group = new AskedGroup([accounts]);
  for (let player = 1; player <= 3; player++) {
    const answer = group.serve('accounts.register', { ...ada, name: `player-${player}` });
    assert.deepEqual(valueOf(answer), {
      player,
      session: answer.order,
      expiresAtMs: START_MS + SESSION_OPEN_MS,
    });
  }
});

test('a name belongs to who registered it first', () => {
  const group = new AskedGroup([accounts]);
  group.serve('accounts.register', ada);
  const other = { ...ada, credential: Uint8Array.of(9), nonce: 'other' };
  assert.equal(reasonOf(group.serve('accounts.register', other)), 'name-taken');
  const read = group.query(0, 'accounts.readCredential', { name: 'ada' });
  assert.deepEqual(valueOf(read), { player: 1, credential });
});

test('a registration that is repeated is the same player, with a session that is open now', () => {
  const group = new AskedGroup([accounts]);
  group.serve('accounts.register', ada);
  group.timeMs += 1_000;
  const again = group.serve('accounts.register', { ...ada, credential: Uint8Array.of(4) });
  assert.deepEqual(valueOf(again), {
    player: 1,
    session: 2,
    expiresAtMs: START_MS + 1_000 + SESSION_OPEN_MS,
  });
  const read = group.query(0, 'accounts.readCredential', { name: 'ada' });
  assert.deepEqual(valueOf(read), { player: 1, credential });
  const next = group.serve('accounts.register', { ...ada, name: 'bob' });
  assert.equal((valueOf(next) as { player: number }).player, 2);
});

test('every log-in opens another session, known by its place in the log', () => {
  const group = new AskedGroup([accounts]);
  group.serve('accounts.register', ada);
  const sessions = [2, 3].map(() => valueOf(group.serve('accounts.openSession', { player: 1 })));
  assert.deepEqual(sessions, [
    { player: 1, session: 2, expiresAtMs: START_MS + SESSION_OPEN_MS },
    { player: 1, session: 3, expiresAtMs: START_MS + SESSION_OPEN_MS },
  ]);
});

test('there is no session and no credential of an account that there is not', () => {
  const group = new AskedGroup([accounts]);
  group.serve('accounts.register', ada);
  assert.equal(reasonOf(group.serve('accounts.openSession', { player: 2 })), 'no-such-account');
  const read = group.query(0, 'accounts.readCredential', { name: 'constructor' });
  assert.equal(reasonOf(read), 'no-such-account');
});

test('accounts outlive a restart, and the numbering goes on', () => {
  const group = new AskedGroup([accounts]);
  group.serve('accounts.register', ada);
  group.restart();
  assert.equal(reasonOf(group.serve('accounts.register', { ...ada, nonce: 'x' })), 'name-taken');
  const next = group.serve('accounts.register', { ...ada, name: 'bob' });
  assert.equal((valueOf(next) as { player: number }).player, 2);
});

test('a full world takes no new account, and still knows the old ones', () => {
  const state = new Accounts(1);
  const context = { ...entryContext(1, 5), player: 0 as never };
  const register = accounts.commands['register'];
  assert.equal(register?.apply(state, ada, context).kind, 'done');
  const bob = { ...ada, name: 'bob' };
  assert.deepEqual(register?.apply(state, bob, context), rejected('world-full'));
  const again = { player: 1, session: 1, expiresAtMs: 5 + SESSION_OPEN_MS };
  assert.deepEqual(register?.apply(state, ada, context), done(again));
});
