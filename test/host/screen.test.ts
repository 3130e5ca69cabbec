// The live screen and the plain lines: complete, readable, never larger than the terminal.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { CrowdStats } from '../../src/crowd/messages.ts';
import { Tally } from '../../src/crowd/tally.ts';
import { byteCount, fit, grouped, type Line, milliseconds, piece } from '../../src/host/lines.ts';
import { renderPlain, renderScreen } from '../../src/host/screen.ts';
import { type NodeView, type RegionView, viewOf, type WorldView } from '../../src/host/view.ts';
import { smallTopology } from '../support/small-topology.ts';
import { factsOf, sampleOf, topology } from '../support/world-views.ts';

const UNUSED = {
  gateway: { connections: 0, players: 0, bytesOut: 0, bytesIn: 0, framesSkipped: 0 },
};

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

test('gateways of nodes that are first in no region have lines of their own', () => {
  const small = smallTopology({ basePort: 7_400, gateways: 1 });
  const gate = sampleOf({}, { atMs: 1_000, done: 30 }).statuses.get('eu');
  assert.ok(gate !== undefined);
  const now = { ...sampleOf({}, { answering: [] }), statuses: new Map([['gate-1', gate]]) };
  const around = { upMs: 1_000, nodes: [], leaderChanges: 0, linkFaults: [], crowd: undefined };
  const before = { ...now, statuses: new Map([['gate-1', { ...gate, uptimeMs: 1, ...UNUSED }]]) };
  const view = viewOf(small, now, before, around);
  assert.deepEqual(view.gateways.map(({ gateway }) => gateway), ['spare', 'gate-1']);
  const text = textOf(renderScreen(view, [], { columns: 80, rows: 24 })).join('\n');
  assert.match(text, /^GATEWAY +LINKS +PLAYERS +OUT\/S +IN\/S +SKIPPED$/m);
  assert.match(text, /^spare +\? +\? +\? +\? +\?$/m);
  assert.match(text, /^gate-1 +50 +50 +3 kB +300 B +0$/m);
  assert.ok(!textOf(renderScreen(busyView(), [], { columns: 80, rows: 40 })).join().includes('GATEWAY'));
});

test('a small terminal shows the top and the last events, and nothing beyond its edges', () => {
  const lines = textOf(renderScreen(busyView(), ['an event'], { columns: 40, rows: 8 }));
  assert.equal(lines.length, 7);
  for (const line of lines) assert.ok(line.length <= 40, line);
  assert.match(lines[0] ?? '', /BlueMarble/);
  assert.equal(lines.at(-1), 'an event');
});

test('a node stands in its column, whatever is said of it', () => {
  const view = busyView();
  const nodes = view.nodes.map((node, place): NodeView => {
    const doubted = { ...node, condition: 'up' as const, residentBytes: 128_000_000 };
    return { ...doubted, standing: 'suspected', seesMajority: place !== 1 };
  });
  const lines = textOf(renderScreen({ ...view, nodes }, [], { columns: 80, rows: Infinity }));
  const first = lines.find((line) => line.startsWith('global-1'));
  assert.match(first ?? '', /^global-1 suspected 128 MB global-2 sees no majority global-3 suspected/);
});

test('of a region whose primary does not answer, nobody knows how many players it has', () => {
  const view = busyView();
  const regions = view.regions.map((region) => ({ ...region, isAnswering: region.region !== 'eu' }));
  const lines = textOf(renderScreen({ ...view, regions }, [], { columns: 132, rows: Infinity }));
  assert.match(lines.find((line) => line.startsWith('asia ')) ?? '', /^asia \D+ 0 +0 +50 /);
  assert.match(lines.find((line) => line.startsWith('eu ')) ?? '', /^eu \D+ 0 +0 +\? /);
});

/** The view of a world in which every name has 32 characters; copies trail, by entries and not by age. */
function longView(copies: number): WorldView {
  const view = trailingView();
  const long = (name: string): string => name.padEnd(30, 'x') + name.slice(-2);
  const named = <Named extends { readonly name: string }>(each: Named): Named => {
    return { ...each, name: long(each.name) };
  };
  const more = Array.from({ length: 4 }, (_, place) => `spare-${place}`);
  const regions = view.regions.map((region) => {
    const all = [...region.copies, ...more.map((name) => ({ ...region.copies[0], name }))];
    const held = all.slice(0, copies).map((copy) => named({ ...region.copies[0], ...copy, lagMs: 0 }));
    const some = { copies: held as RegionView['copies'], primary: held[0]?.name };
    return { ...region, ...some, region: long(region.region) };
  });
  const groups = view.groups.map((group) => {
    const leader = long(group.leader ?? group.members[0]?.name ?? '');
    const members = group.members.map((member) => ({ ...named(member), lag: 27 }));
    return { ...group, group: long(group.group), leader, members };
  });
  return { ...view, groups, regions, nodes: view.nodes.map(named) };
}

test('names of 32 characters push nothing out of 80 columns', () => {
  const view = longView(3);
  const lines = textOf(renderScreen(view, [], { columns: 80, rows: Infinity }));
  for (const line of lines) {
    assert.ok(line.length <= 80, line);
    assert.doesNotMatch(line, /…$/);
  }
  const head = lines.find((line) => line.startsWith('REGION')) ?? '';
  assert.match(head, /^REGION +PRIMARY +EPOCH +LOST +PLAYERS +LAG OF COPIES$/);
  const first = lines.find((line) => line.startsWith('na-')) ?? '';
  assert.match(first, /^na-…xst na-…xst +0 +1,234 +4,321 (?: \S+…\S+:12,345\/0 ms){2}$/);
  assert.equal(first.indexOf('4,321') + 5, head.indexOf('PLAYERS') + 7, 'figures stand below their heads');
  const economy = lines.find((line) => line.startsWith('ec…my')) ?? '';
  assert.match(economy, /^ec…my +gl…-2 +7 +1,000 +5 +(?:g\d…-\d:27 ){4}$/);
  const nodes = lines.find((line) => line.startsWith('global-1')) ?? '';
  assert.match(nodes, /^global-1x+…x+-1 up 80\.0 MB +global-2x+…x+-2 up 80\.0 MB +$/);
});

test('seven copies with long names fit 80 columns while they do not trail', () => {
  const view = longView(7);
  const regions = view.regions.map((region) => {
    return { ...region, copies: region.copies.map((copy) => ({ ...copy, lagEntries: 0, lagMs: 0 })) };
  });
  for (const line of textOf(renderScreen({ ...view, regions }, [], { columns: 80, rows: Infinity }))) {
    assert.ok(line.length <= 80 && !line.endsWith('…'), line);
  }
});

test('names of a usual length are shown whole on a small terminal', () => {
  const lines = textOf(renderScreen(busyView(), [], { columns: 40, rows: Infinity }));
  assert.match(lines.find((line) => line.startsWith('global-1')) ?? '', /^global-1 up/);
});

test('names are shown whole where there is room for them', () => {
  const text = textOf(renderScreen(longView(3), [], { columns: 400, rows: Infinity })).join('\n');
  assert.doesNotMatch(text, /…/);
  assert.match(text, /na-westx{23}st /);
});

test('a wide terminal puts more nodes on a line', () => {
  const heights = [80, 240].map((columns) => {
    return renderScreen(busyView(), [], { columns, rows: 100 }).length;
  });
  assert.ok((heights[0] ?? 0) > (heights[1] ?? 0));
});

/** A world whose copies trail far, and whose promotions cost something. */
function trailingView(): WorldView {
  const view = busyView();
  const trailing = { lagEntries: 12_345, lagMs: 3_540_000, isHealthy: false };
  const regions = view.regions.map((region) => {
    const copies = region.copies.map((copy) => ({ ...copy, ...trailing }));
    return { ...region, copies, primary: copies[0]?.name, isSought: false, lost: 1_234, players: 4_321 };
  });
  return { ...view, regions };
}

test('80 columns show of each region its primary, losses and lags at the top, the rest at the foot', () => {
  const lines = textOf(renderScreen(trailingView(), [], { columns: 80, rows: Infinity }));
  const about = lines.filter((line) => /^na-west +(?! |up)/.test(line));
  const [first = '', second = ''] = about;
  assert.match(first, /^na-west +na-west +0 +1,234 +4,321 {2}\S+:12,345\/59 min \S+:12,345\/59 min$/);
  assert.match(second, /^na-west(?: +[\d.]+| +[\d.]+ k?B| +[\d.]+ ms){5}$/);
  assert.ok(lines.indexOf(first) < lines.findIndex((line) => line.startsWith('OUTCOMES')));
  assert.ok(lines.indexOf(second) > lines.findIndex((line) => line.startsWith('CALL')));
});

test('a wide terminal shows a region in one line, in columns that stand still', () => {
  const size = { columns: 132, rows: Infinity };
  const [level, trailing] = [busyView(), trailingView()].map((view) => {
    return textOf(renderScreen(view, [], size)).filter((line) => /^(?:REGION|na-west|eu|asia) /.test(line));
  });
  assert.equal(level?.length, 4);
  const widths = [...(level ?? []), ...(trailing ?? [])].map((line) => line.length);
  assert.equal(new Set(widths).size, 1, String(widths));
});

test('a group that nobody leads says so, and its lags are unknown', () => {
  const around = { upMs: 0, nodes: factsOf(), leaderChanges: 0, linkFaults: [], crowd: undefined };
  const view = viewOf(topology, sampleOf({}), undefined, around);
  const [, , auth] = textOf(renderScreen(view, [], { columns: 80, rows: 24 }));
  assert.match(auth ?? '', /^auth +nobody .*g1:\? g2:\? g3:\?/);
});

test('a node that is being replaced is told for as long as it is', () => {
  const around = { upMs: 0, nodes: factsOf(), leaderChanges: 0, linkFaults: [], crowd: undefined };
  const [busy, calm] = ['global-2 is being replaced', undefined].map((inHand) => {
    const view = viewOf(topology, sampleOf({}), undefined, { ...around, inHand });
    return textOf(renderScreen(view, [], { columns: 80, rows: Infinity })).join('\n');
  });
  assert.match(busy ?? '', /^IN HAND +global-2 is being replaced$/m);
  assert.doesNotMatch(calm ?? '', /IN HAND/);
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
  assert.deepEqual(fit([piece('abc', 'good'), piece('de  ')], 5), [piece('abc', 'good'), piece('de')]);
});

test('figures are written as people read them', () => {
  assert.deepEqual([0, 999, 1_000, 12_345_678].map(grouped), ['0', '999', '1,000', '12,345,678']);
  assert.deepEqual([0, 0.416, 3.14, 128.4].map(milliseconds), ['-', '0.42', '3.1', '128']);
  const bytes = [640, 12_000, 3_400_000, 128_000_000];
  assert.deepEqual(bytes.map(byteCount), ['640 B', '12 kB', '3.4 MB', '128 MB']);
});
