// What an operator is told of a promotion before it is done: what it costs, and what would spare it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { NodeKeeper } from '../../src/host/node-keeper.ts';
import type { PlacedView } from '../../src/host/placement-view.ts';
import { type Promoted, promoteCopy, type Promotion } from '../../src/host/promoting.ts';
import { viewOf, type WorldView } from '../../src/host/view.ts';
import { InHand } from '../../src/host/replacing.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { factsOf, sampleOf, topology } from '../support/world-views.ts';

const TO_ASIA: Promotion = { region: 'eu', node: 'asia', acceptLoss: false };

/** How far each copy of `eu` is by its own word; a copy that is not named does not answer. */
type Places = Readonly<Record<string, number>>;

function worldView(places: Places, placed: Partial<PlacedView> = {}): WorldView {
  const around = { upMs: 0, nodes: factsOf(), leaderChanges: 0, linkFaults: [], crowd: undefined };
  const view = viewOf(topology, sampleOf({}), undefined, around);
  const regions = view.regions.map((region) => {
    if (region.region !== 'eu') return region;
    const copies = region.copies.map((copy) => ({ ...copy, last: places[copy.name] }));
    return { ...region, copies, primary: 'eu', epoch: 2, isSought: false, ...placed };
  });
  return { ...view, regions };
}

/** Placement does as it is told: whoever is named is primary from then on. */
function promote(view: WorldView, promotion: Promotion): Promise<Promoted> {
  const clock = new VirtualClock();
  let now = view;
  const tell = (): void => {
    const regions = view.regions.map((each) => {
      return each.region === 'eu' ? { ...each, primary: promotion.node, epoch: 3 } : each;
    });
    now = { ...view, regions };
  };
  const child = { pid: 42, signal: () => {}, tell };
  const keeper = (name: string): NodeKeeper => {
    const kept = new NodeKeeper({ name, clock, start: () => child, told: () => {} });
    kept.start();
    return kept;
  };
  return promoteCopy(
    {
      clock,
      keeper,
      topology: () => topology,
      view: () => Promise.resolve(now),
      membersOf: () => undefined,
      adopt: () => assert.fail('no topology changes'),
      event: () => {},
      inHand: new InHand(),
      isEnding: () => false,
    },
    promotion,
  );
}

test('a copy that would go on alone is refused first, with what is known to be lost', async () => {
  const { done, text } = await promote(worldView({ asia: 450 }, { heard: 455, isSought: true }), TO_ASIA);
  assert.equal(done, false);
  assert.match(text, /^Only 1 of 3 copies of eu is left.* entries 451 to 455 are lost.*add --accept-loss\.$/);
  const nothing = await promote(worldView({ asia: 450 }, { heard: 450 }), TO_ASIA);
  assert.match(nothing.text, /its log ends at entry 450: nothing after that was heard of/);
  const blank = await promote(worldView({}, { heard: 455 }), TO_ASIA);
  assert.match(blank.text, /all of eu is lost: this copy is blank/);
});

test('where the loss is accepted it is done, and the loss told again', async () => {
  const accepted = { ...TO_ASIA, acceptLoss: true };
  const { done, text } = await promote(worldView({ asia: 450 }, { heard: 455 }), accepted);
  assert.deepEqual([done, text.split(';')[0]], [true, 'asia is primary of eu']);
  assert.match(text, /entries 451 to 455 are lost/);
});

test('nothing need be accepted while a majority of the copies lives', async () => {
  const places = { asia: 450, 'na-east': 455 };
  const accepted = await promote(worldView(places), { ...TO_ASIA, acceptLoss: true });
  assert.match(accepted.text, /^2 of 3 copies of eu live, so nothing need be lost/);
  assert.deepEqual(await promote(worldView(places), TO_ASIA), { done: true, text: 'asia is primary of eu' });
  const sought = await promote(worldView(places, { isSought: true }), TO_ASIA);
  assert.match(sought.text, /is being sought: ask again/);
  for (const acceptLoss of [false, true]) {
    const already = await promote(worldView({ eu: 450 }), { region: 'eu', node: 'eu', acceptLoss });
    assert.match(already.text, /^eu is primary of eu already/);
  }
});
