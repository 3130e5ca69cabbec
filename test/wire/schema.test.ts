import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../src/base/bytes.ts';
import { InvalidInputError, InvariantError } from '../../src/base/errors.ts';
import {
  boolean,
  decodeWith,
  distinct,
  encodeWith,
  integer,
  list,
  nothing,
  nullable,
  object,
  octets,
  oneOf,
  type Schema,
  text,
} from '../../src/wire/schema.ts';

const letter = object({
  to: integer(1, Number.MAX_SAFE_INTEGER),
  place: object({ lat: integer(-900, 900), lon: integer(-1800, 1800) }),
  title: text(1, 20),
  tone: oneOf(['kind', 'plain']),
  urgent: boolean(),
  sign: nullable(text(0, 5)),
  items: distinct(list(integer(1, 100), 4)),
});
const anyLetter = fc.record({
  to: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  place: fc.record({
    lat: fc.integer({ min: -900, max: 900 }),
    lon: fc.integer({ min: -1800, max: 1800 }),
  }),
  title: fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }),
  tone: fc.constantFrom('kind' as const, 'plain' as const),
  urgent: fc.boolean(),
  sign: fc.option(fc.string({ maxLength: 5 })),
  items: fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 4 }),
});

const refuses = <Value>(schema: Schema<Value>, ...inputs: unknown[]): void => {
  inputs.forEach((input, place) => {
    assert.throws(() => schema.parse(input, 'args'), InvalidInputError, `took input ${place}`);
  });
};

test('a value that parses comes back out of its bytes as it went in', () => {
  fc.assert(
    fc.property(anyLetter, (value) => {
      const parsed = letter.parse(JSON.parse(JSON.stringify(value)), 'args');
      assert.deepEqual(decodeWith(letter, encodeWith(letter, parsed)), parsed);
      assert.deepEqual(JSON.stringify(parsed), JSON.stringify(value));
    }),
  );
});

test('no bytes make a schema do anything but decode or refuse, and what decodes also parses', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      let value;
      try {
        value = decodeWith(letter, bytes);
      } catch (cause) {
        assert.ok(cause instanceof InvalidInputError);
        return;
      }
      assert.deepEqual(letter.parse(value, 'args'), value);
    }),
  );
});

test('no JSON makes a schema do anything but parse or refuse', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (input) => {
      try {
        letter.parse(input, 'args');
        assert.fail('a random value is no letter');
      } catch (cause) {
        assert.ok(cause instanceof InvalidInputError);
      }
    }),
  );
});

test('only whole numbers within the bounds are integers', () => {
  refuses(integer(0, 10), -1, 11, 1.5, Number.NaN, Infinity, 2 ** 53, '5', null, undefined, [5], 5n);
  refuses(integer(1, Number.MAX_SAFE_INTEGER), 0, 1e300, Number.MAX_SAFE_INTEGER + 1);
  assert.equal(integer(0, 10).parse(10, 'args'), 10);
});

test('minus zero, which JSON can say, becomes zero', () => {
  assert.ok(Object.is(integer(-5, 5).parse(JSON.parse('-0'), 'args'), 0));
});

test('a number beyond the bounds is refused in bytes as well', () => {
  const eleven = new ByteWriter().varint(11).finish();
  assert.throws(() => decodeWith(integer(0, 10), eleven), InvalidInputError);
  assert.throws(() => decodeWith(integer(-5, 5), eleven), InvalidInputError);
});

test('an integer that its bytes could not hold exactly can not be described', () => {
  assert.throws(() => integer(-(2 ** 53) + 1, 0), InvariantError);
  assert.throws(() => integer(3, 2), InvariantError);
  const far = integer(-(2 ** 52) + 1, 2 ** 52 - 1);
  for (const value of [-(2 ** 52) + 1, 2 ** 52 - 1]) {
    assert.equal(decodeWith(far, encodeWith(far, value)), value);
  }
});

test('text is refused when it is too short, too long, of another form, or half a character', () => {
  refuses(text(2, 4), 'a', 'abcde', 7, null, ['ab'], 'ab\u{d800}');
  refuses(text(1, 9, /^[a-z]+$/, 'a-z'), 'Abc', 'abc\n', 'ab c', '');
  assert.equal(text(1, 4).parse('😀😀', 'args'), '😀😀');
  assert.throws(
    () => decodeWith(text(1, 9, /^[a-z]+$/), new ByteWriter().text('A').finish()),
    InvalidInputError,
  );
});

test('a refusal names the place of the fault', () => {
  const input = { ...sample(), place: { lat: 0, lon: 1801 } };
  assert.throws(() => letter.parse(input, 'args'), { message: /^args\.place\.lon must be/ });
  const items = { ...sample(), items: [1, 2.5] };
  assert.throws(() => letter.parse(items, 'args'), { message: /^args\.items\[1\] must be/ });
});

test('an unknown field is refused, also one that would reach the prototype', () => {
  refuses(letter, { ...sample(), extra: 1 });
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const hostile: unknown = JSON.parse(`{"gold":1,"${name}":{"gold":9}}`);
    refuses(object({ gold: integer(0, 9) }), hostile);
  }
  assert.equal(Reflect.get({}, 'gold'), undefined);
});

test('an unknown field is named, in a sentence of one line that is no longer than one', () => {
  const gold = object({ gold: integer(0, 9) });
  const refusal = (name: string): string => {
    try {
      gold.parse({ [name]: 1 }, 'args');
    } catch (cause) {
      if (cause instanceof InvalidInputError) return cause.message;
    }
    return 'not refused';
  };
  assert.equal(refusal('gould'), 'args has the unknown field "gould"');
  assert.equal(refusal('a"\n\u001b[2J'), String.raw`args has the unknown field "a\"\n\u001b[2J"`);
  assert.equal(refusal('x'.repeat(10_000)), `args has the unknown field "${'x'.repeat(64)}..."`);
});

test('a field is not taken from the prototype', () => {
  refuses(object({ gold: integer(0, 9) }), Object.create({ gold: 1 }), {}, [], null, 'gold', 7);
  refuses(object({ constructor: integer(0, 9) }), {});
});

test('a list is bounded in JSON and in bytes', () => {
  const bounded = list(integer(0, 9), 2);
  refuses(bounded, [1, 2, 3], { length: 1, 0: 1 }, 'ab', null);
  const three = new ByteWriter().varint(3).u8(1).u8(1).u8(1).finish();
  assert.throws(() => decodeWith(bounded, three), InvalidInputError);
  const endless = new ByteWriter().varint(Number.MAX_SAFE_INTEGER).finish();
  assert.throws(() => decodeWith(bounded, endless), InvalidInputError);
});

test('a distinct list names nothing twice, in JSON and in bytes', () => {
  const bounded = distinct(list(integer(0, 9), 3));
  refuses(bounded, [1, 2, 1]);
  const twice = new ByteWriter().varint(2).u8(4).u8(4).finish();
  assert.throws(() => decodeWith(bounded, twice), InvalidInputError);
});

test('a flag, a word and an absent value have one form in bytes each', () => {
  const two = Uint8Array.of(2);
  for (const schema of [boolean(), nullable(text(0, 1)), oneOf(['a', 'b'])]) {
    assert.throws(() => decodeWith<unknown>(schema, two), InvalidInputError);
  }
  refuses(boolean(), 0, 1, 'true', null);
  refuses(oneOf(['a', 'b']), 'c', 0, '__proto__');
  assert.equal(nullable(text(0, 1)).parse(undefined, 'args'), null);
});

test('bytes are bounded and copied', () => {
  refuses(octets(2), Uint8Array.of(1, 2, 3), [1, 2], 'ab');
  const given = Uint8Array.of(1, 2);
  const taken = octets(2).parse(given, 'args');
  given[0] = 9;
  assert.deepEqual([...taken], [1, 2]);
});

test('nothing is null, left out, or an empty object', () => {
  for (const input of [null, undefined, {}]) assert.equal(nothing.parse(input, 'args'), null);
  refuses(nothing, { a: 1 }, 0, '', [], [1], false);
  assert.equal(encodeWith(nothing, null).length, 0);
});

test('bytes with a tail are not the value', () => {
  assert.throws(() => decodeWith(boolean(), Uint8Array.of(1, 0)), InvalidInputError);
});

function sample(): Record<string, unknown> {
  return {
    to: 1,
    place: { lat: 0, lon: 0 },
    title: 'a',
    tone: 'kind',
    urgent: false,
    sign: null,
    items: [],
  };
}
