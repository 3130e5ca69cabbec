import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError } from '../../src/base/errors.ts';
import { fieldOf, idOf, readBody, readEnvelope } from '../../src/wire/maelstrom.ts';

test('a line without sender and receiver can not be answered and is refused', () => {
  const lines = ['', '{', 'null', '[]', '7', '{}', '{"src":"c1"}', '{"src":1,"dest":"n1","body":{}}'];
  for (const line of lines) assert.throws(() => readEnvelope(line), InvalidInputError, line);
});

test('what the harness adds to an envelope does not matter', () => {
  const line = '{"id":7,"src":"c1","dest":"n1","body":{"type":"read"}}';
  assert.deepEqual(readEnvelope(line), { src: 'c1', dest: 'n1', body: { type: 'read' } });
});

test('a body needs a type, and a number that is one', () => {
  const bodies = [undefined, null, 'read', [], {}, { type: 7 }, { type: 'read', msg_id: 1.5 }];
  for (const body of bodies) assert.throws(() => readBody(body), InvalidInputError);
  assert.equal(readBody({ type: 'read', msg_id: 0 }).id, 0);
  assert.equal(readBody({ type: 'read' }).id, undefined);
});

test('replies and errors are told from requests', () => {
  assert.equal(readBody({ type: 'read', msg_id: 1 }).isReply, false);
  assert.equal(readBody({ type: 'read_ok', in_reply_to: 1 }).isReply, true);
  assert.equal(readBody({ type: 'error', code: 1 }).isReply, true);
});

test('a body may be nested, but not so deep that walking over it costs the stack', () => {
  const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
  assert.equal(readBody({ type: 'echo', echo: nested(60) }).type, 'echo');
  assert.throws(() => readBody({ type: 'echo', echo: nested(100_000) }), InvalidInputError);
});

test('even of an unreadable body the number is known', () => {
  assert.equal(idOf({ msg_id: 4 }), 4);
  for (const body of [null, 'text', [], { msg_id: '4' }]) assert.equal(idOf(body), undefined);
});

test('a field that is null is there, one that is inherited is not', () => {
  assert.equal(fieldOf({ value: null }, 'value'), null);
  assert.throws(() => fieldOf({}, 'value'), InvalidInputError);
  assert.throws(() => fieldOf({}, 'toString'), InvalidInputError);
});
