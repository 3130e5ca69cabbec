// Primaries, copies and doubts on the live screen, and what an operator may ask about them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../src/base/id.ts';
import { renderScreen } from '../../src/host/screen.ts';
import { viewOf, type WorldView } from '../../src/host/view.ts';
import type { PlacedRegion } from '../../src/wire/placement.ts';
import type { CopyStatus } from '../../src/wire/status.ts';
import { factsOf, type Placed, sampleOf, topology } from '../support/world-views.ts';

const EU = nodeId(8);
const ASIA = nodeId(9);
const at = (sequence: number): { epoch: number; sequence: number } => ({ epoch: 2, sequence });
const eu: PlacedRegion = {
  number: 103,
  copies: [EU, ASIA, nodeId(6)],
  epoch: 3,
  primary: ASIA,
  start: at(70),
  isBegun: true,
  fence: null,
  appointments: [
    {
      epoch: 3,
      primary: ASIA,
      former: EU,
      cause: 'failed',
      atMs: 1,
      start: at(70),
      mayLose: 9,
      lost: [{ node: EU, from: at(71), to: at(73) }],
    },
  ],
};

function view(placed: Placed): WorldView {
  const around = { upMs: 0, nodes: factsOf(), leaderChanges: 0, linkFaults: [], crowd: undefined };
  return viewOf(topology, sampleOf({}, placed), undefined, around);
}

function screen(placed: Placed): string {
  const lines = renderScreen(view(placed), [], { columns: 120, rows: 100 });
  return lines.map((line) => line.map(({ text }) => text).join('')).join('\n');
}

test('a region shows its primary, its epoch and what promotions have cost', () => {
  assert.match(screen({ placement: { regions: [eu], nodes: [] } }), /^eu +asia +3 +3 /m);
});

test('what may be lost counts until a returning copy has told', () => {
  const [last] = eu.appointments;
  assert.ok(last !== undefined);
  const untold = { ...eu, appointments: [{ ...last, lost: [] }] };
  const shown = screen({ placement: { regions: [untold], nodes: [] } });
  assert.match(shown, /^eu +asia +3 +9 /m);
  assert.match(shown, /^LOST +eu: entries 71 to 79 before epoch 3, as far as was heard$/m);
});

test('which entries promotions have cost is told by place, and whether a copy that had them has told', () => {
  const [last] = eu.appointments;
  assert.ok(last !== undefined);
  const earlier = { ...last, epoch: 2, start: at(40), lost: [], mayLose: 2 };
  const appointments = [earlier, last, { ...last, epoch: 4, mayLose: 0, lost: [] }];
  const placement = { regions: [{ ...eu, epoch: 4, appointments }], nodes: [] };
  const region = view({ placement }).regions.find((each) => each.region === 'eu');
  assert.deepEqual(region?.losses, [
    { epoch: 2, from: 41, to: 42, isTold: false },
    { epoch: 3, from: 71, to: 73, isTold: true },
  ]);
  assert.equal(region?.lost, 5);
  assert.match(screen({ placement }), /^LOST +eu: entries 71 to 73 before epoch 3, and 1 earlier loss$/m);
});

test('of copies that had more or less of a lost tail, the one that had most tells all of it', () => {
  const [last] = eu.appointments;
  assert.ok(last !== undefined);
  const lost = [
    { node: nodeId(6), from: at(71), to: at(71) },
    { node: EU, from: at(71), to: at(79) },
  ];
  const placement = { regions: [{ ...eu, appointments: [{ ...last, lost }] }], nodes: [] };
  assert.match(screen({ placement }), /^LOST +eu: entries 71 to 79 before epoch 3$/m);
});

test('a world that lost nothing has no line for it', () => {
  assert.doesNotMatch(screen({ placement: { regions: [], nodes: [] } }), /^LOST/m);
});

/** The row of `eu` when its former primary holds a copy of which the node says so much. */
function rowWith(said: Partial<CopyStatus>): string {
  const sample = sampleOf({}, { placement: { regions: [eu], nodes: [] } });
  const places = { last: 70, durable: 70, committed: 70, applied: 70, checkpoint: 0, hashedSequence: 0 };
  const level = { isHealthy: true, lagEntries: 0, lagMs: 40 };
  const copy: CopyStatus = {
    ...{ region: 'eu', role: 'replica', epoch: 3, primary: ASIA, isServing: false, isDeserted: false },
    ...{ ...places, ...level, waiting: 0, stateHash: 0, copies: [], lostTails: [] },
    ...said,
  };
  const statuses = new Map(sample.statuses);
  const status = statuses.get('eu');
  if (status !== undefined) statuses.set('eu', { ...status, copies: [copy] });
  const around = { upMs: 0, nodes: factsOf(), leaderChanges: 0, linkFaults: [], crowd: undefined };
  const seen = viewOf(topology, { ...sample, statuses }, undefined, around);
  const lines = renderScreen(seen, [], { columns: 120, rows: 100 });
  const texts = lines.map((line) => line.map(({ text }) => text).join(''));
  return texts.find((text) => text.startsWith('eu  ')) ?? '';
}

test('a copy that hears nothing of its primary is not shown as level', () => {
  assert.match(rowWith({}), / eu:0 na-east/);
  assert.match(rowWith({ lagEntries: 7 }), / eu:7\/40 ms na-east/);
  assert.match(rowWith({ lagMs: 7_000 }), / eu:0\/7\.0 s na-east/, 'none is missed where none is heard of');
  assert.match(rowWith({ epoch: 2 }), / eu:\? na-east/, 'it trails a primary that is none any more');
});

test('a region without a primary says that one is sought', () => {
  const fence = { epoch: 4, cause: 'failed', to: null, promised: [] } as const;
  assert.match(screen({ placement: { regions: [{ ...eu, fence }], nodes: [] } }), /^eu +sought +3 /m);
  assert.match(screen({}), /^eu +sought +0 /m);
});

test('a node shows what the witnesses think of it, and whether it sees a majority', () => {
  const doubted = { node: EU, incarnation: 1, suspectedBy: 3, failedBy: 2 };
  const failed = { node: ASIA, incarnation: 1, suspectedBy: 3, failedBy: 3 };
  const seen = screen({ placement: { regions: [], nodes: [doubted, failed] }, blind: 'na-west' });
  assert.match(seen, /eu +suspected/);
  assert.match(seen, /asia +failed/);
  assert.match(seen, /na-west +sees no majority/);
});
