import assert from 'node:assert/strict';
import test from 'node:test';

import { nodeId } from '../../src/base/id.ts';
import type { Group } from '../../src/runtime/group.ts';
import { Global } from '../../src/services/global.ts';
import { Outbox } from '../../src/services/calls/outbox.ts';
import { decodePeerMessage, type GroupAnswer, type PeerMessage } from '../../src/wire/peer.ts';
import type { GroupStatus } from '../../src/wire/status.ts';
import { MemoryNetwork } from '../support/memory-peers.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const SELF = nodeId(1);
const GATEWAY = nodeId(6);
const OTHER = nodeId(7);
const STATUS: Omit<GroupStatus, 'role' | 'term'> = {
  group: 'economy',
  leader: undefined,
  commit: 0,
  applied: 0,
  last: 0,
  snapshot: 0,
  stateHash: 0,
  hashedIndex: 0,
  waiting: 0,
  reads: 0,
  members: [],
};
const REPLY: GroupAnswer = { kind: 'answered', reply: Uint8Array.of(5) };

/** A global node whose only group answers when the test says so. */
function open(readHere: readonly number[] = []): {
  global: Global;
  clock: VirtualClock;
  heard: Map<number, PeerMessage[]>;
  waiting: ((answer: GroupAnswer) => void)[];
  place: { role: GroupStatus['role']; term: number };
  asked: string[];
} {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const waiting: ((answer: GroupAnswer) => void)[] = [];
  const asked: string[] = [];
  const place: { role: GroupStatus['role']; term: number } = { role: 'follower', term: 7 };
  const group: Group = {
    name: 'economy',
    propose: (command, answer) => {
      asked.push(`command ${String(command)}`);
      waiting.push(answer);
    },
    query: (request, answer, at) => {
      asked.push(`query ${String(request)}${at === 'here' ? ' here' : ''}`);
      waiting.push(answer);
    },
    inspect: () => assert.fail('nobody inspects'),
    read: () => assert.fail('nobody reads this copy alone'),
    status: () => ({ ...STATUS, ...place }),
  };
  const heard = new Map<number, PeerMessage[]>();
  for (const id of [GATEWAY, OTHER]) {
    const messages: PeerMessage[] = [];
    heard.set(id, messages);
    network.join(id).listen({
      received: (_, frame) => messages.push(decodePeerMessage(frame)),
      up: () => {},
      lost: () => {},
    });
  }
  const peers = network.join(SELF);
  peers.listen({ received: () => {}, up: () => {}, lost: () => {} });
  const global = new Global({
    groups: new Map([[2, group]]),
    outbox: new Outbox(clock, peers),
    regionNodes: [GATEWAY, OTHER],
    readHere: new Set(readHere),
  });
  return { global, clock, heard, waiting, asked, place };
}

function ask(number: number, group: number = 2, mode: 'command' | 'query' = 'command'): {
  kind: 'ask';
  number: number;
  group: number;
  mode: 'command' | 'query';
  body: Uint8Array;
} {
  return { kind: 'ask', number, group, mode, body: Uint8Array.of(number) };
}

test('an ask is answered to its asker under its number', () => {
  const { global, clock, heard, waiting, asked } = open();
  global.asked(GATEWAY, ask(4));
  global.asked(OTHER, ask(5, 2, 'query'));
  assert.deepEqual(asked, ['command 4', 'query 5']);
  for (const answer of waiting) answer(REPLY);
  clock.advance(5);
  assert.deepEqual(heard.get(GATEWAY), [{ kind: 'answer', number: 4, answer: REPLY }]);
  assert.deepEqual(heard.get(OTHER), [{ kind: 'answer', number: 5, answer: REPLY }]);
});

test('a query of a group that is read anywhere is answered here, whoever leads', () => {
  const { global, asked } = open([2]);
  global.asked(GATEWAY, ask(4));
  global.asked(GATEWAY, ask(5, 2, 'query'));
  assert.deepEqual(asked, ['command 4', 'query 5 here']);
});

test('a group that is not here sends the asker on', () => {
  const { global, clock, heard } = open();
  global.asked(GATEWAY, ask(4, 9));
  clock.advance(5);
  const answer = { kind: 'moved', leader: undefined, term: 0 };
  assert.deepEqual(heard.get(GATEWAY), [{ kind: 'answer', number: 4, answer }]);
});

test('every gateway is told at once that this node was elected', () => {
  const { global, clock, heard } = open();
  global.elected(2, 7);
  clock.advance(5);
  for (const gateway of [GATEWAY, OTHER]) {
    assert.deepEqual(heard.get(gateway), [{ kind: 'leads', group: 2, term: 7 }]);
  }
});

test('a gateway whose link stands again is told what this node leads, another node nothing', () => {
  const { global, clock, heard, place } = open();
  global.up(GATEWAY);
  clock.advance(5);
  assert.deepEqual(heard.get(GATEWAY), []);
  place.role = 'leader';
  global.up(GATEWAY);
  global.up(nodeId(3));
  clock.advance(5);
  assert.deepEqual(heard.get(GATEWAY), [{ kind: 'leads', group: 2, term: 7 }]);
  assert.deepEqual(heard.get(OTHER), []);
});

test('one node can not fill a group with its asks, and others are still heard', () => {
  const { global, clock, heard, waiting } = open();
  for (let number = 1; number <= 20_001; number++) global.asked(GATEWAY, ask(number));
  global.asked(OTHER, ask(1));
  assert.equal(waiting.length, 20_001);
  clock.advance(5);
  const refused = heard.get(GATEWAY)?.[0];
  assert.ok(refused?.kind === 'answer' && refused.number === 20_001);
  assert.equal(refused.answer.kind, 'unavailable');
  waiting[0]?.(REPLY);
  global.asked(GATEWAY, ask(20_002));
  assert.equal(waiting.length, 20_002);
});

test('what a group tells a player goes to every region', () => {
  const { global, clock, heard } = open();
  global.tell([{ player: 3, push: 'trade.received', value: { gold: 5 } }]);
  clock.advance(5);
  const notice = { kind: 'notice', player: 3, push: 'trade.received', value: '{"gold":5}' };
  assert.deepEqual(heard.get(GATEWAY), [notice]);
  assert.deepEqual(heard.get(OTHER), [notice]);
});
