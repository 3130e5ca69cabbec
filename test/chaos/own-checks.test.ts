import assert from 'node:assert/strict';
import test from 'node:test';
import { ownChecks, type OwnFindings } from '../../src/chaos/own-checks.ts';

const sound: OwnFindings = {
  truth: { unknown: [], differing: [], wrong: [], forgotten: [], applied: [], shown: [], logs: [] },
  decided: new Map([['auction', 12]]),
  fault: undefined,
};

function results(findings: OwnFindings): readonly string[] {
  return ownChecks(findings).map(({ result }) => result);
}

test('features that were asked and keep their promises are called so, with how much that was', () => {
  assert.deepEqual(results(sound), ['held', 'held', 'held', 'held']);
  assert.deepEqual(ownChecks(sound)[0]?.sentences, ['auction 12 decided calls']);
});

test('a feature that nobody was answered by, or deeds that nobody can do, show nothing', () => {
  const silent = { ...sound, decided: new Map([...sound.decided, ['guilds', 0]]) };
  assert.deepEqual(results(silent), ['unknown', 'held', 'held', 'held']);
  assert.deepEqual(ownChecks(silent)[0]?.sentences, ['nobody was answered anything by guilds']);
  assert.equal(results({ ...sound, fault: 'drawDeed drew "x.y", which players can not ask' })[0], 'unknown');
});

test('what is broken is told, and what is not known of a log is not called sound', () => {
  const unknown = ['economy: the nodes wrote down nothing of it'];
  for (const [truth, expected] of [
    [{ differing: ['a'] }, ['held', 'broken', 'held', 'held']],
    [{ wrong: ['a'] }, ['held', 'held', 'broken', 'held']],
    [{ forgotten: ['a'] }, ['held', 'held', 'held', 'broken']],
    [{ unknown }, ['held', 'held', 'unknown', 'unknown']],
    [{ unknown, wrong: ['a'] }, ['held', 'held', 'broken', 'unknown']],
  ] as const) {
    assert.deepEqual(results({ ...sound, truth: { ...sound.truth, ...truth } }), expected);
  }
});
