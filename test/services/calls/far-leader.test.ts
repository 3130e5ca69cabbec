// A gateway and a group whose leader is half around the world: 150 ms one way, and 300 ms for his round.
import assert from 'node:assert/strict';
import test from 'node:test';

import type { NodeId } from '../../../src/base/id.ts';
import { Reach } from '../../../src/services/calls/reach.ts';
import { answeredBy, GROUP, MEMBERS, RouteWorld } from '../../support/route-world.ts';

const [ONE, TWO, THREE] = MEMBERS as [NodeId, NodeId, NodeId];
const TRAVEL_MS = 150;
const ROUND_MS = 300;

/** Makes the world wide; `leader` leads, and answers when his followers have. */
function widen(world: RouteWorld, leader: NodeId): RouteWorld {
  world.network.travelMs = TRAVEL_MS;
  world.lead(leader);
  world.answerAfter(leader, ROUND_MS);
  return world;
}

test('the first call ever is answered, whoever of the members leads', () => {
  for (const mode of ['query', 'command'] as const) {
    for (const leader of MEMBERS) {
      const world = widen(new RouteWorld(), leader);
      const answers = world.ask(3_000, mode);
      world.clock.advance(1_500);
      assert.deepEqual(answers, [answeredBy(leader)], `${mode} to ${leader}`);
    }
  }
});

test('whoever leads, a gateway comes to reach the group with its first question', () => {
  for (const leader of MEMBERS) {
    const world = widen(new RouteWorld(), leader);
    const reach = new Reach(world.route, [GROUP]);
    reach.start();
    world.clock.advance(1_500);
    assert.ok(reach.isDone, `${leader} leads`);
    assert.equal(world.clock.timers, 0);
  }
});

test('a leader that was measured is asked once for each call', () => {
  const world = widen(new RouteWorld(), TWO);
  world.ask();
  world.clock.advance(1_500);
  for (let i = 0; i < 30; i++) {
    world.asked.length = 0;
    const answers = world.ask(3_000, 'query');
    world.clock.advance(700);
    assert.deepEqual([answers, world.asked], [[answeredBy(TWO)], [TWO]]);
  }
});

test('where leadership goes from near to far no call fails, and then each is asked once', () => {
  const world = new RouteWorld();
  world.lead(ONE);
  for (let i = 0; i < 10; i++) {
    world.ask();
    world.clock.advance(10);
  }
  widen(world, THREE);
  world.network.travelMs = TRAVEL_MS;
  const answers = [0, 1, 2].map(() => {
    const answered = world.ask(3_000, 'query');
    world.clock.advance(1_500);
    return answered;
  });
  assert.deepEqual(answers, [0, 1, 2].map(() => [answeredBy(THREE)]));
  world.asked.length = 0;
  world.ask(3_000, 'query');
  world.clock.advance(700);
  assert.deepEqual(world.asked, [THREE]);
});

test('a near leader that becomes slow is asked again when others name him, then given the time', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.ask();
  world.clock.advance(10);
  world.answerAfter(ONE, 600);
  const first = world.ask(3_000, 'query');
  world.clock.advance(700);
  assert.deepEqual(first, [answeredBy(ONE)]);
  world.asked.length = 0;
  const second = world.ask(3_000, 'query');
  world.clock.advance(700);
  assert.deepEqual([second, world.asked], [[answeredBy(ONE)], [ONE]]);
});

test('a leader that never answers although his link speaks is given up, whatever the others say', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.network.deafen(ONE);
  world.ask(3_000, 'query');
  world.clock.advance(3_000);
  const answers = world.ask(3_000, 'query');
  world.clock.advance(1_500);
  assert.deepEqual(answers.map(({ kind }) => kind), ['unavailable']);
});

test('a far leader whose link falls silent is not waited for', () => {
  const world = widen(new RouteWorld(), ONE);
  world.ask();
  world.clock.advance(1_500);
  world.network.travelMs = 1;
  const answers = world.ask(3_000, 'query');
  world.clock.advance(20);
  world.network.silence(ONE);
  for (const member of [TWO, THREE]) world.conduct.set(member, () => answeredBy(member));
  world.clock.advance(80);
  assert.equal(answers[0]?.kind, 'answered');
});

test('a smaller side that is cut off from a leader it was measured at hears within half a second', () => {
  const world = RouteWorld.askedOnce(ONE);
  world.network.deafen(ONE);
  world.network.deafen(THREE);
  world.conduct.set(TWO, () => ({ kind: 'moved', leader: ONE, term: 1 }));
  world.clock.advance(50);
  const answers = world.ask(3_000, 'query');
  world.clock.advance(300);
  world.network.silence(ONE);
  world.network.silence(THREE);
  world.clock.advance(200);
  assert.deepEqual(answers.map(({ kind }) => kind), ['unavailable']);
});
