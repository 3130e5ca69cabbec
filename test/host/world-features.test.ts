import assert from 'node:assert/strict';
import test from 'node:test';
import { StartError } from '../../src/adapters/node/start-error.ts';
import { changeNote, refuseOthers, remembered } from '../../src/host/world-features.ts';
import type { WorldFile } from '../../src/host/world-file.ts';
import { withOwnFeatures } from '../../src/services/topology/own-features.ts';
import { seedTopology } from '../../src/services/topology/topology.ts';
import type { Feature } from '../../src/world/feature.ts';
import { holdings } from '../../src/world/features/holdings.ts';

const auction: Feature = { ...(holdings as Feature), name: 'auction', version: 1 };
const garden: Feature = { ...auction, name: 'garden', promise: 'regional' };
const fileOf = (...features: readonly Feature[]): WorldFile => {
  return { file: '/my-world.ts', features, digest: 'a1' };
};
const stock = { folder: '/world', topology: seedTopology({ world: 'mine' }) };
const mine = {
  folder: '/world',
  topology: withOwnFeatures(stock.topology, [auction, garden]),
  own: remembered(fileOf(auction, garden)),
};

test('a world goes on with the features that it began with, in whatever order and file', () => {
  refuseOthers(stock, undefined);
  refuseOthers(mine, fileOf(auction, garden));
  refuseOthers(mine, { ...fileOf(garden, auction), file: '/moved.ts' });
});

const mail: Feature = { ...garden, name: 'mail' };
const planted: Feature = { ...garden, version: 2 };
const walking: Feature = { ...auction, promise: 'regional' };
test('code that changed since a world last ran is told, and the same code in another place is not', () => {
  const file = fileOf(auction, garden);
  assert.equal(changeNote(undefined, file), undefined);
  assert.equal(changeNote(mine, { ...file, file: '/moved.ts' }), undefined);
  assert.match(changeNote(mine, { ...file, digest: 'b2' }) ?? '', /^\/my-world\.ts, .* has changed/);
});

type Case = readonly [what: string, world: typeof mine | typeof stock, WorldFile | undefined, RegExp];
const others: readonly Case[] = [
  ['no file', mine, undefined, /has the feature "auction": name the file that has it with --world/],
  ['one less', mine, fileOf(auction), /has the feature "garden", and \/my-world\.ts does not: put it back/],
  ['one more', mine, fileOf(auction, garden, mail), /began without "mail".* take it out of the list/],
  ['any, of a stock world', stock, fileOf(auction, garden), /"auction", "garden".* leave --world out/],
  ['another promise', mine, fileOf(walking, garden), /is linearizable in the world in .* and regional in /],
  ['another version', mine, fileOf(auction, planted), /began with version 1 of "garden", .* version 2/],
];

for (const [what, world, file, sentence] of others) {
  test(`a world runs with no other features than it began with: ${what}`, () => {
    assert.throws(() => refuseOthers(world, file), (error) => {
      assert.ok(error instanceof StartError);
      assert.match(error.message, sentence);
      return true;
    });
  });
}
