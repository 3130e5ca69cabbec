// The client's promises under schedules that lose, delay and repeat, and its single rules one by one.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Outcome } from '../../src/base/errors.ts';
import { Random } from '../../src/base/random.ts';
import { closings, formatOutcome, formatPush, parsePlayerFrame } from '../../src/wire/player.ts';
import { ModelWorld, type Mood, requestOf } from './model-world.ts';

const MOODS: readonly Mood[] = [
  'serve',
  'serve',
  'serve',
  'refuse',
  'full',
  'doubt',
  'doubt-applied',
  'silent',
];

test('whatever happens to links, each call settles once and its outcome is true', () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 400; seed++) {
    const random = new Random(seed);
    const world = new ModelWorld(random);
    world.logIn();
    for (let step = 0; step < 250; step++) disturb(world, random);
    if (seed % 4 === 0) world.run(world.client.close(world.nowMs));
    world.calm();
    if (seed % 4 !== 0) makesAnotherCall(world);
    for (const wire of world.wires.keys()) drain(world, wire);
    for (const [ticket, word] of world.words) {
      const outcome = world.settled.get(ticket);
      seen.add(outcome?.kind ?? 'nothing');
      judge(outcome, world.server.applied.get(word) ?? 0, `seed ${seed}, ticket ${ticket}`);
    }
  }
  assert.deepEqual([...seen].sort(), ['done', 'rejected', 'unavailable', 'uncertain']);
});

function disturb(world: ModelWorld, random: Random): void {
  const mood = random.pick(MOODS) ?? 'serve';
  switch (random.integer(0, 9)) {
    case 0:
    case 1: {
      if (world.words.size < 60) world.call(random.chance(1, 4) ? 'names.owner' : 'names.claim');
      return;
    }
    case 2: {
      const link = world.pickWire((wire) => wire.client === 'opening');
      if (link !== undefined) world.open(link, random.chance(3, 4));
      return;
    }
    case 3:
    case 4:
    case 5: {
      const link = world.pickWire((wire) => wire.up.length > 0);
      if (link !== undefined) world.deliverUp(link, mood, random.chance(1, 5));
      return;
    }
    case 6:
    case 7: {
      const link = world.pickWire((wire) => wire.down.length > 0);
      if (link !== undefined) world.deliverDown(link);
      return;
    }
    case 8:
      return world.pass(random.pick([1, 20, 400, 3_000]) ?? 1);
    default: {
      const link = world.pickWire((wire) => wire.client === 'open');
      if (link !== undefined && random.chance(1, 2)) world.break(link);
      else if (random.chance(1, 8)) for (const id of world.server.sessions.keys()) world.server.end(id);
    }
  }
}

function makesAnotherCall(world: ModelWorld): void {
  if (world.client.state === 'logged-out') world.logIn();
  const ticket = world.call('names.owner');
  world.calm();
  assert.equal(world.settled.get(ticket)?.kind, 'done', 'a client that is calm again works');
}

/** What is still on its way up arrives after all. */
function drain(world: ModelWorld, link: number): void {
  const wire = world.wires.get(link);
  while (wire !== undefined && wire.up.length > 0) world.deliverUp(link, 'serve');
}

function judge(outcome: Outcome<unknown> | undefined, applied: number, where: string): void {
  assert.ok(outcome !== undefined, `${where}: never settled`);
  assert.ok(applied <= 1, `${where}: applied ${applied} times`);
  if (outcome.kind === 'done' && outcome.order !== undefined) assert.equal(applied, 1, where);
  if (outcome.kind === 'rejected') {
    // Decided by the log, or by the client for want of a session; nothing else is let through.
    assert.ok(['name-taken', 'not-logged-in'].includes(outcome.reason), `${where}: ${outcome.reason}`);
    assert.equal(applied, outcome.reason === 'name-taken' ? 1 : 0, where);
  }
  if (outcome.kind === 'unavailable') assert.equal(applied, 0, `${where}: unavailable, yet applied`);
}

/** A client that is logged in over link 1. */
function loggedIn(outstandingMax?: number): ModelWorld {
  const world = new ModelWorld(new Random('rules'), outstandingMax);
  world.logIn();
  world.calm();
  assert.equal(world.client.state, 'ready');
  return world;
}

test('nothing is opened before there is somebody to log in', () => {
  const world = new ModelWorld(new Random(1));
  const ticket = world.call();
  assert.deepEqual(world.settled.get(ticket), { kind: 'rejected', reason: 'not-logged-in' });
  assert.equal(world.urls.length, 0);
  assert.equal(world.client.wakeAtMs, Infinity);
});

test('calls made right after a log-in wait for it and go out in their order', () => {
  const world = new ModelWorld(new Random(1));
  world.logIn();
  const tickets = [world.call(), world.call(), world.call()];
  world.calm();
  const orders = tickets.map((ticket) => {
    const outcome = world.settled.get(ticket);
    return outcome?.kind === 'done' ? outcome.order : undefined;
  });
  assert.deepEqual(orders, [1, 2, 3]);
});

test('a refused log-in refuses the calls that waited for it', () => {
  const world = new ModelWorld(new Random(1));
  const logIn = world.logIn('wrong password');
  const call = world.call();
  world.calm();
  assert.deepEqual(world.settled.get(logIn), { kind: 'rejected', reason: 'wrong-credentials' });
  assert.deepEqual(world.settled.get(call), { kind: 'rejected', reason: 'not-logged-in' });
  assert.equal(world.client.state, 'logged-out');
});

test('a command whose answer was lost is repeated under its command id on the next link', () => {
  const world = loggedIn();
  const ticket = world.call();
  world.deliverUp(1, 'doubt-applied');
  world.break(1);
  world.calm();
  assert.equal(world.settled.get(ticket)?.kind, 'done');
  assert.equal(world.server.applied.get(`word${ticket}`), 1);
  assert.equal(world.server.sessions.size, 1, 'the session was resumed, not opened anew');
});

test('a command that a gateway is in doubt about is asked again until it is decided', () => {
  const world = loggedIn();
  const ticket = world.call();
  for (let i = 0; i < 3; i++) {
    world.deliverUp(1, 'doubt');
    world.deliverDown(1);
    assert.ok(!world.settled.has(ticket));
    world.pass(2_000);
  }
  world.calm();
  assert.equal(world.settled.get(ticket)?.kind, 'done');
});

test('a call that only meets refusals to serve is unavailable in the end, without a wait', () => {
  const world = loggedIn();
  const ticket = world.call();
  while (!world.settled.has(ticket)) {
    world.pass(1_000);
    world.deliverUp(1, 'refuse');
    world.deliverDown(1);
  }
  assert.deepEqual(world.settled.get(ticket), { kind: 'unavailable', retryAfterMs: 30 });
  assert.ok(world.nowMs > 5_900 && world.nowMs <= 6_000, 'five seconds after it was made');
  assert.equal(world.client.state, 'ready');
});

test('a command that may have happened is never called unavailable', () => {
  const world = loggedIn();
  const ticket = world.call();
  world.deliverUp(1, 'doubt-applied');
  world.deliverDown(1);
  while (!world.settled.has(ticket)) {
    const link = world.pickWire((wire) => wire.up.length > 0);
    if (link !== undefined) {
      world.deliverUp(link, 'refuse');
      world.deliverDown(link);
    }
    world.pass(1_000);
  }
  assert.deepEqual(world.settled.get(ticket), { kind: 'uncertain' });
});

test('a command that never left is unavailable at its deadline', () => {
  const world = loggedIn();
  world.break(1);
  const ticket = world.call();
  while (!world.settled.has(ticket)) {
    const link = world.pickWire((wire) => wire.client === 'opening');
    if (link !== undefined) world.open(link, false);
    else world.pass(60_000);
  }
  assert.equal(world.settled.get(ticket)?.kind, 'unavailable');
  assert.equal(world.nowMs, 1_000 + 15_000);
});

test('a gateway that does not answer is left for another, and the call is decided there', () => {
  const world = loggedIn();
  const ticket = world.call();
  world.deliverUp(1, 'silent');
  while (world.wires.size === 1) world.pass(60_000);
  assert.notEqual(world.urls[1], world.urls[0]);
  world.calm();
  assert.equal(world.settled.get(ticket)?.kind, 'done');
});

test('a gateway that leaves is not asked again first', () => {
  const world = loggedIn();
  world.pass(10_000);
  world.nowMs += 10_000;
  world.break(1, closings['node-leaving'].code);
  while (world.wires.size === 1) world.pass(60_000);
  assert.deepEqual(world.urls, ['ws://a', 'ws://b']);
});

test('a link that held and broke is tried again at its own gateway first', () => {
  const world = loggedIn();
  world.nowMs += 10_000;
  world.break(1);
  while (world.wires.size === 1) world.pass(60_000);
  assert.deepEqual(world.urls, ['ws://a', 'ws://a']);
});

test('garbage from a gateway costs it the link, and nobody an answer', () => {
  const world = loggedIn();
  const ticket = world.call();
  world.run(world.client.text(1, '{"id":', world.nowMs));
  assert.equal(world.wires.get(1)?.client, 'gone');
  world.calm();
  assert.equal(world.settled.get(ticket)?.kind, 'done');
});

test('answers of a former link are ignored', () => {
  const world = loggedIn();
  const ticket = world.call();
  world.break(1);
  while (world.wires.size === 1) world.pass(60_000);
  world.open(2, true);
  world.deliverUp(2, 'serve');
  world.deliverDown(2);
  const repeat = parsePlayerFrame(world.wires.get(2)?.up[0] ?? '');
  const stray = formatOutcome(repeat.id, { kind: 'done', value: 'stray' });
  world.run(world.client.text(1, stray, world.nowMs));
  world.run(world.client.closed(1, closings.replaced.code, world.nowMs));
  assert.ok(!world.settled.has(ticket));
  world.calm();
  assert.deepEqual(world.settled.get(ticket), { kind: 'done', value: `word${ticket}`, order: 1 });
});

test('whoever logs in while another is logged in gets a link and a session of his own', () => {
  const world = loggedIn();
  const before = world.call();
  const again = world.logIn();
  assert.deepEqual(world.settled.get(before), { kind: 'uncertain' });
  const after = world.call();
  world.calm();
  assert.equal(world.settled.get(again)?.kind, 'done');
  assert.equal(world.settled.get(after)?.kind, 'done');
  assert.equal(world.server.sessions.size, 2);
});

test('a second log-in is not mixed up with a first that is still under way', () => {
  const world = new ModelWorld(new Random(1));
  const first = world.logIn();
  world.open(1, true);
  world.deliverUp(1, 'serve');
  const second = world.logIn('wrong password');
  world.deliverDown(1);
  world.calm();
  assert.deepEqual(world.settled.get(first), { kind: 'uncertain' });
  assert.deepEqual(world.settled.get(second), { kind: 'rejected', reason: 'wrong-credentials' });
  assert.equal(world.client.state, 'logged-out');
});

test('a log-in that nobody answers ends as uncertain, and nobody is logged in by a late answer', () => {
  const world = new ModelWorld(new Random(1));
  const ticket = world.logIn();
  while (!world.settled.has(ticket)) {
    const link = world.pickWire((wire) => wire.client === 'opening');
    if (link !== undefined) world.open(link, true);
    else world.pass(60_000);
  }
  assert.deepEqual(world.settled.get(ticket), { kind: 'uncertain' });
  for (const link of world.wires.keys()) {
    world.deliverUp(link, 'serve');
    world.deliverDown(link);
  }
  assert.equal(world.client.state, 'logged-out');
  const again = world.logIn();
  world.calm();
  assert.equal(world.settled.get(again)?.kind, 'done', 'on a link that was not logged in before');
});

test('a client waits longer and longer for gateways that are not there, and asks them in turn', () => {
  const world = new ModelWorld(new Random(1));
  world.logIn();
  const openedAtMs: number[] = [];
  while (world.settled.size === 0) {
    const link = world.pickWire((wire) => wire.client === 'opening');
    if (link === undefined) world.pass(60_000);
    else {
      openedAtMs.push(world.nowMs);
      world.open(link, false);
    }
  }
  const waits = openedAtMs.slice(1).map((atMs, place) => atMs - (openedAtMs[place] ?? 0));
  assert.ok(waits.every((waitMs) => waitMs >= 25 && waitMs <= 2_001));
  assert.ok((waits.at(-1) ?? 0) >= 1_000 && openedAtMs.length < 25);
  assert.deepEqual(world.urls.slice(0, 3), ['ws://a', 'ws://b', 'ws://a']);
});

test('at the end of a session commands that never happened go out under the next one', () => {
  const world = loggedIn();
  world.server.end(1_000);
  const tickets = [world.call(), world.call()];
  world.calm();
  for (const ticket of tickets) assert.equal(world.settled.get(ticket)?.kind, 'done');
  assert.equal(world.server.sessions.size, 2);
});

test('at the end of a session a command that may have happened is uncertain', () => {
  const world = loggedIn();
  const [applied, unsent] = [world.call(), world.call()];
  world.deliverUp(1, 'doubt-applied');
  world.break(1);
  world.server.end(1_000);
  const wire = world.wires.get(1);
  if (wire !== undefined) wire.up.length = 0;
  const later = world.call();
  world.calm();
  assert.deepEqual(world.settled.get(applied), { kind: 'uncertain' });
  assert.deepEqual(world.settled.get(unsent), { kind: 'uncertain' });
  assert.equal(world.settled.get(later)?.kind, 'done');
});

test('a session that ends without credentials that still hold logs the player out', () => {
  const world = loggedIn();
  world.server.passwordIsGood = false;
  world.server.end(1_000);
  const ticket = world.call();
  world.calm();
  assert.deepEqual(world.settled.get(ticket), { kind: 'rejected', reason: 'not-logged-in' });
  assert.equal(world.client.state, 'logged-out');
  assert.equal(world.client.wakeAtMs, Infinity);
});

test('a player who logs in elsewhere silences this client until it logs in again', () => {
  const world = loggedIn();
  const sent = world.call();
  world.break(1, closings.replaced.code);
  assert.deepEqual(world.settled.get(sent), { kind: 'uncertain' });
  assert.equal(world.client.state, 'replaced');
  assert.equal(world.client.wakeAtMs, Infinity);
  world.logIn();
  world.calm();
  assert.equal(world.client.state, 'ready');
});

test('closing settles what was sent as uncertain and what was not as unavailable', () => {
  const world = loggedIn(2);
  const tickets = [world.call(), world.call(), world.call()];
  world.run(world.client.close(world.nowMs));
  const kinds = tickets.map((ticket) => world.settled.get(ticket)?.kind);
  assert.deepEqual(kinds, ['uncertain', 'uncertain', 'unavailable']);
  assert.equal(world.settled.get(world.call())?.kind, 'unavailable');
  assert.equal(world.wires.get(1)?.client, 'gone');
});

test('beyond the calls that may wait a further one is unavailable at once', () => {
  const world = loggedIn(2);
  const tickets = Array.from({ length: 2 + 32 + 1 }, () => world.call());
  assert.equal(world.settled.get(tickets.at(-1) ?? 0)?.kind, 'unavailable');
  assert.equal(world.wires.get(1)?.up.length, 2);
  world.calm();
  for (const ticket of tickets.slice(0, -1)) {
    assert.ok(['done', 'rejected'].includes(world.settled.get(ticket)?.kind ?? ''));
  }
});

test('one stuck command holds later ones back before a group would refuse their numbers', () => {
  const world = loggedIn(4);
  world.call();
  world.deliverUp(1, 'doubt');
  world.deliverDown(1);
  for (let i = 0; i < 400; i++) {
    world.call('names.claim');
    while ((world.wires.get(1)?.up.length ?? 0) > 0) world.deliverUp(1, 'serve');
    while ((world.wires.get(1)?.down.length ?? 0) > 0) world.deliverDown(1);
  }
  assert.equal(world.server.applied.size, 255, 'the model server fails at the 257th');
  world.calm();
});

test('arguments that fit in no frame are refused before they are sent', () => {
  const world = loggedIn();
  const args = { name: 'x'.repeat(20_000) };
  world.run(world.client.call({ ticket: 99, ...requestOf('names.claim'), args }, world.nowMs));
  const outcome = world.settled.get(99);
  assert.ok(outcome?.kind === 'rejected' && outcome.reason === 'bad-arguments');
});

test('a stored session is resumed with numbers above those used', () => {
  const world = loggedIn();
  world.call();
  world.calm();
  assert.deepEqual(world.client.stored, { token: '1000', nextNumber: 2 });
});

test('what was told at one is handed in by whoever resumes, until he knows that it is lost', () => {
  const world = loggedIn();
  const resumed = (): unknown =>
    [...world.wires.values()]
      .flatMap(({ up }) => up.map((text) => parsePlayerFrame(text)))
      .find(({ call }) => call === 'account.resume')?.args;
  const linkUp = (link: number): void => {
    while (world.wires.get(link) === undefined) world.pass(1_000);
    world.open(link, true);
  };
  const hears = (link: number, text: string): void => world.run(world.client.text(link, text, world.nowMs));
  const done = { kind: 'done', value: null, order: 74 } as const;
  hears(1, formatOutcome(99, done, { region: 'eu', epoch: 2, order: 74 }));
  hears(1, formatOutcome(98, done, { region: 'asia', epoch: 5, order: 74 }));
  const places = ['eu 2', 'asia 5'].map((place) => {
    const [region = '', epoch] = place.split(' ');
    return { region, epoch: Number(epoch), order: 74 };
  });
  assert.deepEqual(world.client.stored?.atOne, places);
  world.break(1);
  linkUp(2);
  assert.deepEqual(resumed(), { token: '1000', atOne: places });
  world.deliverUp(2, 'serve');
  world.deliverDown(2);
  hears(2, formatPush('region-lost', '{"region":"eu","epoch":2,"from":71,"to":74}'));
  world.break(2);
  linkUp(3);
  assert.deepEqual(resumed(), { token: '1000', atOne: places.slice(1) });
});

test('a regional command that is repeated goes to the region of its first attempt', () => {
  const world = loggedIn();
  const regionsOf = (): readonly (string | undefined)[] =>
    [...world.wires.values()]
      .flatMap(({ up }) => up.map((text) => parsePlayerFrame(text)))
      .filter(({ call }) => call === 'chat.say')
      .map(({ region }) => region);
  const [first, second] = [world.call('chat.say'), world.call('chat.say')];
  assert.deepEqual(regionsOf(), ['eu', 'eu'], 'the region of the gateway');
  world.break(1);
  world.client.stands('asia');
  while (regionsOf().length < 4) {
    const link = world.pickWire((wire) => wire.client === 'opening');
    if (link !== undefined) world.open(link, true);
    else if (world.wires.size > 1 && world.wires.get(2)?.proven === 0) {
      world.deliverUp(2, 'serve');
      world.deliverDown(2);
    } else world.pass(1_000);
  }
  assert.deepEqual(regionsOf(), ['eu', 'eu', 'eu', 'eu']);
  world.call('chat.say');
  assert.equal(regionsOf().at(-1), 'asia', 'where the player stands by now');
  world.calm();
  for (const ticket of [first, second]) assert.notEqual(world.settled.get(ticket), undefined);
});
