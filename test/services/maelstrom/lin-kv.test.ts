import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import type { PeerListener } from '../../../src/runtime/ports.ts';
import { Checkpoints } from '../../../src/runtime/checkpoints.ts';
import { Journal } from '../../../src/runtime/journal.ts';
import { openLinKv } from '../../../src/services/maelstrom/lin-kv.ts';
import type { MaelstromDoors } from '../../../src/services/maelstrom/workload.ts';
import { VirtualDisk } from '../../../src/sim/machine/disk.ts';
import type { Fields } from '../../../src/wire/maelstrom.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const SELF = nodeId(1);
const NAMES = new Map([1, 2, 3].map((number) => [nodeId(number), `n${number}`]));
/** Longer than any request may take. */
const LONG_MS = 2_000;
const TIMEOUT = 0;
const UNAVAILABLE = 11;

/** One node of three that hears nothing of the others. */
class DeafNode {
  readonly #clock = new VirtualClock();
  readonly #requests: ReturnType<typeof openLinKv>['requests'];

  /** `isLinked`: it takes the others to be there; then what it sends may arrive. */
  constructor(isLinked: boolean) {
    const clock = this.#clock;
    let listener: PeerListener | undefined;
    const doors: MaelstromDoors = {
      clock,
      entropy: { bytes: (count) => new Uint8Array(count).fill(7) },
      logger: { log: () => undefined },
      named: () => undefined,
      openPeers: () => ({
        send(to, frame) {
          if (to === SELF) clock.defer(() => listener?.received(SELF, frame));
        },
        flush: () => undefined,
        connected: (to) => isLinked || to === SELF,
        listen(given) {
          listener = given;
        },
        close: () => Promise.resolve(),
      }),
      openStorage() {
        const disk = new VirtualDisk();
        return { ...Journal.open(disk), checkpoints: new Checkpoints(disk) };
      },
      fail(cause) {
        throw cause;
      },
    };
    this.#requests = openLinKv({ self: SELF, names: NAMES }, doors).requests;
  }

  /** What it has answered after so long. */
  ask(type: string, request: Fields, withinMs: number): readonly Fields[] {
    const answers: Fields[] = [];
    const handle = this.#requests.get(type);
    assert.ok(handle !== undefined);
    handle(request, (answer) => answers.push(answer));
    this.#clock.advance(withinMs);
    return answers;
  }
}

function codesOf(answers: readonly Fields[]): readonly unknown[] {
  return answers.map((answer) => answer['code']);
}

const write: Fields = { key: 1, value: 2 };
const cas: Fields = { key: 1, from: 2, to: 3 };

test('a change that was sent and not answered is never called a failure', () => {
  const node = new DeafNode(true);
  assert.deepEqual(codesOf(node.ask('write', write, LONG_MS)), [TIMEOUT]);
  assert.deepEqual(codesOf(node.ask('cas', cas, LONG_MS)), [TIMEOUT]);
});

test('a read that was not answered has failed, for it changes nothing', () => {
  assert.deepEqual(codesOf(new DeafNode(true).ask('read', { key: 1 }, LONG_MS)), [UNAVAILABLE]);
});

test('a node that knows that it is alone refuses, and nothing happened', () => {
  const node = new DeafNode(false);
  assert.deepEqual(codesOf(node.ask('write', write, LONG_MS)), [UNAVAILABLE]);
  assert.deepEqual(codesOf(node.ask('cas', cas, LONG_MS)), [UNAVAILABLE]);
  assert.deepEqual(codesOf(node.ask('read', { key: 1 }, LONG_MS)), [UNAVAILABLE]);
});

test('more changes under way than a session may have are refused at once', () => {
  const node = new DeafNode(true);
  let refused = 0;
  for (let i = 0; i < 300; i++) refused += node.ask('write', write, 0).length;
  assert.equal(refused, 100);
  assert.deepEqual(codesOf(node.ask('write', write, LONG_MS)), [UNAVAILABLE]);
  assert.deepEqual(codesOf(node.ask('write', write, LONG_MS)), [TIMEOUT]);
});
