import assert from 'node:assert/strict';
import test from 'node:test';
import { ByteReader } from '../../src/base/bytes.ts';
import type { NodeId } from '../../src/base/id.ts';
import { type FinalLog, TappedLog } from '../../src/chaos/tapped-log.ts';
import type { Tapped } from '../../src/wire/tap.ts';
import { COPIES, Copies } from '../support/copies.ts';

const [A, B, C] = COPIES as readonly [NodeId, NodeId, NodeId];

/** An entry whose command is one byte, answered with it; without one it opens its epoch. */
function entry(epoch: number, index: number, byte?: number, reply?: number): Tapped {
  const command = Uint8Array.of(byte ?? 0);
  const answer = Uint8Array.of(reply ?? byte ?? 0);
  const applied = byte === undefined ? undefined : { command, reply: answer };
  return { epoch, index, timeMs: index, applied };
}

function finished(isRegion: boolean, ...lives: readonly (readonly [string, readonly Tapped[]])[]): FinalLog {
  const log = new TappedLog(isRegion);
  for (const [node, entries] of lives) log.add(node, entries);
  return log.finish();
}

function placesOf({ entries }: FinalLog): readonly string[] {
  return entries.map(({ epoch, index }) => `${epoch}:${index}`);
}

test('stretches of several lives make one whole log', () => {
  const log = finished(
    false,
    ['global-1', [entry(1, 1), entry(1, 2, 5)]],
    ['global-2', [entry(1, 2, 5), entry(2, 3), entry(2, 4, 6)]],
    ['global-1', [entry(2, 4, 6), entry(2, 5, 7)]],
  );
  assert.deepEqual(placesOf(log), ['1:1', '1:2', '2:3', '2:4', '2:5']);
  assert.equal(log.isWhole, true);
  assert.deepEqual(log.differences, []);
});

test('a log that nobody holds from its first entry on is not whole', () => {
  const begun = [entry(1, 1), entry(1, 2, 5)];
  const gap = finished(false, ['global-1', begun], ['global-2', [entry(1, 4, 6)]]);
  assert.equal(gap.isWhole, false);
  assert.deepEqual(placesOf(gap), ['1:4']);
  assert.equal(finished(false).isWhole, false);
  const unjoined = finished(true, ['eu', begun], ['asia', [entry(2, 3), entry(2, 4, 6)]]);
  assert.equal(unjoined.isWhole, false, 'nobody saw what the second epoch goes on from');
});

test('another command, reply or time at one place is a difference, between nodes and lives', () => {
  for (const other of [entry(1, 2, 6), entry(1, 2, 5, 6), { ...entry(1, 2, 5), timeMs: 9 }, entry(1, 2)]) {
    for (const node of ['global-1', 'global-2']) {
      const log = finished(false, ['global-1', [entry(1, 1), entry(1, 2, 5)]], [node, [other]]);
      const [found] = log.differences;
      assert.equal(log.differences.length, 1);
      assert.deepEqual(found?.one, { node: 'global-1', entry: entry(1, 2, 5) });
      assert.deepEqual(found?.other, { node, entry: other });
    }
  }
});

test('what a promotion cut off is not in the final log of a region; a group has no such thing', () => {
  const lives = [
    ['eu', [entry(1, 1), entry(1, 2, 5), entry(1, 3, 6), entry(1, 4, 7), entry(1, 5, 8)]],
    ['asia', [entry(1, 1), entry(1, 2, 5), entry(2, 3), entry(2, 4, 9)]],
  ] as const;
  const region = finished(true, ...lives);
  assert.deepEqual(placesOf(region), ['1:1', '1:2', '2:3', '2:4']);
  assert.deepEqual(region.differences, []);
  const group = finished(false, ...lives);
  assert.deepEqual(group.differences.map(({ other }) => other.entry.index), [3, 4]);
});

test('an epoch that nobody went on from is not in the final log, though it is older than the last', () => {
  const log = finished(
    true,
    ['eu', [entry(1, 1), entry(1, 2, 5), entry(2, 3)]],
    ['asia', [entry(1, 1), entry(1, 2, 5), entry(1, 3, 6), entry(3, 4), entry(3, 5, 7)]],
  );
  assert.deepEqual(placesOf(log), ['1:1', '1:2', '1:3', '3:4', '3:5']);
  assert.equal(log.isWhole, true);
});

test("the copies of a region leave a whole log behind, through a promotion and a copy's new state", () => {
  const copies = new Copies();
  copies.propose(A, 5);
  copies.clock.advance(50);
  copies.network.cut(A, B);
  copies.network.cut(A, C);
  copies.propose(A, 100, 'one');
  copies.clock.advance(50);
  copies.kill(A);
  assert.equal(copies.promote(2), B);
  copies.clock.advance(50);
  copies.propose(B, 1);
  copies.clock.advance(50);
  copies.restart(A);
  copies.clock.advance(1_000);
  const log = finished(true, ...copies.tapped.map(({ node, entries }) => [node, entries] as const));
  assert.equal(log.isWhole, true);
  assert.deepEqual(log.differences, []);
  const added = log.entries.flatMap(({ applied }) => applied ?? []).map(({ command }) => command);
  assert.deepEqual(added.map((command) => new ByteReader(command).varint()), [5, 1]);
  const lost = copies.tapped[0]?.entries.at(-1)?.applied?.command ?? new Uint8Array(1);
  assert.equal(new ByteReader(lost).varint(), 100, 'the first primary had applied what it lost');
});
