// Player frames: what is read is what was written, and whatever else comes is refused with a sentence.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InvalidInputError, type Outcome } from '../../src/base/errors.ts';
import {
  closings,
  formatCommandId,
  formatError,
  formatOutcome,
  formatPlayerFrame,
  formatPush,
  parseCommandId,
  parsePlayerFrame,
  parseServerFrame,
  PLAYER_FRAME_BYTES_MAX,
} from '../../src/wire/player.ts';

const frame = { id: 7, call: 'trade.give', args: { to: 2 }, commandId: '9.1', answeredBelow: 1 };

function refusalOf(text: string): string {
  try {
    parsePlayerFrame(text);
  } catch (cause) {
    assert.ok(cause instanceof InvalidInputError);
    return cause.message;
  }
  return 'nothing';
}

test('a frame is read as it was written', () => {
  assert.deepEqual(parsePlayerFrame(formatPlayerFrame(frame)), frame);
  const query = { id: 1, call: 'holdings.mine', args: null, commandId: undefined, answeredBelow: 0 };
  assert.equal(formatPlayerFrame(query), '{"id":1,"call":"holdings.mine","args":null}');
  assert.deepEqual(parsePlayerFrame('{"id":1,"call":"holdings.mine"}'), query);
  const regional = { ...frame, region: 'eu', ack: 'one', bound: { msOld: 500 } } as const;
  assert.deepEqual(parsePlayerFrame(formatPlayerFrame(regional)), regional);
  const atLeast = { ...query, region: 'eu', bound: { epoch: 3, order: 74 } };
  assert.deepEqual(parsePlayerFrame(formatPlayerFrame(atLeast)), atLeast);
});

test('each malformed frame is refused with what to mend', () => {
  assert.match(refusalOf('x'), /JSON/);
  assert.match(refusalOf('['.repeat(10_000)), /JSON/);
  for (const text of ['7', 'null', '"a"', '[]']) assert.match(refusalOf(text), /object/);
  for (const id of [0, -1, 1.5, 2 ** 53, '7', null, true, [1]]) {
    assert.match(refusalOf(JSON.stringify({ ...frame, id })), /^id /);
  }
  for (const call of ['', 'x'.repeat(65), 7, null, {}]) {
    assert.match(refusalOf(JSON.stringify({ ...frame, call })), /^call /);
  }
  for (const commandId of ['', 'x'.repeat(65), 7, null, {}]) {
    assert.match(refusalOf(JSON.stringify({ ...frame, commandId })), /^commandId /);
  }
  for (const answeredBelow of [-1, 0.5, 2 ** 53, '1', null]) {
    assert.match(refusalOf(JSON.stringify({ ...frame, answeredBelow })), /^answeredBelow /);
  }
  for (const region of ['', 'x'.repeat(65), 7, null, {}]) {
    assert.match(refusalOf(JSON.stringify({ ...frame, region })), /^region /);
  }
  for (const ack of ['', 'two', 'ONE', 1, null, {}]) {
    assert.match(refusalOf(JSON.stringify({ ...frame, ack })), /^ack /);
  }
  const places = [{ epoch: 3 }, { order: 74 }, { epoch: 3, order: -1 }, { epoch: 0.5, order: 74 }];
  const mixed = { msOld: 500, epoch: 3, order: 74 };
  const ages = [{ msOld: -1 }, { msOld: 60_001 }, { msOld: '5' }];
  for (const bound of [500, null, {}, [], ...ages, ...places, mixed]) {
    assert.match(refusalOf(JSON.stringify({ ...frame, bound })), /^bound /);
  }
  const long = JSON.stringify({ ...frame, args: 'x'.repeat(PLAYER_FRAME_BYTES_MAX) });
  assert.match(refusalOf(long), /at most 16384/);
});

test('any text is either a frame or refused by an InvalidInputError', () => {
  const texts = fc.oneof(fc.string(), fc.json(), fc.object().map((value) => JSON.stringify(value)));
  fc.assert(
    fc.property(texts, (text) => {
      refusalOf(text);
      try {
        parseServerFrame(text);
      } catch (cause) {
        assert.ok(cause instanceof InvalidInputError);
      }
    }),
  );
});

test('a command id is two whole numbers from 1, written in one way only', () => {
  assert.deepEqual(parseCommandId('12.3'), { session: 12, number: 3 });
  assert.equal(formatCommandId({ session: 12, number: 3 }), '12.3');
  const wrong = ['', '1', '1.', '.1', '0.1', '1.0', '1.2.3', '01.2', '1.2 ', '-1.2', '1e3.2', 'a.b'];
  for (const text of [...wrong, `${2 ** 53}.1`]) assert.equal(parseCommandId(text), undefined, text);
});

test('each outcome arrives as it was sent', () => {
  const outcomes: Outcome<unknown>[] = [
    { kind: 'done', value: { gold: 5 }, order: 3 },
    { kind: 'done', value: null },
    { kind: 'rejected', reason: 'not-enough-gold', order: 4 },
    { kind: 'rejected', reason: 'bad-arguments', detail: 'args.gold must be …' },
    { kind: 'done', value: null, order: 74, epoch: 3 },
    { kind: 'rejected', reason: 'too-soon', order: 75, epoch: 3 },
    { kind: 'unavailable', retryAfterMs: 50 },
    { kind: 'uncertain' },
  ];
  for (const outcome of outcomes) {
    const read = parseServerFrame(formatOutcome(7, outcome));
    assert.deepEqual(read, { kind: 'outcome', id: 7, outcome });
  }
});

test('an answer that one disk had says where, so that a client can hand the place in', () => {
  const outcome = { kind: 'done', value: null, order: 74 } as const;
  const atOne = { region: 'eu', epoch: 3, order: 74 };
  const read = parseServerFrame(formatOutcome(7, outcome, atOne));
  assert.deepEqual(read, { kind: 'outcome', id: 7, outcome, atOne });
});

test('pushes and errors arrive as they were sent', () => {
  const push = parseServerFrame(formatPush('trade.received', '{"gold":5}'));
  assert.deepEqual(push, { kind: 'push', push: 'trade.received', value: { gold: 5 } });
  const error = parseServerFrame(formatError('id must be …'));
  assert.deepEqual(error, { kind: 'error', error: 'id must be …' });
});

test('answers that are none are refused, and waits are bounded', () => {
  const wrong = [
    '{}',
    '{"id":1}',
    '{"id":1,"outcome":{}}',
    '{"id":1,"outcome":{"kind":"maybe"}}',
    '{"id":1,"outcome":{"kind":"rejected"}}',
    '{"outcome":{"kind":"uncertain"}}',
    '{"id":1,"outcome":{"kind":"uncertain"},"atOne":{"region":"eu","epoch":3}}',
    '{"id":1,"outcome":{"kind":"done","value":null,"order":7},"atOne":{"region":"eu"}}',
  ];
  for (const text of wrong) {
    assert.throws(() => parseServerFrame(text), InvalidInputError, text);
  }
  const wait = parseServerFrame('{"id":1,"outcome":{"kind":"unavailable","retryAfterMs":1e12}}');
  assert.deepEqual(wait.kind === 'outcome' && wait.outcome, {
    kind: 'unavailable',
    retryAfterMs: 60_000,
  });
});

test('close codes are of the range for applications, differ, and their reasons fit', () => {
  const all = Object.values(closings);
  assert.equal(new Set(all.map(({ code }) => code)).size, all.length);
  for (const { code, reason } of all) {
    assert.ok(code >= 4_000 && code < 4_100);
    assert.ok(new TextEncoder().encode(reason).length <= 123);
  }
});
