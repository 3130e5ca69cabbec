// One region: who may enter, how fast one may go, whose update counts, and what others hear of it.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InvalidInputError } from '../../../src/base/errors.ts';
import { playerId } from '../../../src/base/id.ts';
import { ahead } from '../../../src/crowd/great-circle.ts';
import type { Place } from '../../../src/wire/calls.ts';
import { type Avatar, decodeServerMotion } from '../../../src/wire/motion.ts';
import { distanceMm } from '../../../src/base/earth.ts';
import { BURST_METRES, SPEED_METRES_PER_SECOND } from '../../../src/world/space/footing.ts';
import { type MoveVerdict, PHASES, Region, REGION_PLAYERS_MAX } from '../../../src/world/space/region.ts';
import { anywhere, degrees, direction, share } from './earth.ts';

const ANN = playerId(1);
const BOB = playerId(2);
const whole = { name: 'earth', westLon: -1_800_000_000, eastLon: 1_800_000_000, isLand: () => true };

/** A region with Ann in it, and her updates numbered for her. */
class Walk {
  readonly region: Region;
  #sequence = 0;

  constructor(start: Place, region: Region = new Region(whole)) {
    this.region = region;
    assert.equal(region.enter(ANN, start, 0).kind, 'done');
  }

  to(place: Place, nowMs: number): MoveVerdict {
    this.#sequence += 1;
    const motion = { sequence: this.#sequence, timeMs: nowMs, ...place, north: 0, east: 0 };
    return this.region.move(ANN, motion, nowMs);
  }
}

test('who enters is told the region, its tick and how far he sees', () => {
  const entered = new Region(whole).enter(ANN, degrees(1, 2), 0);
  assert.deepEqual(entered, {
    kind: 'done',
    value: { region: 'earth', tickMs: 100, sightMetres: 200 },
  });
});

test('nobody leaps into the water, another region or a full one', () => {
  const isLand = (place: Place): boolean => place.lat > 0;
  const region = new Region({ name: 'east', westLon: 0, eastLon: 1_800_000_000, isLand });
  assert.deepEqual(region.enter(ANN, degrees(-1, 1), 0), { kind: 'rejected', reason: 'not-on-land' });
  assert.equal(region.enter(ANN, degrees(-1, 1), 0, 0).kind, 'done', 'who walks in may have swum');
  region.leave(ANN);
  assert.throws(() => region.enter(ANN, degrees(1, -1), 0), /another region/);
  assert.throws(() => region.enter(ANN, degrees(1, 180), 0), /another region/);
  assert.equal(region.players, 0);
  for (let player = 1; player <= REGION_PLAYERS_MAX; player++) {
    region.enter(playerId(player), degrees(1, 1), 0);
  }
  const late = region.enter(playerId(REGION_PLAYERS_MAX + 1), degrees(1, 1), 0);
  assert.deepEqual(late, { kind: 'rejected', reason: 'region-full' });
  assert.equal(region.enter(ANN, degrees(1, 2), 0).kind, 'done');
  region.leave(BOB);
  assert.equal(region.enter(playerId(REGION_PLAYERS_MAX + 1), degrees(1, 1), 0).kind, 'done');
  assert.equal(region.players, REGION_PLAYERS_MAX);
});

test('a player id that does not fit into a frame is refused', () => {
  const region = new Region(whole);
  assert.throws(() => region.enter(playerId(2 ** 32), degrees(1, 1), 0), InvalidInputError);
  assert.equal(region.enter(playerId(2 ** 32 - 1), degrees(1, 1), 0).kind, 'done');
});

test('who left is gone, and cannot leave or move again', () => {
  const walk = new Walk(degrees(1, 2));
  assert.equal(walk.region.leave(ANN), true);
  assert.equal(walk.region.leave(ANN), false);
  assert.deepEqual(walk.to(degrees(1, 2), 0), { reason: 'not-in-the-world', back: degrees(1, 2) });
});

test('a runner may run for ever, and one who is faster is put back where he was', () => {
  const walk = new Walk(degrees(50, 8));
  let place = degrees(50, 8);
  let nowMs = 0;
  for (let second = 0; second < 60; second++) {
    nowMs += 1_000;
    place = ahead(place, 1, SPEED_METRES_PER_SECOND - 0.1);
    assert.equal(walk.to(place, nowMs), undefined);
  }
  let gone = 0;
  let verdict: MoveVerdict;
  let next = place;
  while (verdict === undefined && gone < 100) {
    nowMs += 1_000;
    next = ahead(place, 1, SPEED_METRES_PER_SECOND * 1.5);
    verdict = walk.to(next, nowMs);
    if (verdict === undefined) place = next;
    gone += 1;
  }
  assert.deepEqual(verdict, { reason: 'too-fast', back: place });
  assert.ok(gone < 10);
});

test('whatever the updates, nobody is ever farther on than the highest speed and a burst allow', () => {
  const step = fc.tuple(direction, share, fc.integer({ min: 0, max: 4_000 }));
  fc.assert(
    fc.property(anywhere, fc.array(step, { maxLength: 40 }), (start, steps) => {
      const walk = new Walk(start);
      let place: Place = start;
      let nowMs = 0;
      let wayMetres = 0;
      for (const [bearing, part, waitMs] of steps) {
        nowMs += waitMs;
        const next = ahead(place, bearing, part * 60);
        if (walk.to(next, nowMs) !== undefined) continue;
        wayMetres += distanceMm(place, next) / 1_000;
        place = next;
      }
      assert.ok(wayMetres <= BURST_METRES + (SPEED_METRES_PER_SECOND * nowMs) / 1_000 + 1e-6);
    }),
  );
});

test('after a silence of any length a player may catch up three seconds of running, not more', () => {
  const start = degrees(50, 8);
  const after = (metres: number): MoveVerdict => new Walk(start).to(ahead(start, 2, metres), 3_600_000);
  assert.equal(after(BURST_METRES - 0.1), undefined);
  assert.equal(after(BURST_METRES + 0.1)?.reason, 'too-fast');
});

test('a refused leap costs nothing of what the player may go', () => {
  const start = degrees(50, 8);
  const walk = new Walk(start);
  assert.equal(walk.to(ahead(start, 2, 1_000), 0)?.reason, 'too-fast');
  assert.equal(walk.to(ahead(start, 2, BURST_METRES - 0.1), 0), undefined);
});

test('a step over 180 degrees or over a pole is a step', () => {
  const west = new Walk({ lat: 0, lon: 1_799_999_900 });
  assert.equal(west.to({ lat: 0, lon: -1_799_999_900 }, 0), undefined);
  assert.equal(west.to({ lat: 0, lon: 1_800_000_000 }, 0), undefined);
  const pole = new Walk({ lat: 899_999_000, lon: 0 });
  assert.equal(pole.to({ lat: 899_999_000, lon: 1_799_999_999 }, 0), undefined);
  assert.equal(pole.to({ lat: 900_000_000, lon: -777 }, 0), undefined);
});

test('a leap over 180 degrees or a pole is a leap', () => {
  const west = new Walk({ lat: 0, lon: 1_799_990_000 });
  assert.equal(west.to({ lat: 0, lon: -1_799_950_000 }, 0)?.reason, 'too-fast');
  const pole = new Walk({ lat: 899_980_000, lon: 0 });
  assert.equal(pole.to({ lat: 899_980_000, lon: 1_799_999_999 }, 0)?.reason, 'too-fast');
});

test('an update that is older than one seen is stale, also when the numbers wrap', () => {
  const region = new Region(whole);
  const place = degrees(1, 2);
  const later = ahead(place, 0, 1);
  region.enter(ANN, place, 0);
  const move = (sequence: number, to: Place): MoveVerdict =>
    region.move(ANN, { sequence, timeMs: 100, ...to, north: 0, east: 0 }, 100);
  assert.equal(move(0xffff_fffe, place), undefined);
  assert.equal(move(3, later), undefined);
  assert.deepEqual(move(0xffff_ffff, place), { reason: 'stale', back: later });
  assert.deepEqual(move(3, place), { reason: 'stale', back: later });
  assert.equal(move(4, place), undefined);
});

test('who enters anew may number his updates anew, and stands where he entered', () => {
  const region = new Region(whole);
  region.enter(ANN, degrees(1, 2), 0);
  const still = { timeMs: 0, north: 0, east: 0 };
  region.move(ANN, { sequence: 900, ...still, ...degrees(1, 2) }, 0);
  region.enter(ANN, degrees(40, 2), 0);
  assert.equal(region.players, 1);
  assert.equal(region.move(ANN, { sequence: 1, ...still, ...degrees(40, 2) }, 0), undefined);
});

test('who walks over an edge stands where he was, and it costs him nothing here', () => {
  const east = new Region({ ...whole, westLon: 600_000_000, eastLon: -1_700_000_000 });
  const walk = new Walk({ lat: 0, lon: 600_000_010 }, east);
  const inside = { lat: 0, lon: 600_000_000 };
  assert.equal(walk.to(inside, 0), undefined);
  const out = { reason: 'outside-region', back: inside };
  for (let time = 0; time < 5; time++) assert.deepEqual(walk.to({ lat: 0, lon: 599_999_000 }, 0), out);
  const leap = walk.to({ lat: 0, lon: 590_000_000 }, 0);
  assert.deepEqual(leap, { reason: 'too-fast', back: inside });
});

test('the antimeridian is no edge of a region that goes across', () => {
  const east = new Region({ ...whole, westLon: 600_000_000, eastLon: -1_700_000_000 });
  const far = new Walk({ lat: 0, lon: 1_799_999_999 }, east);
  assert.equal(far.to({ lat: 0, lon: -1_800_000_000 }, 0), undefined);
});

/** What Bob hears of Ann in one tick. */
function heardByBob(region: Region, nowMs: number): readonly Avatar[] {
  const heard: Avatar[] = [];
  for (let phase = 0; phase < PHASES; phase++) {
    region.turn(nowMs, ({ bytes, viewers }) => {
      const motion = decodeServerMotion(bytes);
      if (!viewers.includes(BOB) || motion.kind !== 'tick') return;
      heard.push(...motion.avatars.filter(({ player }) => player === ANN));
    });
  }
  return heard;
}

test('others hear of a move that was taken and not of one that was refused', () => {
  const walk = new Walk(degrees(1, 2));
  walk.region.enter(BOB, degrees(1, 2), 0);
  heardByBob(walk.region, 0);
  const step = ahead(degrees(1, 2), 0, 5);
  walk.to(step, 100);
  assert.deepEqual(heardByBob(walk.region, 100), [{ player: ANN, ...step, north: 0, east: 0 }]);
  walk.to(ahead(step, 0, 500), 200);
  assert.deepEqual(heardByBob(walk.region, 200), []);
});

test('a walker who is put back stands for all others', () => {
  const region = new Region(whole);
  region.enter(ANN, degrees(1, 2), 0);
  region.enter(BOB, degrees(1, 2), 0);
  const way = { timeMs: 0, north: 300, east: 0 };
  assert.equal(region.move(ANN, { sequence: 1, ...way, ...degrees(1, 2) }, 0), undefined);
  assert.equal(heardByBob(region, 0)[0]?.north, 300);
  const leap = region.move(ANN, { sequence: 2, ...way, ...degrees(1.1, 2) }, 500);
  assert.equal(leap?.reason, 'too-fast');
  assert.deepEqual(heardByBob(region, 500), [{ player: ANN, ...degrees(1, 2), north: 0, east: 0 }]);
});

test('nobody is predicted to go faster than players can, whatever he claims', () => {
  const fastest = (north: number, east: number, place: Place): Avatar | undefined => {
    const region = new Region(whole);
    region.enter(ANN, place, 0);
    region.enter(BOB, place, 0);
    region.move(ANN, { sequence: 1, timeMs: 0, ...place, north, east }, 0);
    return heardByBob(region, 0)[0];
  };
  assert.equal(fastest(1_300, 0, degrees(60, 2))?.north, 1_300);
  assert.equal(fastest(1_400, 0, degrees(60, 2))?.north, 0);
  assert.equal(fastest(0, 2_600, degrees(60, 2))?.east, 2_600);
  assert.equal(fastest(0, 2_800, degrees(60, 2))?.east, 0);
});

test("a player's stamps tell the steps of a jerky network from those of his feet", () => {
  const region = new Region(whole);
  region.enter(ANN, degrees(1, 2), 0);
  region.enter(BOB, degrees(1, 2), 0);
  const step = (sequence: number, timeMs: number, nowMs: number): void => {
    const lat = 10_000_000 + timeMs * 0.4;
    const motion = { sequence, timeMs: 77_000 + timeMs, lat, lon: 20_000_000, north: 400, east: 0 };
    assert.equal(region.move(ANN, motion, nowMs), undefined);
  };
  step(1, 0, 0);
  assert.equal(heardByBob(region, 0).length, 1);
  // 200 ms late, but where he would be.
  step(2, 300, 500);
  assert.equal(heardByBob(region, 500).length, 0);
});
