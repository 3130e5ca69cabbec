// Primaries, copies and doubts on the live screen, and what an operator may ask about them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../src/base/id.ts';
import { renderScreen } from '../../src/host/screen.ts';
import { viewOf, type WorldView } from '../../src/host/view.ts';
import type { PlacedRegion } from '../../src/wire/placement.ts';
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
  assert.match(screen({ placement: { regions: [eu], nodes: [] } }), /^eu +asia +3 .*lost 3 /m);
});

test('what may be lost counts until a returning copy has told', () => {
  const [last] = eu.appointments;
  assert.ok(last !== undefined);
  const untold = { ...eu, appointments: [{ ...last, lost: [] }] };
  assert.match(screen({ placement: { regions: [untold], nodes: [] } }), /^eu +asia +3 .*lost 9 /m);
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
