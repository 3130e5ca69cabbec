import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId, playerId } from '../../../src/base/id.ts';
import { encodeUpdate } from '../../../src/wire/motion.ts';
import { Region } from '../../../src/world/space/region.ts';
import { Residents, UNNAMED_MS_MAX } from '../../../src/world/space/residents.ts';

const HOME = nodeId(6);
const OTHER = nodeId(7);
const place = { lat: 0, lon: 0 };
const earth = { name: 'earth', westLon: -1_800_000_000, eastLon: 1_800_000_000, isLand: () => true };

function residents(): { readonly residents: Residents; readonly region: Region } {
  const region = new Region(earth);
  return { region, residents: new Residents(region) };
}

const enter = (epoch: number) => ({ kind: 'enter', player: 1, epoch, place, allowedMm: undefined }) as const;
const leave = (epoch: number) => ({ kind: 'leave', player: 1, epoch }) as const;
const standing = encodeUpdate({ sequence: 1, timeMs: 0, ...place, north: 0, east: 0 });
const move = (epoch: number, update: Uint8Array = standing) =>
  ({ kind: 'move', player: 1, epoch, update }) as const;

test('an entry that comes twice is answered twice and is one entry', () => {
  const { residents: here, region } = residents();
  assert.equal(here.enter(HOME, enter(5), 0).kind, 'entered');
  assert.equal(here.enter(HOME, enter(5), 0).kind, 'entered');
  assert.equal(region.players, 1);
});

test('a lower epoch is refused whoever sends it, and told of the higher one', () => {
  const { residents: here } = residents();
  here.enter(HOME, enter(5), 0);
  const told = { kind: 'unknown', player: 1, epoch: 4, newest: 5, isHere: true };
  assert.deepEqual(here.enter(OTHER, enter(4), 0), told);
  assert.deepEqual(here.move(OTHER, move(4), 0), told);
  here.leave(HOME, leave(4), 0);
  assert.equal(here.gatewayOf(playerId(1)), HOME);
});

test('a higher epoch takes the player over, with his frames', () => {
  const { residents: here, region } = residents();
  here.enter(HOME, enter(5), 0);
  assert.equal(here.enter(OTHER, enter(6), 0).kind, 'entered');
  assert.equal(here.gatewayOf(playerId(1)), OTHER);
  assert.equal(region.players, 1);
});

test('an epoch that two gateways give is the first one\'s: the other is told, and ends nothing', () => {
  const { residents: here } = residents();
  here.enter(HOME, enter(5), 0);
  const told = { kind: 'unknown', player: 1, epoch: 5, newest: 5, isHere: true };
  assert.deepEqual(here.enter(OTHER, enter(5), 0), told);
  here.leave(OTHER, leave(5), 0);
  assert.equal(here.gatewayOf(playerId(1)), HOME);
  assert.equal(here.enter(OTHER, enter(6), 0).kind, 'entered');
  here.leave(HOME, leave(5), 0);
  assert.equal(here.gatewayOf(playerId(1)), OTHER);
});

test('a stay that ended does not begin again by a late message', () => {
  const { residents: here, region } = residents();
  here.enter(HOME, enter(5), 0);
  here.leave(HOME, leave(5), 10);
  assert.equal(here.enter(HOME, enter(5), 20).kind, 'unknown');
  assert.equal(here.enter(HOME, enter(4), 20).kind, 'unknown');
  assert.equal(region.players, 0);
  assert.equal(here.enter(HOME, enter(6), 20).kind, 'entered');
});

test('who comes back below the epoch under which he left is told above which he may come', () => {
  const { residents: here, region } = residents();
  here.enter(HOME, enter(5_000), 0);
  here.leave(HOME, leave(5_000), 10);
  // Late, and lower: what ended above it is not forgotten for it.
  here.leave(HOME, leave(40), 20);
  const told = { kind: 'unknown', player: 1, epoch: 41, newest: 5_000, isHere: false };
  assert.deepEqual(here.enter(OTHER, enter(41), 30), told);
  assert.equal(region.players, 0);
  assert.equal(here.enter(OTHER, enter(5_001), 40).kind, 'entered');
});

test('an end that comes before its beginning holds', () => {
  const { residents: here, region } = residents();
  here.leave(HOME, leave(5), 0);
  assert.equal(here.enter(HOME, enter(5), 10).kind, 'unknown');
  assert.equal(region.players, 0);
});

test('whoever is not named for a while is let go, and a gateway that names strangers is told', () => {
  const { residents: here, region } = residents();
  here.enter(HOME, enter(5), 0);
  assert.deepEqual(here.present(HOME, [{ player: 1, epoch: 5 }], 1_000), []);
  here.expire(1_000 + UNNAMED_MS_MAX - 1);
  assert.equal(region.players, 1);
  here.expire(1_000 + UNNAMED_MS_MAX);
  assert.equal(region.players, 0);
  const [told] = here.present(HOME, [{ player: 1, epoch: 5 }], 9_000);
  assert.deepEqual(told, { kind: 'unknown', player: 1, epoch: 5, newest: 5, isHere: false });
});

test('bytes that are no motion frame are refused and change nothing', () => {
  const { residents: here, region } = residents();
  here.enter(HOME, enter(5), 0);
  assert.throws(() => here.move(HOME, move(5, Uint8Array.of(99)), 0), /no update/);
  assert.equal(region.players, 1);
});
