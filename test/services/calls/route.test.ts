import assert from 'node:assert/strict';
import test from 'node:test';

import type { NodeId } from '../../../src/base/id.ts';
import { answeredBy, BODY, GATEWAY, MEMBERS, RouteWorld } from '../../support/route-world.ts';

const [ONE, TWO, THREE] = MEMBERS as [NodeId, NodeId, NodeId];

test('an ask finds the leader by the hint of another member', () => {
  const world = new RouteWorld();
  world.lead(THREE);
  const answers = world.ask();
  world.clock.advance(10);
  assert.deepEqual(answers, [answeredBy(THREE)]);
  assert.deepEqual(world.asked, [ONE, THREE]);
});

test('an ask reaches the member byte for byte', () => {
  const world = new RouteWorld();
  const bodies: Uint8Array[] = [];
  world.conduct.set(ONE, (body) => {
    bodies.push(body.slice());
    return answeredBy(ONE);
  });
  world.ask();
  world.clock.advance(10);
  assert.deepEqual(bodies, [BODY]);
});

test('a leader once found is asked first', () => {
  const world = new RouteWorld();
  world.lead(THREE);
  world.ask();
  world.clock.advance(10);
  world.asked.length = 0;
  world.ask();
  world.clock.advance(10);
  assert.deepEqual(world.asked, [THREE]);
});

test('no timer is left when nothing is open', () => {
  const world = new RouteWorld();
  world.lead(ONE);
  world.ask();
  world.clock.advance(50);
  assert.equal(world.clock.timers, 0);
});

test('an ask waits for the end of an election', () => {
  const world = new RouteWorld();
  world.headless();
  const answers = world.ask();
  world.clock.advance(300);
  assert.equal(answers.length, 0);
  world.lead(TWO);
  world.clock.advance(60);
  assert.deepEqual(answers, [answeredBy(TWO)]);
});

test('the question who leads is not asked more often than every pause', () => {
  const world = new RouteWorld();
  world.headless();
  world.ask();
  world.clock.advance(400);
  assert.ok(world.asked.length <= 20, `${world.asked.length} asks in 400 ms`);
  assert.ok(world.asked.length >= 8);
});

test('two members that point at each other are not asked without a pause', () => {
  const world = new RouteWorld();
  world.conduct.set(ONE, () => ({ kind: 'moved', leader: TWO, term: 1 }));
  world.conduct.set(TWO, () => ({ kind: 'moved', leader: ONE, term: 1 }));
  world.conduct.set(THREE, () => ({ kind: 'moved', leader: ONE, term: 1 }));
  world.ask();
  world.clock.advance(1_000);
  assert.ok(world.asked.length <= 200, `${world.asked.length} asks in a second`);
});

test('when every member refused, the ask is unavailable', () => {
  const world = new RouteWorld();
  world.headless();
  const answers = world.ask(500);
  world.clock.advance(600);
  assert.equal(answers[0]?.kind, 'unavailable');
});

test('where nobody leads an ask ends long before its deadline, as unavailable', () => {
  const world = new RouteWorld();
  world.headless();
  const answers = world.ask(3_000);
  world.clock.advance(500);
  assert.equal(answers[0]?.kind, 'unavailable');
});

test('members that believe in a leader of old keep nobody waiting for long', () => {
  const world = new RouteWorld();
  world.lead(THREE);
  world.ask();
  world.clock.advance(10);
  const believers = [ONE, TWO] as const;
  for (const member of believers) {
    const other = member === ONE ? TWO : ONE;
    world.conduct.set(member, () => ({ kind: 'moved', leader: other, term: 1 }));
  }
  world.network.cut(GATEWAY, THREE);
  const answers = world.ask(3_000);
  world.clock.advance(500);
  assert.equal(answers[0]?.kind, 'unavailable');
});

test('without any link an ask is unavailable', () => {
  const world = new RouteWorld();
  for (const member of MEMBERS) world.network.cut(GATEWAY, member);
  const answers = world.ask(500);
  world.clock.advance(600);
  assert.equal(answers[0]?.kind, 'unavailable');
});

test('an attempt that was never answered leaves the ask uncertain', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.headless();
  world.conduct.set(ONE, () => undefined);
  const answers = world.ask(900);
  world.clock.advance(1_000);
  assert.deepEqual(answers, [{ kind: 'uncertain' }]);
});

test('a silent leader is given up for another member after a while', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.network.deafen(ONE);
  for (const member of [TWO, THREE]) world.conduct.set(member, () => answeredBy(member));
  const answers = world.ask();
  world.clock.advance(200);
  assert.equal(answers.length, 0);
  world.clock.advance(100);
  assert.equal(answers[0]?.kind, 'answered');
});

test('a member that still points at a silent leader is not believed', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.network.deafen(ONE);
  const answers = world.ask();
  world.clock.advance(300);
  world.network.silence(ONE);
  world.clock.advance(200);
  world.asked.length = 0;
  world.conduct.set(THREE, () => answeredBy(THREE));
  world.clock.advance(60);
  assert.deepEqual(answers, [answeredBy(THREE)]);
});

test('a silent leader that speaks again is asked again', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.holdBack(ONE, answeredBy(ONE));
  world.ask();
  world.clock.advance(500);
  world.release();
  world.clock.advance(5);
  world.lead(ONE);
  world.asked.length = 0;
  const answers = world.ask();
  world.clock.advance(5);
  assert.deepEqual(answers, [answeredBy(ONE)]);
  assert.deepEqual(world.asked, [ONE]);
});

test('a leader that was silent for a while is found again, although it speaks only when asked', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.conduct.set(ONE, () => undefined);
  world.ask(600);
  world.clock.advance(1_000);
  world.lead(ONE);
  const answers = world.ask();
  world.clock.advance(2_000);
  assert.deepEqual(answers, [answeredBy(ONE)]);
});

test('a leader that has stepped down is not the only one to be asked', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.headless();
  world.asked.length = 0;
  world.ask();
  world.clock.advance(100);
  assert.deepEqual(new Set(world.asked), new Set(MEMBERS));
});

test('a late refusal of an earlier attempt does not make another one', () => {
  for (const late of [
    { kind: 'moved', leader: THREE, term: 1 },
    { kind: 'unavailable', retryAfterMs: 10 },
  ] as const) {
    const world = new RouteWorld();
    world.lead(ONE);
    world.announce(ONE, 1);
    world.clock.advance(10);
    world.holdBack(ONE, late);
    for (const member of [TWO, THREE]) world.conduct.set(member, () => undefined);
    world.asked.length = 0;
    world.ask();
    world.clock.advance(300);
    world.release();
    world.clock.advance(100);
    assert.equal(world.asked.length, 2, late.kind);
  }
});

test('a broken link sends its open asks elsewhere at once', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.conduct.set(ONE, () => undefined);
  const answers = world.ask();
  world.clock.advance(5);
  for (const member of [TWO, THREE]) world.conduct.set(member, () => answeredBy(member));
  world.network.cut(GATEWAY, ONE);
  world.clock.advance(5);
  assert.equal(answers[0]?.kind, 'answered');
});

test('what waits at a silent leader is asked at once where another was elected', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.network.deafen(ONE);
  const answers = world.ask();
  world.clock.advance(5);
  world.lead(TWO);
  world.announce(TWO, 2);
  world.clock.advance(5);
  assert.deepEqual(answers, [answeredBy(TWO)]);
});

test('what waits for a leader is asked at once where one was elected', () => {
  const world = new RouteWorld();
  world.headless();
  const answers = world.ask();
  world.clock.advance(5);
  world.conduct.set(THREE, () => answeredBy(THREE));
  world.announce(THREE, 2);
  world.clock.advance(3);
  assert.deepEqual(answers, [answeredBy(THREE)]);
});

test('an old leader is not believed once a later one was heard', () => {
  const world = new RouteWorld();
  world.lead(TWO);
  world.announce(TWO, 5);
  world.clock.advance(5);
  world.announce(ONE, 4);
  world.clock.advance(5);
  const answers = world.ask();
  world.clock.advance(5);
  assert.deepEqual(answers, [answeredBy(TWO)]);
  assert.deepEqual(world.asked, [TWO]);
});

test('a member that has not heard of the latest election leads nobody astray', () => {
  const world = new RouteWorld();
  world.lead(TWO);
  world.holdBack(ONE, { kind: 'moved', leader: THREE, term: 4 });
  world.ask();
  world.clock.advance(5);
  world.announce(TWO, 5);
  world.clock.advance(5);
  world.release();
  world.clock.advance(5);
  world.asked.length = 0;
  world.ask();
  world.clock.advance(5);
  assert.deepEqual(world.asked, [TWO]);
});

test('one that hears of a later term forgets the leader of the former', () => {
  const world = new RouteWorld();
  world.lead(ONE);
  world.announce(ONE, 4);
  world.clock.advance(5);
  world.conduct.set(ONE, () => ({ kind: 'moved', leader: undefined, term: 5 }));
  for (const member of [TWO, THREE]) world.conduct.set(member, () => answeredBy(member));
  const answers = world.ask();
  world.clock.advance(80);
  assert.equal(answers[0]?.kind, 'answered');
});

test('a late answer of a former leader does not make it the one to be asked', () => {
  const world = new RouteWorld();
  world.lead(ONE);
  world.ask();
  world.clock.advance(5);
  world.holdBack(ONE, answeredBy(ONE));
  world.conduct.set(TWO, () => undefined);
  const answers = world.ask();
  world.clock.advance(5);
  world.announce(TWO, 2);
  world.clock.advance(5);
  world.release();
  world.clock.advance(5);
  assert.deepEqual(answers, [answeredBy(ONE)]);
  world.asked.length = 0;
  world.ask();
  world.clock.advance(5);
  assert.deepEqual(world.asked, [TWO]);
});

test('an ask that was lost with its link and then refused everywhere is uncertain', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.headless();
  world.conduct.set(ONE, () => undefined);
  const answers = world.ask(300);
  world.clock.advance(5);
  world.network.cut(GATEWAY, ONE);
  world.clock.advance(400);
  assert.deepEqual(answers, [{ kind: 'uncertain' }]);
});

test('a late answer of an earlier attempt is an answer', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.headless();
  world.holdBack(ONE, answeredBy(ONE));
  const answers = world.ask();
  world.clock.advance(600);
  assert.equal(answers.length, 0);
  world.release();
  world.clock.advance(5);
  assert.deepEqual(answers, [answeredBy(ONE)]);
});

test('an ask is answered once, whatever arrives later', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.lead(TWO);
  world.holdBack(ONE, answeredBy(ONE));
  const answers = world.ask();
  world.clock.advance(600);
  assert.deepEqual(answers, [answeredBy(TWO)]);
  world.release();
  world.clock.advance(50);
  assert.equal(answers.length, 1);
});

test('a member that does not know the outcome is asked for it again', () => {
  const world = new RouteWorld();
  world.lead(ONE);
  world.conduct.set(ONE, () => ({ kind: 'uncertain' }));
  const answers = world.ask();
  world.clock.advance(15);
  assert.equal(answers.length, 0);
  world.conduct.set(ONE, () => answeredBy(ONE));
  world.clock.advance(60);
  assert.deepEqual(answers, [answeredBy(ONE)]);
});

test('an unknown outcome never becomes unavailable', () => {
  const world = new RouteWorld();
  world.lead(ONE);
  world.conduct.set(ONE, () => ({ kind: 'uncertain' }));
  const answers = world.ask(500);
  world.clock.advance(30);
  world.conduct.set(ONE, () => ({ kind: 'unavailable', retryAfterMs: 10 }));
  world.clock.advance(600);
  assert.deepEqual(answers, [{ kind: 'uncertain' }]);
});

test('a group that stays overloaded is unavailable before the deadline', () => {
  const world = new RouteWorld();
  world.lead(ONE);
  world.conduct.set(ONE, () => ({ kind: 'unavailable', retryAfterMs: 50 }));
  const answers = world.ask();
  world.clock.advance(500);
  assert.deepEqual(answers, [{ kind: 'unavailable', retryAfterMs: 50 }]);
});

test('a group that was busy for a moment is asked again', () => {
  const world = new RouteWorld();
  world.lead(ONE);
  world.conduct.set(ONE, () => ({ kind: 'unavailable', retryAfterMs: 50 }));
  const answers = world.ask();
  world.clock.advance(20);
  world.lead(ONE);
  world.clock.advance(100);
  assert.deepEqual(answers, [answeredBy(ONE)]);
});

test('a full route refuses more asks and keeps those it has', () => {
  const world = new RouteWorld();
  world.lead(ONE);
  world.network.deafen(ONE);
  const open = Array.from({ length: 20_000 }, () => world.ask());
  assert.equal(world.ask()[0]?.kind, 'unavailable');
  assert.ok(open.every((answers) => answers.length === 0));
});

test('an answer to a number of another time is ignored', () => {
  const world = new RouteWorld();
  world.headless();
  const answers = world.ask();
  const answer = answeredBy(ONE);
  world.route.answered(ONE, { kind: 'answer', number: 1, answer });
  assert.equal(answers.length, 0);
});

test('where any member answers queries they go to the members in turn, and commands to the leader', () => {
  const world = new RouteWorld('any');
  world.lead(THREE);
  world.ask();
  world.clock.advance(10);
  const queries = new Set([1_001, 1_002, 1_003]);
  for (const member of MEMBERS) {
    const led = world.conduct.get(member);
    world.conduct.set(member, (body, number) => {
      return queries.has(number) ? answeredBy(member) : led?.(body, number);
    });
  }
  world.asked.length = 0;
  const answers = [...queries].map(() => world.ask(3_000, 'query'));
  world.clock.advance(10);
  assert.deepEqual(world.asked.toSorted(), MEMBERS);
  assert.deepEqual(answers, world.asked.map((member) => [answeredBy(member)]));
  world.asked.length = 0;
  const command = world.ask();
  world.clock.advance(10);
  assert.deepEqual([world.asked, command], [[THREE], [answeredBy(THREE)]]);
});

test('a member that can not answer a query sends it on to the leader, and one that hangs is left out', () => {
  const world = new RouteWorld('any');
  world.lead(ONE);
  world.conduct.set(TWO, () => undefined);
  for (let i = 0; i < 6; i++) {
    const answers = world.ask(3_000, 'query');
    world.clock.advance(300);
    assert.deepEqual(answers, [answeredBy(ONE)]);
  }
  const hung = world.asked.filter((member) => member === TWO).length;
  assert.ok(hung >= 1 && hung <= 2, `it was asked ${hung} times in two seconds`);
});

/** As a region's copies do: each reads, if it is new enough, and only the primary does the rest. */
function servedByAll(): RouteWorld {
  const world = RouteWorld.askedOnce(ONE);
  for (const member of [TWO, THREE]) world.conduct.set(member, () => answeredBy(member));
  world.asked.length = 0;
  return world;
}

const OLD = { kind: 'atMostMsOld', ms: 500 } as const;

test('a primary that is doubted is passed over by reads that another copy can serve', () => {
  const world = servedByAll();
  world.doubted.add(ONE);
  const answers = world.read(OLD);
  world.clock.advance(10);
  assert.deepEqual([world.asked.length, world.asked.includes(ONE), answers.length], [1, false, 1]);
  world.doubted.clear();
  world.read(OLD);
  world.clock.advance(10);
  assert.equal(world.asked.at(-1), ONE, 'who served a read was not taken for the primary');
});

test('a primary that is doubted is asked for what only he can do', () => {
  const world = servedByAll();
  world.doubted.add(ONE);
  world.ask();
  world.read({ kind: 'primary' });
  world.clock.advance(10);
  assert.deepEqual(world.asked, [ONE, ONE]);
});

test('a read that a copy is not new enough for goes to the primary, doubted or not', () => {
  const world = servedByAll();
  world.doubted.add(ONE);
  for (const copy of [TWO, THREE]) world.conduct.set(copy, () => ({ kind: 'moved', leader: ONE, term: 1 }));
  const answers = world.read(OLD);
  world.clock.advance(10);
  assert.deepEqual(answers, [answeredBy(ONE)]);
  assert.deepEqual([world.asked.length, world.asked.at(-1)], [2, ONE]);
});

test('where nobody is known to lead, who is doubted is asked only if there is no other', () => {
  const world = new RouteWorld();
  world.lead(THREE);
  world.doubted.add(ONE);
  world.ask();
  world.clock.advance(10);
  assert.deepEqual(world.asked, [TWO, THREE]);
  for (const member of MEMBERS) world.doubted.add(member);
  const answers = world.ask();
  world.clock.advance(10);
  assert.equal(answers.length, 1);
});
