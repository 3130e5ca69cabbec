import assert from 'node:assert/strict';
import test from 'node:test';

import { type NodeId, nodeId } from '../../src/base/id.ts';
import type { Peers } from '../../src/runtime/ports.ts';
import { Outbox } from '../../src/services/outbox.ts';
import { Route, type RouteAnswer } from '../../src/services/route.ts';
import { decodePeerMessage, encodePeerMessage, type GroupAnswer } from '../../src/wire/peer.ts';
import { MemoryNetwork } from '../support/memory-peers.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const GATEWAY = nodeId(9);
const MEMBERS: readonly NodeId[] = [1, 2, 3].map(nodeId);
const GROUP = 2;
const BODY: Uint8Array = Uint8Array.of(7, 7);

/** What a member of the group does with an ask; `undefined` keeps silent. */
type Conduct = (body: Uint8Array, asked: number) => GroupAnswer | undefined;

/** A gateway's route and three members whose conduct the test decides. */
class World {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly conduct = new Map<NodeId, Conduct>();
  /** Who was asked, in order. */
  readonly asked: NodeId[] = [];
  readonly ends = new Map<NodeId, Peers>();
  readonly route: Route;
  readonly #replies: (() => void)[] = [];

  constructor() {
    for (const member of MEMBERS) this.#addMember(member);
    const { clock } = this;
    const peers = this.network.join(GATEWAY);
    this.route = new Route({
      clock,
      peers,
      outbox: new Outbox(clock, peers),
      groups: [{ number: GROUP, name: 'economy', members: MEMBERS, features: [] }],
      firstNumber: 1_000,
    });
    peers.listen({
      received: (from, frame) => {
        const message = decodePeerMessage(frame);
        if (message.kind === 'answer') this.route.answered(from, message);
      },
      up: () => {},
      lost: (node) => this.route.lost(node),
    });
  }

  ask(deadlineMs: number = 3_000): RouteAnswer[] {
    const answers: RouteAnswer[] = [];
    this.route.ask({
      group: GROUP,
      mode: 'command',
      body: BODY,
      deadlineMs,
      answer: (answer) => answers.push(answer),
    });
    return answers;
  }

  /** Sends the answers that were held back. */
  release(): void {
    for (const reply of this.#replies.splice(0)) reply();
  }

  /** Answers of a member that are only sent when the test says so. */
  holdBack(member: NodeId, answer: GroupAnswer): void {
    const end = this.ends.get(member);
    this.conduct.set(member, (_, number) => {
      this.#replies.push(() => {
        end?.send(GATEWAY, encodePeerMessage({ kind: 'answer', number, answer }));
        end?.flush();
      });
      return undefined;
    });
  }

  #addMember(member: NodeId): void {
    const end = this.network.join(member);
    this.ends.set(member, end);
    end.listen({
      received: (from, frame) => {
        const message = decodePeerMessage(frame);
        if (message.kind !== 'ask') return;
        this.asked.push(member);
        assert.deepEqual(message.body, BODY);
        const answer = this.conduct.get(member)?.(message.body, message.number);
        if (answer === undefined) return;
        end.send(from, encodePeerMessage({ kind: 'answer', number: message.number, answer }));
        end.flush();
      },
      up: () => {},
      lost: () => {},
    });
  }

  /** The named member leads; the others know it. */
  lead(leader: NodeId): void {
    for (const member of MEMBERS) {
      const answer: GroupAnswer =
        member === leader ? answeredBy(member) : { kind: 'moved', leader };
      this.conduct.set(member, () => answer);
    }
  }

  /** Nobody leads. */
  headless(): void {
    for (const member of MEMBERS) {
      this.conduct.set(member, () => ({ kind: 'moved', leader: undefined }));
    }
  }
}

function answeredBy(member: NodeId): GroupAnswer {
  return { kind: 'answered', reply: Uint8Array.of(member) };
}

const [ONE, TWO, THREE] = MEMBERS as [NodeId, NodeId, NodeId];

test('an ask finds the leader by the hint of another member', () => {
  const world = new World();
  world.lead(THREE);
  const answers = world.ask();
  world.clock.advance(10);
  assert.deepEqual(answers, [answeredBy(THREE)]);
  assert.deepEqual(world.asked, [ONE, THREE]);
});

test('a leader once found is asked first', () => {
  const world = new World();
  world.lead(THREE);
  world.ask();
  world.clock.advance(10);
  world.asked.length = 0;
  world.ask();
  world.clock.advance(10);
  assert.deepEqual(world.asked, [THREE]);
});

test('no timer is left when nothing is open', () => {
  const world = new World();
  world.lead(ONE);
  world.ask();
  world.clock.advance(50);
  assert.equal(world.clock.timers, 0);
});

test('an ask waits for the end of an election', () => {
  const world = new World();
  world.headless();
  const answers = world.ask();
  world.clock.advance(300);
  assert.equal(answers.length, 0);
  world.lead(TWO);
  world.clock.advance(60);
  assert.deepEqual(answers, [answeredBy(TWO)]);
});

test('the question who leads is not asked more often than every pause', () => {
  const world = new World();
  world.headless();
  world.ask();
  world.clock.advance(400);
  assert.ok(world.asked.length <= 20, `${world.asked.length} asks in 400 ms`);
  assert.ok(world.asked.length >= 8);
});

test('two members that point at each other are not asked without a pause', () => {
  const world = new World();
  world.conduct.set(ONE, () => ({ kind: 'moved', leader: TWO }));
  world.conduct.set(TWO, () => ({ kind: 'moved', leader: ONE }));
  world.conduct.set(THREE, () => ({ kind: 'moved', leader: ONE }));
  world.ask();
  world.clock.advance(1_000);
  assert.ok(world.asked.length <= 200, `${world.asked.length} asks in a second`);
});

test('when every member refused, the ask is unavailable', () => {
  const world = new World();
  world.headless();
  const answers = world.ask(500);
  world.clock.advance(600);
  assert.equal(answers[0]?.kind, 'unavailable');
});

test('where nobody leads an ask ends long before its deadline, as unavailable', () => {
  const world = new World();
  world.headless();
  const answers = world.ask(3_000);
  world.clock.advance(500);
  assert.equal(answers[0]?.kind, 'unavailable');
});

test('without any link an ask is unavailable', () => {
  const world = new World();
  for (const member of MEMBERS) world.network.cut(GATEWAY, member);
  const answers = world.ask(500);
  world.clock.advance(600);
  assert.equal(answers[0]?.kind, 'unavailable');
});

test('an attempt that was never answered leaves the ask uncertain', () => {
  const world = new World();
  world.lead(ONE);
  world.ask();
  world.clock.advance(10);
  world.headless();
  world.conduct.set(ONE, () => undefined);
  const answers = world.ask(900);
  world.clock.advance(1_000);
  assert.deepEqual(answers, [{ kind: 'uncertain' }]);
});

test('a silent leader is given up for another member after a while', () => {
  const world = new World();
  world.lead(ONE);
  world.ask();
  world.clock.advance(10);
  world.network.deafen(ONE);
  for (const member of [TWO, THREE]) world.conduct.set(member, () => answeredBy(member));
  const answers = world.ask();
  world.clock.advance(200);
  assert.equal(answers.length, 0);
  world.clock.advance(100);
  assert.equal(answers[0]?.kind, 'answered');
});

test('a member that still points at a silent leader is not believed', () => {
  const world = new World();
  world.lead(ONE);
  world.ask();
  world.clock.advance(10);
  world.network.deafen(ONE);
  const answers = world.ask();
  world.clock.advance(500);
  world.asked.length = 0;
  world.conduct.set(THREE, () => answeredBy(THREE));
  world.clock.advance(60);
  assert.deepEqual(answers, [answeredBy(THREE)]);
});

test('a silent leader that speaks again is asked again', () => {
  const world = new World();
  world.lead(ONE);
  world.ask();
  world.clock.advance(10);
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
  const world = new World();
  world.lead(ONE);
  world.ask();
  world.clock.advance(10);
  world.conduct.set(ONE, () => undefined);
  world.ask(600);
  world.clock.advance(1_000);
  world.lead(ONE);
  const answers = world.ask();
  world.clock.advance(2_000);
  assert.deepEqual(answers, [answeredBy(ONE)]);
});

test('a leader that has stepped down is not the only one to be asked', () => {
  const world = new World();
  world.lead(ONE);
  world.ask();
  world.clock.advance(10);
  world.headless();
  world.asked.length = 0;
  world.ask();
  world.clock.advance(100);
  assert.deepEqual(new Set(world.asked), new Set(MEMBERS));
});

test('a late refusal of an earlier attempt does not make another one', () => {
  for (const late of [
    { kind: 'moved', leader: THREE },
    { kind: 'unavailable', retryAfterMs: 10 },
  ] as const) {
    const world = new World();
    world.lead(ONE);
    world.ask();
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
  const world = new World();
  world.lead(ONE);
  world.ask();
  world.clock.advance(10);
  world.conduct.set(ONE, () => undefined);
  const answers = world.ask();
  world.clock.advance(5);
  for (const member of [TWO, THREE]) world.conduct.set(member, () => answeredBy(member));
  world.network.cut(GATEWAY, ONE);
  world.clock.advance(5);
  assert.equal(answers[0]?.kind, 'answered');
});

test('an ask that was lost with its link and then refused everywhere is uncertain', () => {
  const world = new World();
  world.lead(ONE);
  world.ask();
  world.clock.advance(10);
  world.headless();
  world.conduct.set(ONE, () => undefined);
  const answers = world.ask(300);
  world.clock.advance(5);
  world.network.cut(GATEWAY, ONE);
  world.clock.advance(400);
  assert.deepEqual(answers, [{ kind: 'uncertain' }]);
});

test('a late answer of an earlier attempt is an answer', () => {
  const world = new World();
  world.lead(ONE);
  world.ask();
  world.clock.advance(10);
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
  const world = new World();
  world.lead(ONE);
  world.ask();
  world.clock.advance(10);
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
  const world = new World();
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
  const world = new World();
  world.lead(ONE);
  world.conduct.set(ONE, () => ({ kind: 'uncertain' }));
  const answers = world.ask(500);
  world.clock.advance(30);
  world.conduct.set(ONE, () => ({ kind: 'unavailable', retryAfterMs: 10 }));
  world.clock.advance(600);
  assert.deepEqual(answers, [{ kind: 'uncertain' }]);
});

test('a group that stays overloaded is unavailable before the deadline', () => {
  const world = new World();
  world.lead(ONE);
  world.conduct.set(ONE, () => ({ kind: 'unavailable', retryAfterMs: 50 }));
  const answers = world.ask();
  world.clock.advance(500);
  assert.deepEqual(answers, [{ kind: 'unavailable', retryAfterMs: 50 }]);
});

test('a group that was busy for a moment is asked again', () => {
  const world = new World();
  world.lead(ONE);
  world.conduct.set(ONE, () => ({ kind: 'unavailable', retryAfterMs: 50 }));
  const answers = world.ask();
  world.clock.advance(20);
  world.lead(ONE);
  world.clock.advance(100);
  assert.deepEqual(answers, [answeredBy(ONE)]);
});

test('a full route refuses more asks and keeps those it has', () => {
  const world = new World();
  world.lead(ONE);
  world.network.deafen(ONE);
  const open = Array.from({ length: 20_000 }, () => world.ask());
  assert.equal(world.ask()[0]?.kind, 'unavailable');
  assert.ok(open.every((answers) => answers.length === 0));
});

test('an answer to a number of another time is ignored', () => {
  const world = new World();
  world.headless();
  const answers = world.ask();
  const answer = answeredBy(ONE);
  world.route.answered(ONE, { kind: 'answer', number: 1, answer });
  assert.equal(answers.length, 0);
});
