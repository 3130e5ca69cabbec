import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'node:test';
import { Lines } from '../../src/adapters/maelstrom/lines.ts';

const LINE_LENGTH_MAX: number = 4 * 1_024 * 1_024;

interface Heard {
  readonly lines: string[];
  skipped: number;
  closed: number;
}

function open(): { input: PassThrough; output: PassThrough; lines: Lines; heard: Heard } {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const heard: Heard = { lines: [], skipped: 0, closed: 0 };
  const lines = new Lines(input, output, {
    line: (text) => heard.lines.push(text),
    skipped: () => (heard.skipped += 1),
    closed: () => (heard.closed += 1),
  });
  return { input, output, lines, heard };
}

test('lines are whole however the stream cuts them, also within a character', async () => {
  const { input, heard } = open();
  for (const byte of Buffer.from('one\n\ntwö\u2028\r\nrest')) input.write(Uint8Array.of(byte));
  await nextTurn();
  assert.deepEqual(heard, { lines: ['one', 'twö\u2028\r'], skipped: 0, closed: 0 });
});

test('a line that is too long is skipped once, and the next one is heard', async () => {
  const { input, heard } = open();
  const much = 'x'.repeat(LINE_LENGTH_MAX / 2);
  for (let i = 0; i < 5; i++) input.write(much);
  input.write('\nnext\n');
  await nextTurn();
  assert.deepEqual(heard, { lines: ['next'], skipped: 1, closed: 0 });
});

test('the longest line that may be is heard whole', async () => {
  const { input, heard } = open();
  input.write(`${'x'.repeat(LINE_LENGTH_MAX)}\n`);
  input.end();
  await nextTurn();
  await nextTurn();
  assert.deepEqual([heard.lines[0]?.length, heard.skipped, heard.closed], [LINE_LENGTH_MAX, 0, 1]);
});

test('what nobody takes is bounded: further lines are dropped whole', () => {
  const { output, lines } = open();
  const megabyte = 'x'.repeat(1_024 * 1_024);
  for (let i = 0; i < 80; i++) lines.write([megabyte]);
  assert.ok(output.writableLength + output.readableLength < 70 * 1_024 * 1_024);
});
