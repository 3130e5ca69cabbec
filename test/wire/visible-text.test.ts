import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError } from '../../src/base/errors.ts';
import { decodeWith, encodeWith, text } from '../../src/wire/schema.ts';
import { visibleText } from '../../src/wire/visible-text.ts';

const said = visibleText(200);

function isTaken(words: string): boolean {
  try {
    return said.parse(words, 'text') === words;
  } catch (cause) {
    assert.ok(cause instanceof InvalidInputError);
    return false;
  }
}

function from(first: number, last: number = first): readonly string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i));
}

test('what people write is taken in many scripts, with joiners and variation selectors inside', () => {
  for (const words of [
    ...['a', ' hello, world ', 'здравствуйте', 'שלום', 'مرحبا', 'नमस्ते', '你好', 'こんにちは', '안녕하세요'],
    ...['สวัสดี', 'می\u200cخواهم', 'क्\u200dष', '👩\u200d👩\u200d👧', '❤\ufe0f', '☺\ufe0e', '𓀀', '\u3000全角'],
    ...['🏴\u{e0067}\u{e0062}\u{e007f}', 'x'.repeat(200)],
  ]) {
    assert.ok(isTaken(words), JSON.stringify(words));
  }
});

test('text in which nothing can be seen is refused', () => {
  const blanks = [
    ...[' ', '\u00a0', '\u1680', '\u202f', '\u205f', '\u3000'],
    ...['\u2800', '\u3164', '\u115f', '\u1160', '\uffa0'],
    ...['\u17b4', '\u17b5', '\u200c', '\u200d', '\u034f', '\u180f'],
    ...['\u{e0100}', '\u{e01ef}', '\u{e0041}'],
    ...[...from(0x2000, 0x200a), ...from(0xfe00, 0xfe0f), ...from(0x180b, 0x180d)],
  ];
  for (const blank of blanks) {
    assert.ok(!isTaken(blank), JSON.stringify(blank));
    assert.ok(isTaken(`a${blank}b`), JSON.stringify(blank));
  }
  assert.ok(!isTaken(blanks.join('')));
  assert.ok(!isTaken(''));
});

test('what turns or hides other text is refused wherever it stands', () => {
  const refused = [
    ...[...from(0, 0x1f), ...from(0x7f, 0x9f), ...from(0x2028, 0x2029)],
    ...['\u061c', '\u200e', '\u200f', ...from(0x202a, 0x202e), ...from(0x2066, 0x2069)],
    ...['\u00ad', '\u180e', '\u200b', ...from(0x2060, 0x2064), ...from(0x206a, 0x206f), '\ufeff'],
    ...[...from(0xfff9, 0xfffb), '\ud800', '\udfff'],
  ];
  for (const each of refused) {
    for (const words of [each, `a${each}`, `${each}a`, `a${each}b`]) {
      assert.ok(!isTaken(words), JSON.stringify(words));
    }
  }
});

test('bytes are held to the same rule', () => {
  const anything = text(1, 200);
  assert.equal(decodeWith(said, encodeWith(anything, 'hello')), 'hello');
  for (const words of ['\u200b', 'a\u202eb', '\u3164']) {
    assert.throws(() => decodeWith(said, encodeWith(anything, words)), InvalidInputError);
  }
});
