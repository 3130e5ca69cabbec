import assert from 'node:assert/strict';
import test from 'node:test';
import type { Outcome } from '../../../src/base/errors.ts';
import { nodeId, playerId } from '../../../src/base/id.ts';
import type { PlaceAtOne } from '../../../src/base/told-at-one.ts';
import type { GroupCall } from '../../../src/services/calls/group-calls.ts';
import { RegionCalls, SeenPlaces } from '../../../src/services/calls/region-calls.ts';
import { seedTopology } from '../../../src/services/topology/topology.ts';
import type { AckLevel, ReadBound } from '../../../src/wire/levels.ts';
import type { PlayerFrame } from '../../../src/wire/player.ts';
import { nothing } from '../../../src/wire/schema.ts';

const { regions } = seedTopology({ world: 'calls' });
/** Node 8 has eu's first copy and copies of na-east and asia, but none of na-west. */
const SELF = nodeId(8);
const EU = 103;
const ASIA = 104;

interface Asked {
  readonly log: number | undefined;
  readonly level: AckLevel | undefined;
  readonly bound: ReadBound | undefined;
  readonly prefer: number | undefined;
  answer(outcome: Outcome<unknown>, epoch?: number): void;
}

class Bench {
  readonly asked: Asked[] = [];
  readonly settled: Outcome<unknown>[] = [];
  readonly atOne: PlaceAtOne[] = [];
  readonly seen = new SeenPlaces();
  stands: string | undefined;
  readonly regional: RegionCalls;

  constructor() {
    this.regional = new RegionCalls({
      calls: {
        ask: ({ log, level, bound, prefer, settle }) => {
          this.asked.push({
            log,
            level,
            bound,
            prefer,
            answer: (outcome, epoch) => settle(outcome as never, epoch),
          });
        },
      },
      self: SELF,
      regions,
      home: 'eu',
      standsIn: () => this.stands,
    });
  }

  ask(mode: GroupCall['mode'], said: Partial<PlayerFrame> = {}, seen: SeenPlaces = this.seen): boolean {
    const schema = { args: nothing, value: nothing };
    const feature = { name: 'x', promise: 'regional' } as const;
    const how = { group: undefined, mode, by: 'player', ack: 'quorum' } as const;
    const call: GroupCall = { name: 'x.y', feature, ...how, ...schema };
    const frame = { id: 1, call: 'x.y', args: null, commandId: undefined, answeredBelow: 0, ...said };
    return this.regional.ask({
      call,
      frame,
      player: playerId(7),
      seen,
      body: new Uint8Array(0),
      settle: (outcome, atOne) => {
        this.settled.push(outcome);
        if (atOne !== undefined) this.atOne.push(atOne);
      },
    });
  }

  /** Answers what was asked last. */
  answer(order: number, epoch: number = 1, kind: 'done' | 'rejected' = 'done'): void {
    const outcome = kind === 'done' ? { kind, value: order, order } : { kind, reason: 'no', order };
    this.asked.at(-1)?.answer(outcome, epoch);
  }

  get last(): Asked {
    return this.asked.at(-1) ?? assert.fail('nothing was asked');
  }
}

test('a call goes to the region that it names, else to where the player stands, else home', () => {
  const bench = new Bench();
  bench.ask('command');
  bench.stands = 'asia';
  bench.ask('command');
  bench.ask('command', { region: 'na-west' });
  assert.deepEqual(bench.asked.map(({ log }) => log), [EU, ASIA, 101]);
  assert.equal(bench.ask('command', { region: 'atlantis' }), false);
  assert.equal(bench.asked.length, 3);
  assert.equal(bench.regional.hears(playerId(7)), ASIA);
});

test('a command is as safe as its feature declares, unless the player asks for another level', () => {
  const bench = new Bench();
  bench.ask('command');
  bench.ask('command', { ack: 'one' });
  assert.deepEqual(bench.asked.map(({ level }) => level), ['quorum', 'one']);
});

test('who has seen nothing of a region is served by its primary, then by any copy that is as far', () => {
  const bench = new Bench();
  bench.ask('query');
  assert.deepEqual(bench.last.bound, { kind: 'primary' });
  assert.equal(bench.last.prefer, undefined);
  bench.answer(40, 2);
  bench.ask('query');
  assert.deepEqual(bench.last.bound, { kind: 'atLeast', epoch: 2, sequence: 40 });
  assert.equal(bench.last.prefer, SELF);
  bench.ask('query', { region: 'na-west' });
  assert.deepEqual(bench.last.bound, { kind: 'primary' });
});

test('what a player did he reads, whether it was done or refused; what is uncertain tells nothing', () => {
  const bench = new Bench();
  bench.ask('command');
  bench.answer(50, 2);
  bench.ask('command');
  bench.answer(51, 2, 'rejected');
  bench.ask('command');
  bench.last.answer({ kind: 'uncertain' });
  bench.ask('query');
  assert.deepEqual(bench.last.bound, { kind: 'atLeast', epoch: 2, sequence: 51 });
});

test('what a session has seen never goes back, and a new epoch counts for more than a high place', () => {
  const bench = new Bench();
  for (const [order, epoch] of [[50, 2], [49, 2], [90, 1], [48, 3]] as const) {
    bench.ask('command');
    bench.answer(order, epoch);
  }
  assert.deepEqual(bench.seen.of(EU), { epoch: 3, sequence: 48 });
});

test('an answer that is new enough by the clock but older than what he did is not shown to him', () => {
  const bench = new Bench();
  bench.ask('command');
  bench.answer(50);
  bench.ask('query', { bound: { msOld: 500 } });
  assert.deepEqual(bench.last.bound, { kind: 'atMostMsOld', ms: 500 });
  const before = bench.settled.length;
  bench.answer(49);
  assert.equal(bench.settled.length, before);
  assert.deepEqual(bench.last.bound, { kind: 'atLeast', epoch: 1, sequence: 50 });
  bench.answer(50);
  assert.deepEqual(bench.settled.at(-1), { kind: 'done', value: 50, order: 50, epoch: 1 });
  bench.ask('query', { bound: { msOld: 500 } });
  bench.answer(60);
  assert.equal(bench.settled.length, before + 2);
});

/** Somebody else's answer proves at this gateway that `eu` has come to this place. */
function proven(bench: Bench, order: number, epoch: number): void {
  bench.ask('command', {}, new SeenPlaces());
  bench.answer(order, epoch);
}

const at = (epoch: number, order: number): Partial<PlayerFrame> => ({ bound: { epoch, order } });

test('every decided outcome bears the epoch of its place, and no other does', () => {
  const bench = new Bench();
  bench.ask('command');
  bench.answer(50, 2, 'rejected');
  assert.deepEqual(bench.settled.at(-1), { kind: 'rejected', reason: 'no', order: 50, epoch: 2 });
  bench.ask('query');
  bench.last.answer({ kind: 'unavailable', retryAfterMs: 7 }, 2);
  assert.deepEqual(bench.settled.at(-1), { kind: 'unavailable', retryAfterMs: 7 });
});

test('a place that a caller states is read at any copy that has it, once it is known to exist', () => {
  const bench = new Bench();
  proven(bench, 60, 2);
  bench.ask('query', at(2, 60));
  assert.deepEqual(bench.last.bound, { kind: 'atLeast', epoch: 2, sequence: 60 });
  assert.equal(bench.last.prefer, SELF);
  bench.answer(60, 2);
  assert.deepEqual(bench.settled.at(-1), { kind: 'done', value: 60, order: 60, epoch: 2 });
});

test('a place that is not known to exist is asked of the primary, whatever it is', () => {
  const bench = new Bench();
  for (const [epoch, order] of [[2, 60], [Number.MAX_SAFE_INTEGER, 1]] as const) {
    bench.ask('query', at(epoch, order));
    assert.deepEqual(bench.last.bound, { kind: 'primary' });
    assert.equal(bench.last.prefer, undefined);
  }
  proven(bench, 60, 2);
  for (const [epoch, order] of [[2, 61], [1, 61], [3, 5]] as const) {
    bench.ask('query', at(epoch, order));
    assert.deepEqual(bench.last.bound, { kind: 'primary' }, `${epoch}, ${order}`);
  }
});

test('an answer from before the stated place is not given: the region is not that far', () => {
  const bench = new Bench();
  bench.ask('query', at(2, 60));
  bench.answer(59, 2);
  assert.deepEqual(bench.settled.at(-1), { kind: 'unavailable', retryAfterMs: 100 });
  bench.ask('query', at(3, 60));
  bench.answer(90, 2);
  assert.equal(bench.settled.at(-1)?.kind, 'unavailable', 'its epoch has not begun');
  bench.ask('query', at(2, 60));
  bench.answer(60, 2);
  assert.equal(bench.settled.at(-1)?.kind, 'done');
});

test('a place that a promotion has cost is answered by the log of the newer epoch, which says so', () => {
  const bench = new Bench();
  bench.ask('query', at(2, 60));
  bench.answer(55, 3);
  assert.deepEqual(bench.settled.at(-1), { kind: 'done', value: 55, order: 55, epoch: 3 });
});

test('what a session has seen is not undone by an older place that it states', () => {
  const bench = new Bench();
  bench.ask('command');
  bench.answer(70, 2);
  for (const [epoch, order] of [[2, 60], [1, 900], [2, 70]] as const) {
    bench.ask('query', at(epoch, order));
    assert.deepEqual(bench.last.bound, { kind: 'atLeast', epoch: 2, sequence: 70 });
  }
  bench.ask('query', { ...at(2, 60), region: 'asia' });
  assert.deepEqual(bench.last.bound, { kind: 'primary' }, 'a place is one of its region');
});

test('a region of which this node has no copy is not looked for here', () => {
  const bench = new Bench();
  bench.ask('query', { region: 'na-west', bound: { msOld: 9 } });
  assert.equal(bench.last.prefer, undefined);
});

test('what is answered at one comes with its place; what more disks have, or is undecided, does not', () => {
  const bench = new Bench();
  bench.ask('command', { ack: 'one' });
  bench.answer(70, 2);
  bench.ask('command', { ack: 'one', region: 'asia' });
  bench.answer(74, 3, 'rejected');
  bench.ask('command', { ack: 'one' });
  bench.last.answer({ kind: 'uncertain' });
  bench.ask('command', { ack: 'quorum' });
  bench.answer(75, 2);
  bench.ask('query');
  bench.answer(75, 2);
  assert.deepEqual(bench.atOne, [
    { region: 'eu', epoch: 2, order: 70 },
    { region: 'asia', epoch: 3, order: 74 },
  ]);
});
