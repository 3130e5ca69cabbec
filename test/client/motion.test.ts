// The client's motion lane and its view of others.
import assert from 'node:assert/strict';
import test from 'node:test';
import { MotionLane, Others } from '../../src/client/motion.ts';
import { ahead } from '../../src/crowd/great-circle.ts';
import type { Place } from '../../src/wire/calls.ts';
import { CLIENT_STRAY_MM, decodeUpdate, HEARTBEAT_MS, type MotionUpdate } from '../../src/wire/motion.ts';

const quito = { lat: -1_807_000, lon: -784_678_000 };
const north = { lat: -1_806_000, lon: -784_678_000 };
const further = { lat: -1_805_000, lon: -784_678_000 };
const standing = { north: 0, east: 0 };

function taken(lane: MotionLane, nowMs: number): MotionUpdate | undefined {
  const bytes = lane.take(nowMs);
  return bytes === undefined ? undefined : decodeUpdate(bytes);
}

function entered(atMs: number): MotionLane {
  const lane = new MotionLane();
  lane.entered(quito, 100, atMs);
  return lane;
}

/** Steps every 50 ms at 4 m/s, and all updates with the time at which they left. */
function walk(
  lane: MotionLane,
  o: { readonly fromMs: number; readonly untilMs: number; bearing(atMs: number): number },
): readonly (MotionUpdate & { readonly sentAtMs: number })[] {
  const updates: (MotionUpdate & { sentAtMs: number })[] = [];
  let place: Place = quito;
  for (let nowMs = o.fromMs; nowMs <= o.untilMs; nowMs += 10) {
    if (nowMs % 50 === 0) {
      place = ahead(place, o.bearing(nowMs), 0.2);
      lane.moveTo(place, nowMs);
    }
    const update = taken(lane, nowMs);
    if (update !== undefined) updates.push({ ...update, sentAtMs: nowMs });
  }
  return updates;
}

test('at most one update leaves per tick, and it is the newest place', () => {
  const lane = entered(0);
  assert.equal(lane.take(1_000), undefined, 'the region knows where he entered');
  lane.moveTo(north, 1_000);
  assert.deepEqual(taken(lane, 1_000), { sequence: 1, timeMs: 1_000, ...north, ...standing });
  lane.moveTo(quito, 1_010);
  lane.moveTo(further, 1_020);
  assert.equal(lane.take(1_099), undefined);
  assert.equal(lane.wakeAtMs, 1_100);
  const second = taken(lane, 1_100);
  assert.deepEqual([second?.sequence, second?.lat, second?.timeMs], [2, further.lat, 1_100]);
});

test('who walks straight on sends a few updates to begin, and then one a second', () => {
  const updates = walk(entered(0), { fromMs: 1_000, untilMs: 6_000, bearing: () => 1 });
  const begun = updates.filter(({ sentAtMs }) => sentAtMs < 1_600);
  assert.ok(begun.length <= 4, `${begun.length} updates to begin`);
  const later = updates.filter(({ sentAtMs }) => sentAtMs >= 1_600);
  assert.ok(later.length >= 4 && later.length <= 5, `${later.length} updates in 4.4 s`);
  for (const { north: n, east: e } of later) {
    const metresPerSecond = Math.hypot(n, e) * 0.0111195;
    assert.ok(Math.abs(metresPerSecond - 4) < 0.1, `${metresPerSecond} m/s`);
  }
});

test('who turns says so with the next tick', () => {
  const updates = walk(entered(0), {
    fromMs: 1_000,
    untilMs: 5_000,
    bearing: (atMs) => (atMs < 3_050 ? 0 : Math.PI / 2),
  });
  const turned = updates.filter(({ sentAtMs }) => sentAtMs > 3_050 && sentAtMs < 3_500);
  assert.ok(turned.length >= 1 && turned.length <= 4);
  const settled = updates.at(-1);
  assert.ok(Math.abs(settled?.north ?? 9) <= 1 && (settled?.east ?? 0) > 300);
});

test('who stops says so, once more after a heartbeat, and then no more', () => {
  const lane = entered(0);
  walk(lane, { fromMs: 1_000, untilMs: 3_000, bearing: () => 0 });
  const stops: number[] = [];
  for (let nowMs = 3_010; nowMs < 10_000; nowMs += 10) {
    const update = taken(lane, nowMs);
    if (update === undefined) continue;
    const isHeartbeat = nowMs < 3_100 && update.north > 0;
    if (!isHeartbeat) stops.push(nowMs);
    if (!isHeartbeat) assert.deepEqual([update.north, update.east], [0, 0]);
  }
  assert.equal(stops.length, 2);
  assert.ok((stops[0] ?? Infinity) <= 3_200);
  assert.equal((stops[1] ?? 0) - (stops[0] ?? 0), HEARTBEAT_MS);
  assert.equal(lane.wakeAtMs, Infinity);
});

test('who is moved more seldom than twice a second leaps, and nothing is predicted of him', () => {
  const lane = entered(0);
  for (let nowMs = 1_000; nowMs < 9_000; nowMs += 800) {
    lane.moveTo(ahead(quito, 0, nowMs / 1_000), nowMs);
    const update = taken(lane, nowMs);
    assert.deepEqual([update?.north, update?.east], [0, 0]);
  }
});

test('a step that is smaller than the stray is not told', () => {
  const lane = entered(0);
  lane.moveTo(ahead(quito, 0, (CLIENT_STRAY_MM - 20) / 1_000), 5_000);
  assert.equal(lane.take(9_000), undefined);
  lane.moveTo(ahead(quito, 0, (CLIENT_STRAY_MM + 20) / 1_000), 10_000);
  assert.notEqual(lane.take(10_000), undefined);
});

test("updates leave shortly before the region's next frame", () => {
  const lane = entered(0);
  lane.ticked(5_000);
  lane.moveTo(north, 5_010);
  assert.equal(lane.wakeAtMs, 5_050);
  assert.equal(lane.take(5_049), undefined);
  assert.notEqual(lane.take(5_050), undefined);
  lane.ticked(5_100);
  lane.moveTo(further, 5_160);
  assert.notEqual(lane.take(5_160), undefined, 'in time for the next frame');
  lane.ticked(5_200);
  lane.moveTo(north, 5_290);
  assert.equal(lane.wakeAtMs, 5_350, 'too late for the next frame');
  lane.take(5_350);
  lane.moveTo(further, 9_000);
  assert.equal(lane.wakeAtMs, 9_000, 'no frames come any more');
});

test('nothing leaves before the player has entered and after he has left', () => {
  const lane = new MotionLane();
  lane.moveTo(north, 0);
  assert.equal(lane.take(1_000), undefined);
  assert.equal(lane.reentry, undefined);
  lane.entered(quito, 100, 1_000);
  lane.moveTo(north, 1_000);
  lane.left();
  lane.moveTo(further, 1_000);
  assert.equal(lane.take(1_000), undefined);
  assert.equal(lane.reentry, undefined);
});

test('after a break the player enters again at the last place and goes on from there', () => {
  const lane = entered(0);
  lane.interrupted();
  lane.moveTo(north, 900);
  assert.equal(lane.take(1_000), undefined, 'no region has him');
  assert.deepEqual(lane.reentry, north);
  lane.moveTo(further, 1_000);
  lane.reentered(100);
  assert.equal(lane.reentry, undefined);
  const { lat, lon, sequence } = taken(lane, 1_000) ?? { sequence: 0 };
  assert.deepEqual({ lat, lon, sequence }, { ...further, sequence: 1 });
});

test('who may not enter where he waded is put back to where he entered last, if that is elsewhere', () => {
  const lane = entered(0);
  lane.interrupted();
  lane.reentered(100, north);
  lane.reentered(100);
  lane.moveTo(further, 900);
  lane.interrupted();
  const { lat, lon, reason } = lane.ashore(further, 1_000) ?? {};
  assert.deepEqual({ lat, lon, reason }, { ...north, reason: 'not-in-the-world' });
  assert.deepEqual(lane.reentry, north);
  assert.equal(lane.ashore(north, 1_100), undefined, 'there is no other place');
});

test('a corrected player stands where the region says', () => {
  const lane = entered(0);
  lane.moveTo(further, 500);
  lane.corrected({ sequence: 1, ...quito, reason: 'too-fast' } as Place, 600);
  assert.equal(lane.take(1_000), undefined);
  lane.interrupted();
  assert.deepEqual(lane.reentry, quito);
});

test('others are seen until nothing was heard of them for three seconds', () => {
  const others = new Others();
  const saw = (seen: readonly (readonly [number, Place])[], nowMs: number): void => {
    const avatars = seen.map(([player, place]) => ({ player, ...place, ...standing }));
    others.saw({ avatars, stampMs: nowMs }, 3, nowMs);
  };
  saw([[1, quito], [2, north], [3, north]], 0);
  saw([[2, further]], 2_000);
  assert.deepEqual([...others.at(2_999).keys()], [1, 2], 'and oneself is not another');
  assert.deepEqual([...others.at(3_000)], [[2, { ...further, ...standing, seenAtMs: 2_000 }]]);
  assert.equal(others.at(5_000).size, 0);
});

test('others go on as they went, also over 180 degrees, and a late frame is known to be late', () => {
  const others = new Others();
  const way = { north: 10, east: 200 };
  const saw = (lon: number, stampMs: number, nowMs: number): number =>
    others.saw({ avatars: [{ player: 1, lat: 50, lon, ...way }], stampMs }, 3, nowMs);
  assert.equal(saw(1_799_999_900, 70_000, 1_000), 1_000);
  assert.deepEqual(others.at(2_000).get(1), {
    lat: 60,
    lon: -1_799_999_900,
    ...way,
    seenAtMs: 1_000,
  });
  assert.equal(saw(-1_799_999_900, 71_000, 2_040), 2_000, 'what the next update is timed by');
  assert.equal(others.at(2_040).get(1)?.lon, -1_799_999_892);
});
