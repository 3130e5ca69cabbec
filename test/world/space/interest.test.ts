// Areas of interest against brute force: nobody within sight is missed, nobody waits, nothing is endless.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type PlayerId, playerId } from '../../../src/base/id.ts';
import { ahead } from '../../../src/crowd/great-circle.ts';
import type { Place } from '../../../src/wire/calls.ts';
import {
  type Avatar,
  decodeServerMotion,
  HEARTBEAT_MS,
  REGION_STRAY_MM,
  SILENT_MS,
  TICK_AVATARS_MAX,
} from '../../../src/wire/motion.ts';
import { Interest, PHASES, type TickFrame } from '../../../src/world/space/interest.ts';
import { distanceMm } from '../../../src/base/earth.ts';
import { anywhere, degrees, direction, share } from './earth.ts';

const SIGHT = 200;

/** Drives an `Interest` and remembers for each viewer whom he was told of in the last tick. */
class Stage {
  readonly interest = new Interest(SIGHT);
  told = new Map<PlayerId, readonly Avatar[]>();
  frames: TickFrame[] = [];

  /** Puts a player there, who stands unless he goes somewhere. */
  put(player: number, place: Place, way: { atMs?: number; north?: number; east?: number } = {}): void {
    const { atMs = 0, north = 0, east = 0 } = way;
    this.interest.place(playerId(player), { ...place, north, east, atMs }, atMs);
  }

  /** All phases at once. */
  tick(nowMs: number): void {
    this.told = new Map();
    this.frames = [];
    for (let phase = 0; phase < PHASES; phase++) {
      this.interest.turn({ nowMs, phase }, (frame) => this.#take(frame, nowMs));
    }
  }

  seenBy(player: number): readonly number[] {
    return (this.told.get(playerId(player)) ?? []).map((avatar) => avatar.player).sort((a, b) => a - b);
  }

  #take(frame: TickFrame, nowMs: number): void {
    const motion = decodeServerMotion(frame.bytes);
    assert.ok(motion.kind === 'tick' && motion.timeMs === nowMs);
    this.frames.push(frame);
    for (const player of frame.viewers) {
      assert.ok(!this.told.has(player), 'two frames for one viewer');
      this.told.set(player, motion.avatars);
    }
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
        for (const avatar of told) {
          const strayMm = distanceMm(avatar, here.get(avatar.player) ?? from);
          assert.ok(strayMm <= REGION_STRAY_MM, `${strayMm} mm from where he is`);
        }
        for (const [other, at] of here) {
          const near = other !== viewer && distanceMm(from, at) <= SIGHT * 1_000;
          if (near) assert.ok(told.some(({ player }) => player === other));
        }
      }
    }),
  );
});

test('who stands still is told of once a second, who moves unpredictably at every tick', () => {
  const stage = new Stage();
  stage.put(1, degrees(10, 20));
  stage.put(2, degrees(10, 20));
  const still: number[] = [];
  const moving: number[] = [];
  for (let nowMs = 0; nowMs <= 3_000; nowMs += 100) {
    stage.put(2, { lat: 100_000_000 + nowMs, lon: 200_000_000 }, { atMs: nowMs });
    stage.tick(nowMs);
    if (stage.seenBy(2).includes(1)) still.push(nowMs);
    if (stage.seenBy(1).includes(2)) moving.push(nowMs);
  }
  assert.deepEqual(still, [0, 1_000, 2_000, 3_000]);
  assert.equal(moving.length, 31);
});

test('who goes on as he was told to go is told of once a second, where he is by then', () => {
  const stage = new Stage();
  stage.put(1, degrees(10, 20));
  const told: number[] = [];
  for (let nowMs = 0; nowMs <= 3_000; nowMs += 100) {
    // 4 m/s, and 3 cm beside it at every other time.
    const lat = 100_000_000 + Math.floor(nowMs * 0.36) + (nowMs % 200 === 0 ? 0 : 3);
    stage.put(2, { lat, lon: 200_000_000 }, { atMs: nowMs, north: 360 });
    stage.tick(nowMs);
    const avatar = stage.told.get(playerId(1))?.find(({ player }) => player === 2);
    if (avatar === undefined) continue;
    told.push(nowMs);
    const there = { lat: 100_000_000 + nowMs * 0.36, lon: 200_000_000 };
    assert.deepEqual(avatar, { player: 2, ...there, north: 360, east: 0 });
  }
  assert.deepEqual(told, [0, 1_000, 2_000, 3_000]);
});

test('who turns, or will have strayed within a heartbeat, is told of at once', () => {
  const stage = new Stage();
  stage.put(1, degrees(10, 20));
  stage.put(2, degrees(10, 20), { north: 300 });
  stage.tick(0);
  stage.put(2, { lat: 100_000_030, lon: 200_000_000 }, { atMs: 100, north: 320 });
  stage.tick(100);
  assert.deepEqual(stage.seenBy(1), [2]);
  stage.put(2, { lat: 100_000_062, lon: 200_000_000 }, { atMs: 200, north: 321 });
  stage.tick(200);
  assert.deepEqual(stage.seenBy(1), []);
});

test('a walker of whom nothing is heard any more stands where he was predicted to be', () => {
  const stage = new Stage();
  stage.put(1, degrees(10, 20));
  stage.put(2, degrees(10, 20), { north: 300 });
  let last: Avatar | undefined;
  for (let nowMs = 0; nowMs <= SILENT_MS + 2 * HEARTBEAT_MS; nowMs += 100) {
    stage.tick(nowMs);
    last = stage.told.get(playerId(1))?.find(({ player }) => player === 2) ?? last;
  }
  assert.equal(last?.north, 0);
  const goneMs = ((last?.lat ?? 0) - 100_000_000) / 0.3;
  assert.ok(goneMs >= SILENT_MS && goneMs <= SILENT_MS + HEARTBEAT_MS, `stood after ${goneMs} ms`);
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
  const stage = new Stage();
  for (let player = 1; player <= 50; player++) stage.put(player, degrees(10, 20));
  stage.tick(0);
  assert.equal(stage.frames.length, 1);
  assert.equal(stage.frames[0]?.viewers.length, 50);
});

test('frames are not used again by later ticks', () => {
  const stage = new Stage();
  const kept: { bytes: Uint8Array; copy: Uint8Array }[] = [];
  for (let tick = 1; tick <= 3; tick++) {
    for (let player = 1; player <= 2; player++) stage.put(player, degrees(tick / 1e5, 0));
    stage.tick(tick);
    for (const { bytes } of stage.frames) kept.push({ bytes, copy: bytes.slice() });
  }
  assert.equal(kept.length, 3);
  for (const { bytes, copy } of kept) assert.deepEqual(bytes, copy);
});

test('each cell has its turn in one phase of a tick, and neighbours mostly share it', () => {
  const interest = new Interest(SIGHT);
  const phases = new Map<PlayerId, number[]>();
  for (let player = 1; player <= 400; player++) {
    const place = ahead(degrees(50, 20), 0.6, player * 50);
    interest.place(playerId(player), { ...place, north: 0, east: 0, atMs: 0 }, 0);
  }
  for (let phase = 0; phase < PHASES; phase++) {
    interest.turn({ nowMs: 0, phase }, ({ viewers }) => {
      for (const viewer of viewers) phases.set(viewer, [...(phases.get(viewer) ?? []), phase]);
    });
  }
  assert.equal(phases.size, 400);
  assert.ok([...phases.values()].every(({ length }) => length === 1));
  const used = [...phases].sort(([a], [b]) => a - b).map(([, [phase]]) => phase);
  const seams = used.filter((phase, index) => index > 0 && phase !== used[index - 1]).length;
  assert.ok(seams >= 5 && seams <= 15, `${seams} seams in twenty kilometres`);
});

test('in a crush everybody is told of in turn, and no frame grows beyond its bound', () => {
  const stage = new Stage();
  const crowd = TICK_AVATARS_MAX * 2 + 100;
  const told = new Set<number>();
  for (let player = 1; player <= crowd; player++) stage.put(player, degrees(10, 20));
  const sizes: number[] = [];
  for (let tick = 0; tick < 4; tick++) {
    stage.tick(tick * 100);
    for (const player of stage.seenBy(1)) told.add(player);
    sizes.push(stage.seenBy(1).length);
  }
  assert.equal(told.size, crowd);
  assert.deepEqual(sizes, [TICK_AVATARS_MAX, TICK_AVATARS_MAX, 100, 0]);
});

test('a full frame holds the own cell before those farther away, which come with the next', () => {
  const stage = new Stage();
  for (let player = 1; player <= 100; player++) stage.put(player, degrees(10, 20));
  const next = ahead(degrees(10, 20), 0, 1.05 * SIGHT);
  for (let player = 101; player <= 100 + TICK_AVATARS_MAX; player++) stage.put(player, next);
  stage.tick(0);
  const seen = stage.seenBy(1);
  assert.equal(seen.length, TICK_AVATARS_MAX);
  assert.equal(seen.filter((player) => player <= 100).length, 100);
  assert.equal(stage.seenBy(101).filter((player) => player > 100).length, TICK_AVATARS_MAX);
  stage.tick(100);
  const all = new Set([...seen, ...stage.seenBy(1)]);
  assert.equal(all.size, 100 + TICK_AVATARS_MAX);
});

test('who turns comes before all those who are only told of once more', () => {
  const stage = new Stage();
  for (let player = 1; player <= TICK_AVATARS_MAX + 50; player++) stage.put(player, degrees(10, 20));
  const next = ahead(degrees(10, 20), 0, 1.05 * SIGHT);
  stage.put(1_000, next);
  for (let nowMs = 0; nowMs < HEARTBEAT_MS; nowMs += 100) stage.tick(nowMs);
  stage.put(1_000, next, { atMs: HEARTBEAT_MS, north: 300 });
  stage.tick(HEARTBEAT_MS);
  const frame = stage.told.get(playerId(1)) ?? [];
  assert.equal(frame.length, TICK_AVATARS_MAX);
  assert.equal(frame[0]?.player, 1_000);
  assert.equal(new Set(frame.map(({ player }) => player)).size, TICK_AVATARS_MAX, 'nobody twice');
  stage.tick(HEARTBEAT_MS + 100);
  const all = new Set([...frame.map(({ player }) => player), ...stage.seenBy(1)]);
  assert.equal(all.size, TICK_AVATARS_MAX + 51);
});

test('in a crowd those in the cells farther away are told of at a third of the rate', () => {
  const stage = new Stage();
  const next = ahead(degrees(10, 20), 0, 1.05 * SIGHT);
  let near = 0;
  let far = 0;
  for (let tick = 0; tick < 40; tick++) {
    // To and fro without a velocity: every tick has its news.
    const to = (place: Place): Place => ({ ...place, lat: place.lat + (tick % 2) * 50 });
    for (let player = 1; player <= 250; player++) {
      stage.put(player, to(degrees(10, 20)), { atMs: tick * 100 });
    }
    stage.put(251, to(next), { atMs: tick * 100 });
    stage.tick(tick * 100);
    if (stage.seenBy(1).includes(1)) near += 1;
    if (stage.seenBy(1).includes(251)) far += 1;
  }
  assert.equal(near, 40);
  assert.ok(far >= 13 && far <= 18, `${far} of 40`);
});

test('a viewer may be removed while he is being sent to, and all others still get their frame', () => {
  const stage = new Stage();
  for (let player = 1; player <= 9; player++) stage.put(player, degrees(10, 20));
  const sent: number[] = [];
  for (let phase = 0; phase < PHASES; phase++) {
    stage.interest.turn({ nowMs: 0, phase }, ({ viewers }) => {
      for (const player of viewers) {
        sent.push(player);
        stage.interest.remove(player);
      }
    });
  }
  assert.deepEqual(sent.sort(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(stage.interest.count, 0);
});
