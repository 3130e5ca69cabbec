// Areas of interest against brute force: nobody within sight is missed, nobody waits, nothing is endless.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type PlayerId, playerId } from '../../../src/base/id.ts';
import { ahead } from '../../../src/crowd/great-circle.ts';
import type { Place } from '../../../src/wire/calls.ts';
import { type Avatar, decodeServerMotion, TICK_AVATARS_MAX } from '../../../src/wire/motion.ts';
import { Interest } from '../../../src/world/space/interest.ts';
import { distanceMm } from '../../../src/world/space/place.ts';
import { anywhere, degrees, direction, share } from './earth.ts';

const SIGHT = 200;

/** Drives an `Interest` and remembers for each viewer whom he was told of in the last tick. */
class Stage {
  readonly interest = new Interest(SIGHT);
  told = new Map<PlayerId, readonly Avatar[]>();
  #ticks = 0;

  put(player: number, place: Place): void {
    this.interest.place(playerId(player), place);
  }

  tick(nowMs: number): void {
    this.told = new Map();
    this.#ticks += 1;
    this.interest.tick({ nowMs, tick: this.#ticks }, ({ player, bytes }) => {
      const motion = decodeServerMotion(bytes);
      assert.ok(motion.kind === 'tick' && motion.tick === this.#ticks);
      assert.ok(!this.told.has(player), 'two frames for one viewer');
      this.told.set(player, motion.avatars);
    });
  }

  seenBy(player: number): readonly number[] {
    return (this.told.get(playerId(player)) ?? []).map((avatar) => avatar.player).sort((a, b) => a - b);
  }
}

test('everybody within sight is told of, and nobody beyond five times sight', () => {
  const crowd = fc.array(fc.tuple(direction, share), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(anywhere, crowd, (centre, ways) => {
      const stage = new Stage();
      const places = ways.map(([bearing, part]) => ahead(centre, bearing, part * 4 * SIGHT));
      places.forEach((place, index) => stage.put(index + 1, place));
      stage.tick(0);
      places.forEach((viewer, index) => {
        const seen = new Set(stage.seenBy(index + 1));
        places.forEach((other, otherIndex) => {
          if (otherIndex === index) return;
          const metres = distanceMm(viewer, other) / 1_000;
          if (metres <= SIGHT) assert.ok(seen.has(otherIndex + 1), `${metres} m and not seen`);
          if (metres > 5 * SIGHT) assert.ok(!seen.has(otherIndex + 1), `${metres} m and seen`);
        });
      });
    }),
    { numRuns: 300 },
  );
});

test('it stays right while players move, leave and come back', () => {
  const step = fc.record({
    player: fc.integer({ min: 1, max: 12 }),
    gone: fc.boolean(),
    bearing: direction,
    part: share,
  });
  fc.assert(
    fc.property(anywhere, fc.array(step, { maxLength: 60 }), (centre, steps) => {
      const stage = new Stage();
      const here = new Map<number, Place>();
      for (const { player, gone, bearing, part } of steps) {
        const place = ahead(centre, bearing, part * 3 * SIGHT);
        if (gone) {
          stage.interest.remove(playerId(player));
          here.delete(player);
        } else {
          stage.put(player, place);
          here.set(player, place);
        }
      }
      stage.tick(5_000);
      assert.equal(stage.interest.count, here.size);
      for (const [viewer, from] of here) {
        const told = stage.told.get(playerId(viewer)) ?? [];
        for (const { player, lat, lon } of told) assert.deepEqual({ lat, lon }, here.get(player));
        for (const [other, at] of here) {
          const near = other !== viewer && distanceMm(from, at) <= SIGHT * 1_000;
          if (near) assert.ok(told.some(({ player }) => player === other));
        }
      }
    }),
  );
});

test('who stands still is told of once a second, who moves at every tick', () => {
  const stage = new Stage();
  stage.put(1, degrees(10, 20));
  stage.put(2, degrees(10, 20));
  const still: number[] = [];
  const moving: number[] = [];
  for (let nowMs = 0; nowMs <= 3_000; nowMs += 100) {
    stage.put(2, { lat: 100_000_000 + nowMs, lon: 200_000_000 });
    stage.tick(nowMs);
    if (stage.seenBy(2).includes(1)) still.push(nowMs);
    if (stage.seenBy(1).includes(2)) moving.push(nowMs);
  }
  assert.deepEqual(still, [0, 1_000, 2_000, 3_000]);
  assert.equal(moving.length, 31);
});

test('who is alone gets no frames, and who has company finds himself in them', () => {
  const stage = new Stage();
  stage.put(1, degrees(10, 20));
  stage.tick(0);
  assert.equal(stage.told.size, 0);
  stage.put(2, degrees(10, 20));
  stage.tick(1_000);
  assert.deepEqual(stage.seenBy(1), [1, 2]);
});

test('all viewers of one cell are given the very same bytes', () => {
  const interest = new Interest(SIGHT);
  for (let player = 1; player <= 50; player++) interest.place(playerId(player), degrees(10, 20));
  const frames = new Set<Uint8Array>();
  interest.tick({ nowMs: 0, tick: 1 }, ({ bytes }) => frames.add(bytes));
  assert.equal(frames.size, 1);
});

test('frames are not used again by later ticks', () => {
  const interest = new Interest(SIGHT);
  const kept: { bytes: Uint8Array; copy: Uint8Array }[] = [];
  for (let tick = 1; tick <= 3; tick++) {
    for (let player = 1; player <= 2; player++) interest.place(playerId(player), degrees(tick / 1e5, 0));
    interest.tick({ nowMs: tick, tick }, ({ bytes }) => kept.push({ bytes, copy: bytes.slice() }));
  }
  assert.equal(kept.length, 6);
  for (const { bytes, copy } of kept) assert.deepEqual(bytes, copy);
});

test('in a crush everybody is told of in turn, and no frame grows beyond its bound', () => {
  const stage = new Stage();
  const crowd = TICK_AVATARS_MAX * 2 + 100;
  const told = new Set<number>();
  for (let tick = 0; tick < 3; tick++) {
    for (let player = 1; player <= crowd; player++) stage.put(player, degrees(10, 20));
    stage.tick(tick * 100);
    const seen = stage.seenBy(1);
    assert.equal(seen.length, TICK_AVATARS_MAX);
    for (const player of seen) told.add(player);
  }
  assert.equal(told.size, crowd);
});

test('a full frame holds the own cell before those farther away', () => {
  const stage = new Stage();
  for (let player = 1; player <= 100; player++) stage.put(player, degrees(10, 20));
  const next = ahead(degrees(10, 20), 0, 1.05 * SIGHT);
  for (let player = 101; player <= 100 + TICK_AVATARS_MAX; player++) stage.put(player, next);
  stage.tick(0);
  const seen = stage.seenBy(1);
  assert.equal(seen.length, TICK_AVATARS_MAX);
  assert.equal(seen.filter((player) => player <= 100).length, 100);
  assert.equal(stage.seenBy(101).filter((player) => player > 100).length, TICK_AVATARS_MAX);
});

test('a viewer may be removed while he is being sent to, and all others still get their frame', () => {
  const interest = new Interest(SIGHT);
  for (let player = 1; player <= 9; player++) interest.place(playerId(player), degrees(10, 20));
  const sent: number[] = [];
  interest.tick({ nowMs: 0, tick: 1 }, ({ player }) => {
    sent.push(player);
    interest.remove(player);
  });
  assert.deepEqual(sent.sort(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(interest.count, 0);
});
