import assert from 'node:assert/strict';
import test from 'node:test';
import { distanceMm } from '../../../src/base/earth.ts';
import type { Entered, Place } from '../../../src/wire/calls.ts';
import { BURST_METRES, SPEED_METRES_PER_SECOND } from '../../../src/world/space/footing.ts';
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
  player.entered({ region: WEST, epoch: EPOCH + 1 }, entered, 10);
  return player;
}

function kinds(effects: readonly PresenceEffect[]): readonly string[] {
  return effects.map((effect) =>
    'region' in effect ? `${effect.kind} ${effect.region} ${effect.epoch - EPOCH}` : effect.kind,
  );
}

const stay = (region: number, number: number) => ({ region, epoch: EPOCH + number });

/** He reports a place beyond the edge, and the region sees him go. */
function goesOver(player: Presence, number: number, nowMs: number = 10): readonly PresenceEffect[] {
  player.moved(east, update(0), nowMs);
  return player.walkedOut(stay(WEST, number), west, nowMs);
}

test('a call to enter is answered when the region has accepted', () => {
  const player = presence();
  assert.deepEqual(kinds(player.enter(west, 0)), [`enter ${WEST} 1`]);
  assert.equal(player.region, undefined);
  assert.deepEqual(kinds(player.entered(stay(WEST, 1), entered, 10)), ['settle']);
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
  assert.deepEqual(kinds(goesOver(player, 1)), [`enter ${EAST} 2`]);
  assert.equal(player.region, WEST);
  assert.deepEqual(player.stays.map(({ region }) => region), [WEST, EAST]);
  const effects = player.entered(stay(EAST, 2), entered, 10);
  assert.deepEqual(kinds(effects), [`leave ${WEST} 1`, 'crossed']);
  assert.equal(player.region, EAST);
});

test('who walks in brings along how far he may go; who leaps in does not', () => {
  const player = presence();
  const [leap] = player.enter(west, 0);
  assert.equal(leap?.kind === 'enter' && leap.allowedMm, undefined);
  player.entered(stay(WEST, 1), entered, 10);
  const [walk] = goesOver(player, 1);
  const leftMm = BURST_METRES * 1_000 - distanceMm(west, east);
  assert.equal(walk?.kind === 'enter' && walk.allowedMm, leftMm);
});

test('what he reports on the way is kept, the newest only, and sent to who has him then', () => {
  const player = inWest();
  goesOver(player, 1);
  assert.deepEqual(player.moved({ lat: 0, lon: 6 }, update(1), 10), []);
  assert.deepEqual(player.moved({ lat: 0, lon: 7 }, update(2), 10), []);
  const move = player.entered(stay(EAST, 2), entered, 10).at(-1);
  assert.deepEqual(move, { kind: 'move', ...stay(EAST, 2), update: update(2) });
});

test('who turns back before the next region has him is entered anew where he is, above both epochs', () => {
  const player = inWest();
  goesOver(player, 1);
  assert.deepEqual(kinds(player.moved(west, update(1), 10)), [`leave ${EAST} 2`, `enter ${WEST} 3`]);
  assert.deepEqual(kinds(player.entered(stay(EAST, 2), entered, 10)), [`leave ${EAST} 2`]);
  assert.deepEqual(kinds(player.entered(stay(WEST, 3), entered, 10)), [`leave ${WEST} 1`, 'crossed']);
});

test('who has turned back and walks on is asked for once: a second time would end his stay there', () => {
  const player = inWest();
  goesOver(player, 1);
  assert.deepEqual(player.moved(east, update(1), 10), []);
  assert.deepEqual(kinds(player.moved(west, update(2), 10)), [`leave ${EAST} 2`, `enter ${WEST} 3`]);
  const later = player.entered(stay(WEST, 3), entered, 10);
  assert.deepEqual(kinds(later), [`leave ${WEST} 1`, 'crossed'], 'what he reported in the east is past');
  goesOver(player, 3);
  player.moved(west, update(3), 10);
  assert.deepEqual(player.moved({ lat: 0, lon: -6 }, update(4), 10), []);
  const move = player.entered(stay(WEST, 5), entered, 10).at(-1);
  assert.deepEqual(move, { kind: 'move', ...stay(WEST, 5), update: update(4) });
});

test('who leaps before his region took him anew is not let go there until he is elsewhere', () => {
  const player = inWest();
  goesOver(player, 1);
  player.moved(west, update(1), 10);
  assert.deepEqual(kinds(player.enter(east, 20)), [`enter ${EAST} 4`]);
  assert.deepEqual(player.entered(stay(WEST, 3), entered, 30), [], 'nor if it has taken him meanwhile');
  const effects = player.entered(stay(EAST, 4), entered, 40);
  assert.deepEqual(kinds(effects), [`leave ${WEST} 3`, 'settle'], 'under whichever of both it has him');
});

test('a leap within the region that has him does not end his stay there when nobody answers it', () => {
  const player = inWest();
  player.enter(paces(1), 0);
  assert.deepEqual(kinds(player.enter(paces(2), 10)), ['settle', `enter ${WEST} 3`]);
  assert.deepEqual(kinds(player.time(10 + ENTER_DEADLINE_MS)), ['settle']);
  assert.deepEqual(kinds(player.moved(west, update(1), 4_000)), [`move ${WEST} 1`]);
  assert.deepEqual(kinds(player.leave().effects), [`leave ${WEST} 3`]);
});

test('a region that took him though he had given it up is asked anew to have him where he was', () => {
  const player = inWest();
  player.enter(paces(9), 0);
  player.time(ENTER_DEADLINE_MS);
  player.moved(west, update(1), 4_000);
  const has = { newest: EPOCH + 2, isHere: true, nowMs: 4_010 };
  const { isSuperseded, effects } = player.unknown(stay(WEST, 1), has);
  assert.equal(isSuperseded, false);
  assert.deepEqual(kinds(effects), [`enter ${WEST} 3`]);
  assert.deepEqual(entry(effects).place, west);
  assert.deepEqual(kinds(player.enter(east, 4_020)), [`enter ${EAST} 4`]);
  assert.deepEqual(kinds(player.entered(stay(EAST, 4), entered, 4_030)), [`leave ${WEST} 3`, 'settle']);
});

test('a region that is full puts a walker back and has the one he came from keep him', () => {
  const player = inWest();
  goesOver(player, 1);
  assert.deepEqual(player.refused(stay(EAST, 2), 'region-full', 10), [{ kind: 'put-back', place: west }]);
  assert.equal(player.region, WEST);
  assert.deepEqual(kinds(player.moved(west, update(3), 10)), [`move ${WEST} 1`]);
});

test('when the region that has him is lost, he enters it again under a higher epoch', () => {
  const player = inWest();
  assert.deepEqual(kinds(player.regionLost(WEST, 50)), [`enter ${WEST} 2`]);
  assert.deepEqual(kinds(player.moved(west, update(1), 10)), []);
  assert.deepEqual(kinds(player.entered(stay(WEST, 2), entered, 10)), ['crossed', `move ${WEST} 2`]);
});

test('when the next region is lost on the way, its successor is asked; who has him keeps him', () => {
  const player = inWest();
  goesOver(player, 1);
  assert.deepEqual(kinds(player.regionLost(EAST, 50)), [`enter ${EAST} 3`]);
  assert.equal(player.region, WEST);
  assert.deepEqual(kinds(player.entered(stay(EAST, 2), entered, 10)), [`leave ${EAST} 2`]);
  const effects = player.entered(stay(EAST, 3), entered, 10);
  assert.deepEqual(kinds(effects), [`leave ${WEST} 1`, 'crossed']);
});

test('when the region he comes from is lost on the way, the next one still takes him', () => {
  const player = inWest();
  goesOver(player, 1);
  assert.deepEqual(player.regionLost(WEST, 50), []);
  assert.deepEqual(kinds(player.entered(stay(EAST, 2), entered, 10)), ['crossed']);
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
        : player.refused(stay(EAST, 2), 'not-on-land', 10);
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
  goesOver(player, 1);
  const { wasIn, effects } = player.leave();
  assert.equal(wasIn, true);
  assert.deepEqual(kinds(effects), [`leave ${EAST} 2`, `leave ${WEST} 1`]);
  assert.deepEqual(kinds(player.entered(stay(EAST, 2), entered, 10)), [`leave ${EAST} 2`]);
  assert.equal(player.isWanted, false);
});

test('late words about stays of the past change nothing', () => {
  const player = inWest();
  assert.deepEqual(goesOver(player, 7), []);
  assert.deepEqual(player.refused(stay(EAST, 7), 'region-full', 10), []);
  assert.deepEqual(player.unknown(stay(EAST, 7), { newest: 0, isHere: false, nowMs: 9 }).effects, []);
  assert.deepEqual(player.regionLost(EAST, 9), []);
  assert.equal(player.region, WEST);
});

/** About eleven metres of longitude, and of latitude, at the equator. */
const ELEVEN_METRES = 1_000;
const paces = (number: number): Place => ({ lat: number * ELEVEN_METRES, lon: west.lon });
const far: Place = { lat: 0, lon: -400_000_000 };

/** Where and with which allowance he is to be entered. */
function entry(effects: readonly PresenceEffect[]): { readonly place: Place; readonly allowedMm: number } {
  const effect = effects.find(({ kind }) => kind === 'enter');
  assert.ok(effect?.kind === 'enter' && effect.allowedMm !== undefined);
  return { place: effect.place, allowedMm: effect.allowedMm };
}

test('a report that breaks the rule of speed reaches no region: he is held where he was', () => {
  const player = inWest();
  const held = { kind: 'hold', ...stay(WEST, 1), place: west, update: update(1) };
  assert.deepEqual(player.moved(far, update(1), 1_000), [held]);
  assert.deepEqual(kinds(player.moved(west, update(2), 1_000)), [`move ${WEST} 1`]);
});

test('a place that was refused is not believed when the region gets another primary', () => {
  const player = inWest();
  player.moved(far, update(1), 1_000);
  assert.deepEqual(entry(player.regionLost(WEST, 1_100)).place, west);
  player.moved(far, update(2), 1_200);
  assert.deepEqual(entry(player.time(1_100 + ENTER_REPEAT_MS)).place, west);
  const effects = player.entered(stay(WEST, 2), entered, 1_400);
  assert.deepEqual(effects.at(-1), { kind: 'hold', ...stay(WEST, 2), place: west, update: update(2) });
});

test('who is thought to turn back is not believed anywhere', () => {
  const player = inWest();
  goesOver(player, 1);
  assert.deepEqual(player.moved(far, update(1), 20), []);
  const effects = player.entered(stay(EAST, 2), entered, 30);
  assert.deepEqual(effects.at(-1), { kind: 'hold', ...stay(EAST, 2), place: east, update: update(1) });
});

test('he is entered anew where he was believed last, with what he may still go by then', () => {
  const player = inWest();
  for (let pace = 1; pace <= 3; pace++) player.moved(paces(pace), update(pace), 10);
  const wayMm = distanceMm(west, paces(3));
  const first = entry(player.regionLost(WEST, 10));
  assert.deepEqual(first.place, paces(3));
  assert.ok(Math.abs(first.allowedMm - (BURST_METRES * 1_000 - wayMm)) <= 3);
  const gainedMm = ENTER_REPEAT_MS * SPEED_METRES_PER_SECOND;
  const again = entry(player.time(10 + ENTER_REPEAT_MS));
  assert.equal(again.allowedMm, first.allowedMm + gainedMm);
  const much = entry(player.time(60_000));
  assert.equal(much.allowedMm, BURST_METRES * 1_000);
});

test('who runs on while nobody has him is entered where he is by now, and not thrown back', () => {
  const player = inWest();
  player.regionLost(WEST, 0);
  let nowMs = 0;
  for (let pace = 1; pace <= 10; pace++) {
    nowMs += 1_000;
    assert.deepEqual(player.moved(paces(pace), update(pace), nowMs), []);
    const { place, allowedMm } = entry(player.time(nowMs));
    assert.deepEqual(place, paces(pace));
    assert.ok(allowedMm >= (BURST_METRES - SPEED_METRES_PER_SECOND) * 1_000);
  }
  const effects = player.entered(stay(WEST, 2), entered, nowMs);
  assert.deepEqual(kinds(effects), ['crossed', `move ${WEST} 2`]);
});

test('a region that puts him back is believed, and gives nothing back of what he has gone', () => {
  const player = inWest();
  for (let pace = 1; pace <= 3; pace++) player.moved(paces(pace), update(pace), 10);
  player.corrected(stay(WEST, 7), far);
  player.corrected(stay(WEST, 1), paces(1));
  const { place, allowedMm } = entry(player.regionLost(WEST, 10));
  assert.deepEqual(place, paces(1));
  assert.ok(allowedMm <= BURST_METRES * 1_000 - distanceMm(west, paces(3)));
});

test('who has turned back before his region said that he went over the edge is not taken over it', () => {
  const player = inWest();
  player.moved(east, update(1), 10);
  player.moved(west, update(2), 20);
  assert.deepEqual(player.walkedOut(stay(WEST, 1), west, 30), []);
  assert.deepEqual(player.stays.map(({ region }) => region), [WEST]);
});

test('who is refused beyond the edge enters where he was, though that region was lost meanwhile', () => {
  const player = inWest();
  goesOver(player, 1);
  player.regionLost(WEST, 20);
  const effects = player.refused(stay(EAST, 2), 'region-full', 30);
  assert.deepEqual(kinds(effects), ['put-back', `enter ${WEST} 3`]);
  assert.deepEqual(entry(effects).place, west);
  assert.deepEqual(kinds(player.refused(stay(WEST, 3), 'region-full', 40)), ['put-back']);
  assert.equal(player.isWanted, false);
});

test('a leap begins a new burst where it ends, and what was reported on the way counts from there', () => {
  const player = inWest();
  player.enter(far, 10);
  player.moved(paces(1), update(1), 20);
  const effects = player.entered(stay(WEST, 2), entered, 30);
  assert.deepEqual(effects.at(-1), { kind: 'hold', ...stay(WEST, 2), place: far, update: update(1) });
  assert.deepEqual(entry(player.regionLost(WEST, 40)), { place: far, allowedMm: BURST_METRES * 1_000 });
});

test('a step over 180 degrees or over a pole is believed as the step that it is', () => {
  for (const [from, to] of [
    [{ lat: 0, lon: 1_799_999_900 }, { lat: 0, lon: -1_799_999_900 }],
    [{ lat: 899_999_900, lon: 0 }, { lat: 899_999_900, lon: -1_799_999_900 }],
  ] as const) {
    const player = presence();
    player.enter(from, 0);
    player.entered(stay(EAST, 1), entered, 0);
    assert.deepEqual(kinds(player.moved(to, update(1), 10)), [`move ${EAST} 1`]);
    assert.deepEqual(kinds(player.walkedOut(stay(EAST, 1), from, 20)), [`enter ${WEST} 2`]);
  }
});
