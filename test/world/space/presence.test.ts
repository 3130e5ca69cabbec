import assert from 'node:assert/strict';
import test from 'node:test';
import type { Entered, Place } from '../../../src/wire/calls.ts';
import {
  ENTER_DEADLINE_MS,
  ENTER_REPEAT_MS,
  Presence,
  type PresenceEffect,
} from '../../../src/world/space/presence.ts';

const WEST = 101;
const EAST = 102;
const EPOCH = 1_000;
const west: Place = { lat: 0, lon: -5 };
const east: Place = { lat: 0, lon: 5 };
const entered: Entered = { region: 'east', tickMs: 100, sightMetres: 200 };
const update = (name: number): Uint8Array => Uint8Array.of(name);

/** The regions meet at the meridian of Greenwich. */
function presence(): Presence {
  return new Presence(({ lon }) => (lon < 0 ? WEST : EAST), EPOCH);
}

function inWest(): Presence {
  const player = presence();
  player.enter(west, 0);
  player.entered({ region: WEST, epoch: EPOCH + 1 }, entered);
  return player;
}

function kinds(effects: readonly PresenceEffect[]): readonly string[] {
  return effects.map((effect) =>
    'region' in effect ? `${effect.kind} ${effect.region} ${effect.epoch - EPOCH}` : effect.kind,
  );
}

const stay = (region: number, number: number) => ({ region, epoch: EPOCH + number });
const over = { place: east, back: west, allowedMm: 500, nowMs: 10 };

test('a call to enter is answered when the region has accepted', () => {
  const player = presence();
  assert.deepEqual(kinds(player.enter(west, 0)), [`enter ${WEST} 1`]);
  assert.equal(player.region, undefined);
  assert.deepEqual(kinds(player.entered(stay(WEST, 1), entered)), ['settle']);
  assert.equal(player.region, WEST);
});

test('an entry that is not answered is repeated under the same epoch, and ends as unavailable', () => {
  const player = presence();
  player.enter(west, 0);
  assert.deepEqual(player.time(ENTER_REPEAT_MS - 1), []);
  assert.deepEqual(kinds(player.time(ENTER_REPEAT_MS)), [`enter ${WEST} 1`]);
  assert.deepEqual(kinds(player.time(ENTER_DEADLINE_MS)), ['settle', `leave ${WEST} 1`]);
  assert.equal(player.isWanted, false);
});

test('a player who walks over the edge is left by one region only when the next has accepted him', () => {
  const player = inWest();
  assert.deepEqual(kinds(player.walkedOut(stay(WEST, 1), over)), [`enter ${EAST} 2`]);
  assert.equal(player.region, WEST);
  assert.deepEqual(player.stays.map(({ region }) => region), [WEST, EAST]);
  const effects = player.entered(stay(EAST, 2), entered);
  assert.deepEqual(kinds(effects), [`leave ${WEST} 1`, 'crossed']);
  assert.equal(player.region, EAST);
});

test('who walks in brings along how far he may go; who leaps in does not', () => {
  const player = presence();
  const [leap] = player.enter(west, 0);
  assert.equal(leap?.kind === 'enter' && leap.allowedMm, undefined);
  player.entered(stay(WEST, 1), entered);
  const [walk] = player.walkedOut(stay(WEST, 1), over);
  assert.equal(walk?.kind === 'enter' && walk.allowedMm, 500);
});

test('what he reports on the way is kept, the newest only, and sent to who has him then', () => {
  const player = inWest();
  player.walkedOut(stay(WEST, 1), over);
  assert.deepEqual(player.moved({ lat: 0, lon: 6 }, update(1)), []);
  assert.deepEqual(player.moved({ lat: 0, lon: 7 }, update(2)), []);
  const move = player.entered(stay(EAST, 2), entered).at(-1);
  assert.deepEqual(move, { kind: 'move', ...stay(EAST, 2), update: update(2) });
});

test('who turns back before the next region has him is entered anew where he is, above both epochs', () => {
  const player = inWest();
  player.walkedOut(stay(WEST, 1), over);
  assert.deepEqual(kinds(player.moved(west, update(1))), [`leave ${EAST} 2`, `enter ${WEST} 3`]);
  assert.deepEqual(kinds(player.entered(stay(EAST, 2), entered)), [`leave ${EAST} 2`]);
  assert.deepEqual(kinds(player.entered(stay(WEST, 3), entered)), [`leave ${WEST} 1`, 'crossed']);
});

test('who has turned back and walks on is asked for once: a second time would end his stay there', () => {
  const player = inWest();
  player.walkedOut(stay(WEST, 1), over);
  assert.deepEqual(player.moved(east, update(1)), []);
  assert.deepEqual(kinds(player.moved(west, update(2))), [`leave ${EAST} 2`, `enter ${WEST} 3`]);
  const later = player.entered(stay(WEST, 3), entered);
  assert.deepEqual(kinds(later), [`leave ${WEST} 1`, 'crossed'], 'what he reported in the east is past');
  player.walkedOut(stay(WEST, 3), over);
  player.moved(west, update(3));
  assert.deepEqual(player.moved({ lat: 0, lon: -6 }, update(4)), []);
  const move = player.entered(stay(WEST, 5), entered).at(-1);
  assert.deepEqual(move, { kind: 'move', ...stay(WEST, 5), update: update(4) });
});

test('a region that is full puts a walker back and has the one he came from keep him', () => {
  const player = inWest();
  player.walkedOut(stay(WEST, 1), over);
  assert.deepEqual(player.refused(stay(EAST, 2), 'region-full'), [{ kind: 'put-back', place: west }]);
  assert.equal(player.region, WEST);
  assert.deepEqual(kinds(player.moved(west, update(3))), [`move ${WEST} 1`]);
});

test('when the region that has him is lost, he enters it again under a higher epoch', () => {
  const player = inWest();
  assert.deepEqual(kinds(player.regionLost(WEST, 50)), [`enter ${WEST} 2`]);
  assert.deepEqual(kinds(player.moved(west, update(1))), []);
  assert.deepEqual(kinds(player.entered(stay(WEST, 2), entered)), ['crossed', `move ${WEST} 2`]);
});

test('when the next region is lost on the way, its successor is asked; who has him keeps him', () => {
  const player = inWest();
  player.moved(east, update(1));
  player.walkedOut(stay(WEST, 1), over);
  assert.deepEqual(kinds(player.regionLost(EAST, 50)), [`enter ${EAST} 3`]);
  assert.equal(player.region, WEST);
  assert.deepEqual(kinds(player.entered(stay(EAST, 2), entered)), [`leave ${EAST} 2`]);
  const effects = player.entered(stay(EAST, 3), entered);
  assert.deepEqual(kinds(effects), [`leave ${WEST} 1`, 'crossed']);
});

test('when the region he comes from is lost on the way, the next one still takes him', () => {
  const player = inWest();
  player.walkedOut(stay(WEST, 1), over);
  assert.deepEqual(player.regionLost(WEST, 50), []);
  assert.deepEqual(kinds(player.entered(stay(EAST, 2), entered)), ['crossed']);
});

test('a region that has forgotten him is entered again', () => {
  const player = inWest();
  const { isSuperseded, effects } = player.unknown(stay(WEST, 1), { newest: 0, isHere: false, nowMs: 9 });
  assert.equal(isSuperseded, false);
  assert.deepEqual(kinds(effects), [`enter ${WEST} 2`]);
});

test('a leap that fails leaves him where he was, though that region has forgotten him meanwhile', () => {
  for (const fails of ['unavailable', 'not-on-land'] as const) {
    const player = inWest();
    player.enter(east, 0);
    assert.deepEqual(player.unknown(stay(WEST, 1), { newest: 0, isHere: false, nowMs: 9 }).effects, []);
    const effects =
      fails === 'unavailable'
        ? player.time(ENTER_DEADLINE_MS)
        : player.refused(stay(EAST, 2), 'not-on-land');
    const enters = effects.filter(({ kind }) => kind === 'enter');
    assert.deepEqual(kinds(enters), [`enter ${WEST} 3`]);
    assert.deepEqual(enters.map((effect) => 'place' in effect && effect.place), [west]);
  }
});

test('a newer link elsewhere supersedes this one, unless its client has just asked to enter', () => {
  const idle = inWest();
  const newer = { newest: EPOCH + 9, isHere: true, nowMs: 9 };
  assert.equal(idle.unknown(stay(WEST, 1), newer).isSuperseded, true);
  const asking = presence();
  asking.enter(west, 0);
  const { isSuperseded, effects } = asking.unknown(stay(WEST, 1), newer);
  assert.equal(isSuperseded, false);
  assert.deepEqual(kinds(effects), [`enter ${WEST} 10`]);
});

test('a newer link that has ended supersedes nobody, and is passed in one go', () => {
  const player = inWest();
  const ended = { newest: EPOCH + 9, isHere: false, nowMs: 9 };
  const { isSuperseded, effects } = player.unknown(stay(WEST, 1), ended);
  assert.equal(isSuperseded, false);
  assert.deepEqual(kinds(effects), [`enter ${WEST} 10`]);
});

test('who leaves is taken out of every region that may have him', () => {
  const player = inWest();
  player.walkedOut(stay(WEST, 1), over);
  const { wasIn, effects } = player.leave();
  assert.equal(wasIn, true);
  assert.deepEqual(kinds(effects), [`leave ${EAST} 2`, `leave ${WEST} 1`]);
  assert.deepEqual(kinds(player.entered(stay(EAST, 2), entered)), [`leave ${EAST} 2`]);
  assert.equal(player.isWanted, false);
});

test('late words about stays of the past change nothing', () => {
  const player = inWest();
  assert.deepEqual(player.walkedOut(stay(WEST, 7), over), []);
  assert.deepEqual(player.refused(stay(EAST, 7), 'region-full'), []);
  assert.deepEqual(player.unknown(stay(EAST, 7), { newest: 0, isHere: false, nowMs: 9 }).effects, []);
  assert.deepEqual(player.regionLost(EAST, 9), []);
  assert.equal(player.region, WEST);
});
