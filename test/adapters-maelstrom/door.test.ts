import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'node:test';
import { MaelstromDoor } from '../../src/adapters/maelstrom/door.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

interface Opened {
  readonly door: MaelstromDoor;
  readonly asked: string[];
  readonly skipped: unknown[];
  /** Says lines to the node, and returns what it has said since. */
  say(...messages: readonly object[]): Promise<readonly unknown[]>;
}

/** A node that answers `type` with `type_ok`. */
function open(): Opened {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const asked: string[] = [];
  const skipped: unknown[] = [];
  const door = new MaelstromDoor({
    input,
    output,
    clock: new VirtualClock(),
    logger: { log: (_level, _event, facts) => void skipped.push(facts?.['cause']) },
    asked: ({ type }, answer) => {
      asked.push(type);
      answer({ type: `${type}_ok` });
    },
    closed: () => undefined,
  });
  const say = async (...messages: readonly object[]): Promise<readonly unknown[]> => {
    for (const message of messages) input.write(`${JSON.stringify(message)}\n`);
    await nextTurn();
    const said = String(output.read() ?? '').split('\n').filter((line) => line !== '');
    return said.map((line): unknown => JSON.parse(line));
  };
  return { door, asked, skipped, say };
}

const body = (type: string, id?: unknown): object => ({ type, ...(id === undefined ? {} : { msg_id: id }) });

test('a request is answered under its number, in the name that it was sent to', async () => {
  const { say } = open();
  const said = await say({ src: 'c1', dest: 'n1', body: body('echo', 4) });
  assert.deepEqual(said, [{ src: 'n1', dest: 'c1', body: { type: 'echo_ok', in_reply_to: 4 } }]);
});

test('once a node knows its name it does nothing that is asked of another', async () => {
  const { door, asked, skipped, say } = open();
  door.hearOnlyFor('n1');
  const said = await say(
    { src: 'c1', dest: 'n2', body: body('write', 5) },
    { src: 'c1', dest: 'n1', body: body('read', 6) },
  );
  assert.deepEqual(said, [{ src: 'n1', dest: 'c1', body: { type: 'read_ok', in_reply_to: 6 } }]);
  assert.deepEqual([asked, skipped], [['read'], ['it is for another node']]);
});

test('a request without a number is not done, for nobody could be told of it', async () => {
  const { asked, skipped, say } = open();
  for (const id of [undefined, 'seven', 1.5]) {
    assert.deepEqual(await say({ src: 'c1', dest: 'n1', body: body('write', id) }), []);
  }
  assert.deepEqual([asked, skipped.length], [[], 3]);
});

test('a malformed request with a number is told so', async () => {
  const { say } = open();
  const said = await say({ src: 'c1', dest: 'n1', body: { type: 7, msg_id: 8 } });
  const error = { type: 'error', code: 12, text: '"type" must be a text', in_reply_to: 8 };
  assert.deepEqual(said, [{ src: 'n1', dest: 'c1', body: error }]);
});
