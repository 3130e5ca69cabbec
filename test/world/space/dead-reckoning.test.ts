// The whole way of a walk: a client that tells seldom, a region that tells seldom, a viewer who predicts.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { distanceMm } from '../../../src/base/earth.ts';
import { playerId } from '../../../src/base/id.ts';
import { MotionLane, Others } from '../../../src/client/motion.ts';
import { ahead } from '../../../src/crowd/great-circle.ts';
import type { Place } from '../../../src/wire/calls.ts';
import {
  CLIENT_STRAY_MM,
  decodeServerMotion,
  decodeUpdate,
  HEARTBEAT_MS,
  REGION_STRAY_MM,
} from '../../../src/wire/motion.ts';
import { PHASES, Region } from '../../../src/world/space/region.ts';
import { anywhere, direction, share } from './earth.ts';

const WALKER = playerId(1);
const VIEWER = playerId(2);
const TICK_MS = 100;
/** Places and velocities are whole units of 11 mm, each rounded a few times on the way. */
const ROUNDING_MM = 60;

/** A walker and a viewer who stands where the walker began; all messages arrive within the tick. */
class Scene {
  readonly #region = new Region({
    name: 'earth',
    westLon: -1_800_000_000,
    eastLon: 1_800_000_000,
    isLand: () => true,
  });
  readonly #lane = new MotionLane();
  readonly #others = new Others();
  nowMs = 0;
  place: Place;
  updates = 0;
  frames = 0;

  constructor(start: Place) {
    this.place = start;
    for (const player of [WALKER, VIEWER]) this.#region.enter(player, start, 0);
    this.#lane.entered(start, TICK_MS, 0);
    this.tick();
  }

  /** Walks for one tick, and has everybody do what is due. */
  step(bearing: number, metresPerSecond: number, isLost: boolean = false): void {
    this.place = ahead(this.place, bearing, (metresPerSecond * TICK_MS) / 1_000);
    this.nowMs += TICK_MS;
    this.#lane.moveTo(this.place, this.nowMs);
    this.tick(isLost);
  }

  tick(isLost: boolean = false): void {
    const update = this.#lane.take(this.nowMs);
    if (update !== undefined) {
      this.updates += 1;
      assert.equal(this.#region.move(WALKER, decodeUpdate(update), this.nowMs), undefined);
    }
    for (let phase = 0; phase < PHASES; phase++) {
      this.#region.turn(this.nowMs, ({ bytes, viewers }) => {
        if (!viewers.includes(VIEWER)) return;
        this.frames += 1;
        const motion = decodeServerMotion(bytes);
        if (isLost || motion.kind !== 'tick') return;
        const { avatars, timeMs: stampMs } = motion;
        this.#others.saw({ avatars, stampMs }, VIEWER, this.nowMs);
      });
    }
  }

  /** How far the viewer's picture of the walker is from where he is. */
  errorMm(): number {
    const seen = this.#others.at(this.nowMs).get(WALKER);
    return seen === undefined ? Infinity : distanceMm(seen, this.place);
  }
}

const leg = fc.record({
  bearing: direction,
  speed: fc.oneof(share.map((part) => part * 11), fc.constant(0)),
  steps: fc.integer({ min: 1, max: 15 }),
  turn: fc.integer({ min: -200, max: 200 }).map((thousandths) => thousandths / 1_000),
});

test('who gets all frames knows every place to the stated bound, at poles and 180 degrees too', () => {
  fc.assert(
    fc.property(anywhere, fc.array(leg, { minLength: 1, maxLength: 6 }), (start, legs) => {
      const scene = new Scene(start);
      for (const { bearing, speed, steps, turn } of legs) {
        for (let step = 0; step < steps; step++) {
          scene.step(bearing + step * turn, speed);
          const errorMm = scene.errorMm();
          const boundMm = CLIENT_STRAY_MM + REGION_STRAY_MM + ROUNDING_MM;
          assert.ok(errorMm <= boundMm, `${errorMm} mm off at ${JSON.stringify(scene.place)}`);
        }
      }
    }),
    { numRuns: 400 },
  );
});

test('a straight walk takes an update and a frame a second', () => {
  const scene = new Scene({ lat: 485_000_000, lon: 1_799_999_000 });
  for (let step = 0; step < 10; step++) scene.step(1, 5);
  const [updates, frames] = [scene.updates, scene.frames];
  for (let step = 0; step < 200; step++) scene.step(1, 5);
  assert.ok(scene.updates - updates <= 21, `${scene.updates - updates} updates in 20 s`);
  // More than one a second only where a straight way needs a new velocity: once in many seconds.
  assert.ok(scene.frames - frames <= 30, `${scene.frames - frames} frames in 20 s`);
});

test('what lost frames leave wrong is right again after the next heartbeat', () => {
  const lost = fc.array(fc.boolean(), { minLength: 30, maxLength: 30 });
  fc.assert(
    fc.property(anywhere, direction, lost, (start, bearing, losses) => {
      const scene = new Scene(start);
      for (const [step, isLost] of losses.entries()) {
        scene.step(bearing + (step % 7) * 0.4, step % 5, isLost);
      }
      for (let step = 0; step <= HEARTBEAT_MS / TICK_MS; step++) scene.step(bearing, 2);
      assert.ok(scene.errorMm() <= CLIENT_STRAY_MM + REGION_STRAY_MM + ROUNDING_MM);
    }),
  );
});
