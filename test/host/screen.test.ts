// The live screen and the plain lines: complete, readable, never larger than the terminal.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { CrowdStats } from '../../src/crowd/messages.ts';
import { Tally } from '../../src/crowd/tally.ts';
import { byteCount, fit, grouped, type Line, milliseconds, piece } from '../../src/host/lines.ts';
import { renderPlain, renderScreen } from '../../src/host/screen.ts';
import { viewOf, type WorldView } from '../../src/host/view.ts';
import { factsOf, sampleOf, topology } from '../support/world-views.ts';

function crowdStats(): CrowdStats {
  const tally = new Tally();
  const names = ['trade.withdraw', 'trade.offer', 'trade.accept', 'trade.give', 'holdings.mine'];
  names.forEach((name, place) => {
    for (let i = 0; i <= place; i++) tally.record(name, 'done', 3);
  });
  const calls = tally.summarize(1_000);
  return { players: 200, joined: 198, trades: 1_234, said: 12, crafted: 34, calls };
}

const BOOKS = {
  players: 200,
  goldMinted: 200_000,
  goldHeld: 199_000,
  goldLocked: 1_000,
  itemsMinted: 600,
  itemsHeld: 590,
  itemsLocked: 10,
  itemsConsumed: 0,
};

function busyView(): WorldView {
  const groups = {
    auth: { leader: 1, term: 3 },
    economy: { leader: 2, term: 7, lag: 12_345, facts: { 'holdings.audit': BOOKS } },
    guild: { leader: 3, term: 1 },
  };
  const nodes = factsOf({ 'global-5': 'restarting', eu: 'paused' });
  const around = { upMs: 83_000, nodes, leaderChanges: 2, linkFaults: [], crowd: crowdStats() };
  return viewOf(topology, sampleOf(groups), undefined, around);
}

const textOf = (lines: readonly Line[]): readonly string[] =>
  lines.map((line) => line.map(({ text }) => text).join(''));

test('the whole screen fits a terminal of 80 by 24, with the last events at its foot', () => {
  const lines = textOf(renderScreen(busyView(), ['first', 'second', 'third'], { columns: 80, rows: 24 }));
  assert.ok(lines.length <= 23);
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.deepEqual(lines.slice(-2), ['second', 'third']);
  const text = lines.join('\n');
  const gold = '200,000 expected, 200,000 counted';
  for (const word of ['economy', 'global-2', 'na-west', gold, 'holdings.mine', '12,345']) {
    assert.ok(text.includes(word), `${word} is missing`);
  }
});

test('a small terminal shows the top and the last events, and nothing beyond its edges', () => {
  const lines = textOf(renderScreen(busyView(), ['an event'], { columns: 40, rows: 8 }));
  assert.equal(lines.length, 7);
  for (const line of lines) assert.ok(line.length <= 40, line);
  assert.match(lines[0] ?? '', /BlueMarble/);
  assert.equal(lines.at(-1), 'an event');
});

test('a wide terminal puts more nodes on a line', () => {
  const heights = [80, 240].map((columns) => {
    return renderScreen(busyView(), [], { columns, rows: 100 }).length;
  });
  assert.ok((heights[0] ?? 0) > (heights[1] ?? 0));
});

test('a group that nobody leads says so, and its lags are unknown', () => {
  const around = { upMs: 0, nodes: factsOf(), leaderChanges: 0, linkFaults: [], crowd: undefined };
  const view = viewOf(topology, sampleOf({}), undefined, around);
  const [, , auth] = textOf(renderScreen(view, [], { columns: 80, rows: 24 }));
  assert.match(auth ?? '', /^auth +nobody .*g1:\? g2:\? g3:\?/);
});

test('the plain line names leaders, outcomes and players', () => {
  const line = renderPlain(busyView());
  assert.match(line, /1 min 23 s \| 7\/9 nodes up \| led by auth g1, economy g2, guild g3/);
  assert.match(line, /198 of 200 players, 1,234 trades, 34 crafts, 12 messages/);
  assert.match(line, /15 calls\/s, p50 3\.0 ms/);
});

test('lines that are cut end in an ellipsis, and keep the tone of what is left', () => {
  const line = [piece('abc', 'good'), piece('defgh')];
  assert.deepEqual(fit(line, 8), line);
  assert.deepEqual(fit(line, 5), [piece('abc', 'good'), piece('d'), piece('…')]);
  assert.equal(textOf([fit(line, 1)])[0], '…');
});

test('figures are written as people read them', () => {
  assert.deepEqual([0, 999, 1_000, 12_345_678].map(grouped), ['0', '999', '1,000', '12,345,678']);
  assert.deepEqual([0, 0.416, 3.14, 128.4].map(milliseconds), ['-', '0.42', '3.1', '128']);
  assert.deepEqual([640, 12_000, 3_400_000].map(byteCount), ['640 B', '12 kB', '3.4 MB']);
});
