// A studio's own features in the simulator: each is run as it promises, or refused with a sentence.
import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError, done } from '../../../src/base/errors.ts';
import type { DrawDeed } from '../../../src/world/deed.ts';
import { drawPlan } from '../../../src/sim/plan/faults.ts';
import { runPlan, type Verdict } from '../../../src/sim/run.ts';
import { stockWorld, worldOf } from '../../../src/sim/play/worlds.ts';
import { integer, nothing } from '../../../src/wire/schema.ts';
import { command, type Feature, type PromiseKind } from '../../../src/world/feature.ts';
import forgetful, { drawDeed } from '../worlds/forgetful-feature.ts';

interface Tally {
  count: number;
}

/** It counts as `forgetful` does, and keeps its promise. */
const tally: Feature<Tally> = {
  name: 'tally',
  promise: 'regional',
  version: 1,
  needs: [],
  commands: {
    count: command(
      'player',
      { args: nothing, value: integer(0, Number.MAX_SAFE_INTEGER), refusals: [] },
      (state: Tally) => done((state.count += 1)),
    ),
  },
  queries: {},
  create: () => ({ count: 0 }),
  advance: () => {},
  save: ({ count }, writer) => writer.varint(count),
  *load(reader) {
    return { count: reader.varint() };
  },
};
const countTally: DrawDeed = () => ({ call: 'tally.count', args: null });
/** Seeds of runs in which regions live, and of one in which none do. */
const WITH_REGIONS = 4;
const WITHOUT_REGIONS = 5;

function run(features: readonly Feature[], draw: DrawDeed, seed: number): Verdict {
  const world = worldOf(features, draw);
  const plan = drawPlan({ seed, topology: world.topology, chaosMs: 3_000 });
  assert.equal(plan.regions !== undefined, seed === WITH_REGIONS);
  return runPlan(plan, world);
}

function promising(promise: PromiseKind): Feature<null> {
  const [feature] = forgetful;
  assert.ok(feature !== undefined);
  return { ...(feature as Feature<null>), promise };
}

test('a regional feature lives in the regions, is asked there and keeps its promise', () => {
  const { result, what, decidedOf } = run([tally], countTally, WITH_REGIONS);
  assert.equal(result, 'ok', what);
  assert.ok((decidedOf['tally'] ?? 0) > 0);
  assert.equal(run([tally], countTally, WITHOUT_REGIONS).decidedOf['tally'], undefined);
});

test('a regional feature that keeps state outside of its state is caught', () => {
  const { invariant, what } = run([promising('regional')], drawDeed, WITH_REGIONS);
  assert.equal(invariant, 'SMS', what);
});

test('only features whose calls players can ask must be asked', () => {
  assert.deepEqual(worldOf([tally], countTally).asked, ['tally']);
  assert.deepEqual(worldOf([{ ...tally, commands: {} }], countTally).asked, []);
  assert.deepEqual(stockWorld.asked, []);
});

const unsound: readonly (readonly [what: string, features: readonly Feature[], sentence: RegExp])[] = [
  ['there are none', [], /the list of features is empty/],
  ['one has the name of a stock one', [{ ...tally, name: 'trade' }], /"trade" is a feature of the stock/],
  ['two have one name', [tally, { ...tally }], /two features are named "tally"/],
  ['one has no log', [promising('ephemeral')], /"counter" promises ephemeral/],
  ['one needs what is not there', [{ ...promising('linearizable'), needs: ['mail'] }], /needs "mail"/],
];

for (const [what, features, sentence] of unsound) {
  test(`features are refused because ${what}`, () => {
    assert.throws(() => worldOf(features, countTally), (error) => {
      assert.ok(error instanceof InvalidInputError, String(error));
      assert.match(error.message, sentence);
      return true;
    });
  });
}

test('what the log refuses before a feature sees it is not decided by the feature', () => {
  const few = { args: integer(0, 5), value: nothing, refusals: [] };
  const strict: Feature<Tally> = {
    ...tally,
    promise: 'linearizable',
    commands: { add: command('player', few, () => done(null)) },
  };
  const decided = (args: number): number | undefined =>
    run([strict], () => ({ call: 'tally.add', args }), WITHOUT_REGIONS).decidedOf['tally'];
  assert.ok((decided(5) ?? 0) > 0);
  assert.equal(decided(6), undefined);
});

test('a deed that nobody can do ends the run with what is wrong with it', () => {
  for (const [deed, sentence] of [
    [{ call: 'tally.cuont', args: null }, /drew "tally.cuont", which no feature has/],
    [{ call: 'accounts.register', args: null }, /drew "accounts.register", which players can not ask/],
    [{ call: 'trade.give', args: { to: 1 } }, /drew "trade.give" with arguments/],
  ] as const) {
    assert.throws(() => run([tally], () => deed, WITHOUT_REGIONS), (error) => {
      assert.ok(error instanceof InvalidInputError, String(error));
      assert.match(error.message, sentence);
      return true;
    });
  }
});
