import assert from 'node:assert/strict';
import test from 'node:test';
import { InvariantError } from '../../src/base/errors.ts';
import { expositionText, type MetricFamily } from '../../src/wire/exposition.ts';
import { readExposition } from '../support/exposition-rules.ts';

const PLAYERS: MetricFamily = {
  name: 'bluemarble_players',
  type: 'gauge',
  help: 'Who is there.',
  samples: [
    { labels: {}, value: 3 },
    { labels: { region: 'eu', gateway: 'asia' }, value: 0.5 },
  ],
};

test('a family is written with its help, its type and then its samples', () => {
  assert.equal(
    expositionText([PLAYERS]),
    '# HELP bluemarble_players Who is there.\n' +
      '# TYPE bluemarble_players gauge\n' +
      'bluemarble_players 3\n' +
      'bluemarble_players{region="eu",gateway="asia"} 0.5\n',
  );
});

test('a family without samples is left out', () => {
  assert.equal(expositionText([{ ...PLAYERS, samples: [] }]), '');
});

test('whatever a label holds comes through, and ends no line', () => {
  const hostile = 'a"b\\n\n\\"}{=,# HELP';
  const text = expositionText([{ ...PLAYERS, samples: [{ labels: { region: hostile }, value: 1 }] }]);
  assert.equal(text.split('\n').length, 4);
  assert.equal(readExposition(text).get('bluemarble_players')?.[0]?.labels['region'], hostile);
});

test('a help of two lines is written on one, and its quotes stay as they are', () => {
  const text = expositionText([{ ...PLAYERS, help: 'a\\b\n"c"' }]);
  assert.equal(text.split('\n')[0], String.raw`# HELP bluemarble_players a\\b\n"c"`);
  readExposition(text);
});

test('numbers that are none of the usual ones are written as the format has them', () => {
  const values = [Infinity, -Infinity, NaN, -0, 1e21, 1.5e-7, Number.MAX_SAFE_INTEGER];
  const samples = values.map((value, place) => ({ labels: { place: String(place) }, value }));
  const text = expositionText([{ ...PLAYERS, samples }]);
  const written = text.split('\n').slice(2, -1).map((line) => line.split(' ')[1]);
  assert.deepEqual(written, ['+Inf', '-Inf', 'NaN', '0', '1e+21', '1.5e-7', '9007199254740991']);
  readExposition(text);
});

test('a name that the format does not know is a fault of ours', () => {
  for (const name of ['', '9lives', 'a-b', 'a b', 'a\nb']) {
    assert.throws(() => expositionText([{ ...PLAYERS, name }]), InvariantError);
    const samples = [{ labels: { [name]: 'x' }, value: 1 }];
    assert.throws(() => expositionText([{ ...PLAYERS, samples }]), InvariantError);
  }
});
