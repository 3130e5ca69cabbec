// Players in a world of several regions: entering anywhere through any gateway, walking over edges, being
// seen across them, and coming through the death of nodes at any moment.
import assert from 'node:assert/strict';
import test from 'node:test';
import { distanceMm, normalLon } from '../../../src/base/earth.ts';
import { type NodeId, playerId } from '../../../src/base/id.ts';
import { Random } from '../../../src/base/random.ts';
import type { Place } from '../../../src/wire/calls.ts';
import { encodeCorrection, FORGET_AFTER_MS } from '../../../src/wire/motion.ts';
import { UNNAMED_MS_MAX } from '../../../src/world/space/residents.ts';
import { ASIA, EU, NA_EAST, NA_WEST, Planet, Traveller } from '../../support/planet.ts';
import { degrees } from '../../world/space/earth.ts';

/** About a metre and a half of longitude at the equator, and a step each 200 ms. */
const STEP = 130;
const STEP_MS = 200;

/** Walks eastward (or, negative, westward) for so many steps. */
function walk(planet: Planet, who: Traveller, steps: number, lookOn: () => void = () => {}): void {
  for (let step = 0; step < Math.abs(steps); step++) {
    const { lat, lon } = who.place;
    who.walkTo({ lat, lon: normalLon(lon + Math.sign(steps) * STEP) });
    planet.clock.advance(STEP_MS);
    lookOn();
  }
}

function entered(planet: Planet, o: { player: number; gateway: NodeId; place: Place }): Traveller {
  const who = new Traveller(planet, o.player, o.gateway);
  who.enter(o.place);
  planet.clock.advance(50);
  assert.equal(who.outcome?.kind, 'done');
  return who;
}

test('a player enters any region through any gateway', () => {
  const planet = new Planet();
  entered(planet, { player: 1, gateway: EU, place: degrees(40, -74) });
  entered(planet, { player: 2, gateway: NA_WEST, place: degrees(40, -74) });
  entered(planet, { player: 3, gateway: NA_EAST, place: degrees(50, 10) });
  assert.deepEqual(planet.standing(), { 'na-east': 2, eu: 1 });
});

for (const [edge, from, to] of [
  [-90, 'na-west', 'na-east'],
  [-30, 'na-east', 'eu'],
  [60, 'eu', 'asia'],
  [-180, 'asia', 'na-west'],
] as const) {
  test(`a player walks from ${from} to ${to} and back, and is nowhere twice and for nobody gone`, () => {
    const planet = new Planet();
    const near = (metres: number): Place => ({ lat: 0, lon: normalLon(edge * 1e7 + metres * 90) });
    const who = entered(planet, { player: 1, gateway: EU, place: near(-12) });
    const before = entered(planet, { player: 2, gateway: NA_WEST, place: near(-40) });
    const beyond = entered(planet, { player: 3, gateway: ASIA, place: near(40) });
    planet.clock.advance(1_100);
    const lookOn = (): void => {
      const nowMs = planet.clock.monotonicMs();
      const all = Object.values(planet.standing()).reduce((sum, count) => sum + count, 0);
      assert.equal(all, 3, JSON.stringify(planet.standing()));
      for (const witness of [before, beyond]) {
        const agoMs = nowMs - (witness.seen.get(who.player) ?? 0);
        assert.ok(agoMs < FORGET_AFTER_MS / 2, `not shown to ${witness.player} for ${agoMs} ms`);
      }
      assert.ok(who.seen.has(2) && who.seen.has(3));
    };
    walk(planet, who, 16, lookOn);
    assert.deepEqual(who.crossings, [to]);
    walk(planet, who, -16, lookOn);
    assert.deepEqual(who.crossings, [to, from]);
    assert.equal(who.corrections.length, 0);
    assert.equal(who.isSuperseded, false);
  });
}

test('around a pole a player goes through all regions and is seen by those of every one', () => {
  const planet = new Planet();
  const at = (lon: number): Place => ({ lat: 899_999_500, lon: Math.round(lon * 1e7) });
  const who = entered(planet, { player: 1, gateway: EU, place: at(-179) });
  const witnesses = [-135, -60, 15, 120].map((lon, place) =>
    entered(planet, { player: 2 + place, gateway: NA_EAST, place: at(lon) }),
  );
  planet.clock.advance(1_100);
  for (let lon = -178; lon < 180; lon += 8) {
    who.walkTo(at(lon));
    planet.clock.advance(STEP_MS);
    const all = Object.values(planet.standing()).reduce((sum, count) => sum + count, 0);
    assert.equal(all, 5);
    for (const { seen, player } of witnesses) {
      const agoMs = planet.clock.monotonicMs() - (seen.get(1) ?? 0);
      assert.ok(agoMs < FORGET_AFTER_MS / 2, `${player} has not seen him for ${agoMs} ms at ${lon}`);
    }
  }
  assert.deepEqual(who.crossings, ['na-east', 'eu', 'asia']);
});

test('a leap over the edge is no walk: he is put back where he was', () => {
  const planet = new Planet();
  const who = entered(planet, { player: 1, gateway: EU, place: degrees(50, 59.99) });
  who.walkTo(degrees(50, 60.01));
  planet.clock.advance(300);
  assert.deepEqual(planet.standing(), { eu: 1 });
  assert.equal(who.corrections[0]?.reason, 'too-fast');
});

test('edges give nobody a new burst: who zigzags over one is no faster than others', () => {
  const planet = new Planet();
  const who = entered(planet, { player: 1, gateway: EU, place: { lat: 0, lon: 599_999_000 } });
  let taken = 0;
  for (let step = 0; step < 40; step++) {
    const before = who.corrections.length;
    // Sixteen metres, a little over the edge and back.
    who.walkTo({ lat: 0, lon: taken % 2 === 0 ? 600_000_440 : 599_999_000 });
    planet.clock.advance(100);
    if (who.corrections.length === before) taken += 1;
  }
  // The burst of 36 m, and 12 m in each of four seconds.
  assert.ok(taken >= 4 && taken <= 5, `${taken} steps of 16 m in four seconds`);
});

test('when a region gets another primary its players are there by themselves, and their links stay', () => {
  const planet = new Planet();
  const who = entered(planet, { player: 1, gateway: NA_WEST, place: degrees(50, 10) });
  const other = entered(planet, { player: 2, gateway: NA_EAST, place: degrees(50, 10) });
  walk(planet, who, 3);
  planet.kill(EU);
  planet.clock.advance(1_000);
  planet.appoint('eu', ASIA);
  planet.clock.advance(1_200);
  assert.deepEqual(planet.standing(), { eu: 2 });
  assert.deepEqual(who.crossings, ['eu']);
  assert.ok(planet.clock.monotonicMs() - (other.seen.get(1) ?? 0) < 1_200);
});

/** Where the regions have a player, as a way from `from`: metres. */
function standsOff(planet: Planet, player: number, from: Place): readonly number[] {
  return planet.regions.flatMap(({ number }) => {
    const node = planet.nodes.get(planet.primaries.get(number) ?? EU);
    const standing = [...(node?.residentsOf(number)?.standing() ?? [])];
    const his = standing.filter((each) => each.player === player);
    return his.map(({ place }) => Math.round(distanceMm(from, place) / 1_000));
  });
}

test('a leap that was refused is not made good by another primary', () => {
  const planet = new Planet();
  const paris = degrees(48.8566, 2.3522);
  const who = entered(planet, { player: 1, gateway: NA_WEST, place: paris });
  const atlantic = degrees(45, -20);
  who.walkTo(atlantic);
  planet.clock.advance(1_000);
  assert.deepEqual(who.corrections.map(({ reason }) => reason), ['too-fast']);
  planet.appoint('eu', ASIA);
  who.walkTo(atlantic);
  planet.clock.advance(1_000);
  assert.deepEqual(standsOff(planet, 1, paris), [0]);
});

test('who turns back at an edge is nowhere but where he can have gone', () => {
  const planet = new Planet();
  const inside = { lat: 0, lon: 599_999_820 };
  const who = entered(planet, { player: 1, gateway: NA_WEST, place: inside });
  who.walkTo({ lat: 0, lon: 600_000_090 });
  const presence = planet.nodes.get(NA_WEST)?.presences.presenceOf(playerId(1));
  while (presence?.stays.length === 1) planet.clock.advance(1);
  who.walkTo({ lat: 0, lon: 0 });
  for (let step = 0; step < 20; step++) {
    planet.clock.advance(100);
    assert.ok(standsOff(planet, 1, inside).every((metres) => metres <= 3));
  }
  assert.equal(who.corrections.at(-1)?.reason, 'too-fast');
});

test('who runs as fast as he may is never put back, whatever becomes of primaries and over edges', () => {
  const planet = new Planet();
  const who = entered(planet, { player: 1, gateway: NA_WEST, place: { lat: 0, lon: 599_990_000 } });
  for (let second = 1; second <= 40; second++) {
    // A report a second, as of one who runs straight on.
    who.walkTo({ lat: 0, lon: who.place.lon + 1_078 });
    planet.clock.advance(400);
    if (second % 3 === 0) planet.appoint('eu', second % 2 === 0 ? ASIA : EU);
    if (second % 5 === 0) planet.appoint('asia', second % 2 === 0 ? ASIA : NA_WEST);
    planet.clock.advance(600);
  }
  assert.deepEqual(who.corrections, []);
  assert.deepEqual(planet.standing(), { asia: 1 });
});

test('a correction counts only from the region that has him: then his gateway believes it too', () => {
  const planet = new Planet();
  const start = degrees(50, 10);
  const who = entered(planet, { player: 1, gateway: NA_WEST, place: start });
  const presences = planet.nodes.get(NA_WEST)?.presences;
  const { region = 0, epoch = 0 } = presences?.presenceOf(playerId(1))?.stays[0] ?? {};
  const near = { lat: start.lat + 500, lon: start.lon };
  const bytes = encodeCorrection({ sequence: 1, ...near, reason: 'too-fast' });
  presences?.received(region, { kind: 'answer', player: 1, epoch: epoch - 1, bytes });
  planet.appoint('eu', ASIA);
  planet.clock.advance(500);
  assert.deepEqual([who.corrections.length, standsOff(planet, 1, start)], [0, [0]]);
  presences?.received(region, { kind: 'answer', player: 1, epoch: epoch + 1, bytes });
  planet.appoint('eu', EU);
  planet.clock.advance(500);
  assert.deepEqual([who.corrections.length, standsOff(planet, 1, start)], [1, [6]]);
});

test('others see him stand who was held, though he was on his way', () => {
  const planet = new Planet();
  const start = degrees(50, 10);
  const who = entered(planet, { player: 1, gateway: NA_WEST, place: start });
  const witness = entered(planet, { player: 2, gateway: NA_EAST, place: start });
  who.walkTo(start, { north: 900, east: 0 });
  planet.clock.advance(200);
  who.walkTo(degrees(51, 10));
  planet.clock.advance(1_500);
  assert.deepEqual(witness.shown.get(1), start);
});

test('the players of a gateway that died are let go', () => {
  const planet = new Planet();
  entered(planet, { player: 1, gateway: NA_WEST, place: degrees(50, 10) });
  planet.kill(NA_WEST);
  planet.clock.advance(UNNAMED_MS_MAX - 500);
  assert.deepEqual(planet.standing(), { eu: 1 });
  planet.clock.advance(1_200);
  assert.deepEqual(planet.standing(), {});
});

test('of two links of one player the later one has him', () => {
  const planet = new Planet();
  const first = entered(planet, { player: 1, gateway: NA_WEST, place: degrees(50, 10) });
  planet.clock.advance(5);
  const second = entered(planet, { player: 1, gateway: ASIA, place: degrees(50, 10) });
  planet.clock.advance(1_500);
  assert.deepEqual(planet.standing(), { eu: 1 });
  assert.deepEqual([first.isSuperseded, second.isSuperseded], [true, false]);
});

test('of two links that begin in the same millisecond the end of one leaves the player in', () => {
  const planet = new Planet();
  const links = [NA_WEST, ASIA].map((gateway) => new Traveller(planet, 1, gateway));
  for (const link of links) link.enter(degrees(50, 10));
  planet.clock.advance(50);
  assert.deepEqual(links.map(({ outcome }) => outcome?.kind), ['done', 'done']);
  links[0]?.leave();
  planet.clock.advance(50);
  assert.deepEqual(planet.standing(), { eu: 1 });
  planet.clock.advance(UNNAMED_MS_MAX + 1_000);
  assert.deepEqual(planet.standing(), { eu: 1 });
  assert.equal(links[1]?.isSuperseded, false);
});

test('a link begins above those that ended at its gateway, though they were ahead of the clock', () => {
  const planet = new Planet();
  const player = playerId(1);
  const first = entered(planet, { player, gateway: NA_WEST, place: degrees(50, 10) });
  const presences = planet.nodes.get(NA_WEST)?.presences;
  const { region = 0, epoch = 0 } = presences?.presenceOf(player)?.stays[0] ?? {};
  const ahead = epoch + 60_000;
  presences?.received(region, { kind: 'unknown', player, epoch, newest: ahead, isHere: false });
  planet.clock.advance(50);
  first.leave();
  entered(planet, { player, gateway: NA_WEST, place: degrees(50, -60) });
  const { stays = [] } = presences?.presenceOf(player) ?? {};
  assert.deepEqual(stays.map((stay) => stay.epoch), [ahead + 2]);
});

/** Who dies, by what the dying node does in the hand-over. */
for (const [name, victim, successor] of [
  ['the region he leaves', EU, NA_EAST],
  ['the region he enters', ASIA, NA_WEST],
] as const) {
  test(`${name} may die at any step of a hand-over`, () => {
    let steps = 0;
    for (let dieAt = 1; dieAt <= Math.max(steps, 1); dieAt++) {
      const planet = new Planet();
      const who = entered(planet, { player: 1, gateway: NA_WEST, place: { lat: 0, lon: 599_999_900 } });
      let frames = 0;
      let isDead = false;
      planet.onFrame = (from, to) => {
        if (from !== victim && to !== victim) return;
        frames += 1;
        if (frames !== dieAt) return;
        isDead = true;
        planet.kill(victim);
      };
      walk(planet, who, 3);
      if (dieAt === 1) steps = 12;
      planet.onFrame = () => {};
      if (isDead) {
        const region = victim === EU ? 'eu' : 'asia';
        planet.appoint(region, successor);
        planet.start(victim);
      }
      planet.clock.advance(UNNAMED_MS_MAX + 1_500);
      walk(planet, who, 1);
      planet.clock.advance(300);
      assert.deepEqual(planet.standing(), { asia: 1 }, `died at step ${dieAt}`);
      assert.equal(who.isSuperseded, false);
    }
  });
}

test('whatever is lost and whoever dies, in the end everybody is once in the world where he is', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const planet = new Planet(seed);
    const random = new Random(`storm ${seed}`);
    const gateways = [NA_EAST, NA_WEST];
    const people = Array.from({ length: 8 }, (_, place) => {
      const gateway = gateways[place % 2] ?? NA_EAST;
      return entered(planet, { player: place + 1, gateway, place: { lat: place, lon: 600_000_000 - 200 } });
    });
    planet.lost = 200;
    planet.doubled = 100;
    for (let round = 0; round < 60; round++) {
      for (const who of people) {
        const lon = who.place.lon + random.integer(-100, 110);
        who.walkTo({ lat: who.place.lat, lon });
      }
      if (random.chance(1, 20)) {
        const [victim, region, heirs] = random.chance(1, 2)
          ? ([EU, 'eu', [ASIA, NA_EAST]] as const)
          : ([ASIA, 'asia', [NA_WEST, EU]] as const);
        planet.kill(victim);
        planet.clock.advance(random.integer(0, 400));
        planet.start(victim);
        planet.appoint(region, random.pick(heirs) ?? victim);
      }
      planet.clock.advance(random.integer(20, 200));
    }
    planet.lost = 0;
    planet.doubled = 0;
    planet.clock.advance(UNNAMED_MS_MAX + 2_000);
    for (const who of people) who.walkTo(who.place);
    planet.clock.advance(500);
    const here = people.filter(({ isSuperseded }) => !isSuperseded);
    assert.equal(here.length, people.length, `seed ${seed}: somebody was thrown out`);
    const beyond = people.filter(({ place }) => place.lon >= 600_000_000).length;
    const { eu = 0, asia = 0, ...elsewhere } = planet.standing();
    assert.deepEqual([eu, asia], [people.length - beyond, beyond], `seed ${seed}`);
    assert.deepEqual(elsewhere, {});
  }
});
