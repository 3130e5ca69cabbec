import assert from 'node:assert/strict';
import test from 'node:test';
import { ByteReader, ByteWriter } from '../../../src/base/bytes.ts';
import { CorruptionError } from '../../../src/base/errors.ts';
import { keyValue, KeyValues } from '../../../src/services/maelstrom/key-value.ts';
import { AskedGroup, reasonOf } from '../../support/asked-group.ts';

const WRITER = 1;

test('a key that was never written is absent, for reads and for cas', () => {
  const group = new AskedGroup([keyValue]);
  assert.equal(reasonOf(group.query(WRITER, 'key-value.read', { key: 'a' })), 'absent');
  const args = { key: 'a', from: '1', to: '2' };
  assert.equal(reasonOf(group.ask(WRITER, 'key-value.cas', args)), 'absent');
  assert.equal(reasonOf(group.query(WRITER, 'key-value.read', { key: 'a' })), 'absent');
});

test('cas sets a value only where the expected one stands', () => {
  const group = new AskedGroup([keyValue]);
  group.ask(WRITER, 'key-value.write', { key: 'a', value: '1' });
  const wrong = { key: 'a', from: '2', to: '3' };
  assert.equal(reasonOf(group.ask(WRITER, 'key-value.cas', wrong)), 'mismatch');
  assert.equal(reasonOf(group.ask(WRITER, 'key-value.cas', { ...wrong, from: '1' })), 'done');
  const answer = group.query(WRITER, 'key-value.read', { key: 'a' });
  assert.deepEqual(answer.kind === 'done' ? answer.value : answer, { value: '3' });
});

test('what was written is the same after a restart from a snapshot', () => {
  const group = new AskedGroup([keyValue]);
  for (const key of ['b', 'a', '1']) {
    group.ask(WRITER, 'key-value.write', { key, value: `"of ${key}"` });
  }
  const before = group.machine.snapshot();
  group.restart();
  assert.deepEqual(group.machine.snapshot(), before);
  const answer = group.query(WRITER, 'key-value.read', { key: 'b' });
  assert.deepEqual(answer.kind === 'done' ? answer.value : answer, { value: '"of b"' });
});

test('a full store refuses to grow, and still takes what makes it smaller', () => {
  const values = new KeyValues(10);
  assert.equal(values.write({ key: 'k', value: '123456789' }).kind, 'done');
  assert.equal(values.write({ key: 'l', value: '1' }).kind, 'rejected');
  assert.equal(values.cas({ key: 'k', from: '123456789', to: '1234567890' }).kind, 'rejected');
  assert.equal(values.read('k'), '123456789');
  assert.equal(values.write({ key: 'k', value: '1' }).kind, 'done');
  assert.equal(values.write({ key: 'l', value: '1' }).kind, 'done');
});

test('a state that holds a key twice is damaged', () => {
  const writer = new ByteWriter().varint(2).text('k').text('1').text('k').text('2');
  assert.throws(() => KeyValues.load(new ByteReader(writer.finish())), CorruptionError);
});
