import assert from 'node:assert/strict';
import test from 'node:test';
import { MaelstromPeers } from '../../src/adapters/maelstrom/peers.ts';
import { nodeId } from '../../src/base/id.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const [SELF, OTHER] = [nodeId(1), nodeId(2)];

function open(): { peers: MaelstromPeers; clock: VirtualClock; carried: unknown[]; heard: unknown[] } {
  const clock = new VirtualClock();
  const carried: unknown[] = [];
  const heard: unknown[] = [];
  const peers = new MaelstromPeers({
    self: SELF,
    names: new Map([
      [SELF, 'n1'],
      [OTHER, 'n2'],
    ]),
    clock,
    carry: (frames) => carried.push(...frames),
  });
  peers.listen({
    received: (from, frame) => heard.push([from, [...frame]]),
    up: (node) => heard.push(['up', node]),
    lost: (node) => heard.push(['lost', node]),
  });
  return { peers, clock, carried, heard };
}

test('a frame leaves at the flush and arrives as it was', () => {
  const { peers, carried, heard } = open();
  peers.send(OTHER, Uint8Array.of(0, 255, 7));
  assert.deepEqual(carried, []);
  peers.flush();
  assert.deepEqual(carried, [{ to: 'n2', frame: 'AP8H' }]);
  peers.heard('n2', 'AP8H');
  assert.deepEqual(heard, [['up', OTHER], [OTHER, [0, 255, 7]]]);
});

test('a link stands while the other end was heard a moment ago', () => {
  const { peers, clock, heard } = open();
  assert.equal(peers.connected(OTHER), false);
  peers.heard('n2', '');
  clock.advance(400);
  peers.heard('n2', '');
  clock.advance(400);
  assert.equal(peers.connected(OTHER), true);
  clock.advance(200);
  assert.equal(peers.connected(OTHER), false);
  peers.heard('n2', '');
  assert.equal(heard.filter((one) => Array.isArray(one) && one[0] === 'up').length, 2);
});

test('a node hears itself, but never before its own step is done', () => {
  const { peers, clock, carried, heard } = open();
  assert.equal(peers.connected(SELF), true);
  peers.send(SELF, Uint8Array.of(1));
  peers.flush();
  assert.deepEqual(heard, []);
  clock.advance(0);
  assert.deepEqual(heard, [[SELF, [1]]]);
  assert.deepEqual(carried, []);
});

test('strangers, and those who call themselves by our own name, are not heard', () => {
  const { peers, heard } = open();
  peers.heard('n9', 'AA==');
  peers.heard('n1', 'AA==');
  assert.deepEqual(heard, []);
});
