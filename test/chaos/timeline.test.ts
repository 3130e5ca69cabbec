import assert from 'node:assert/strict';
import test from 'node:test';
import { drawPicture } from '../../src/chaos/picture.ts';
import { SPAN_MS, Timeline } from '../../src/chaos/timeline.ts';

test('calls count to the span in which they ended, and spans without any stay empty', () => {
  let nowMs = 0;
  const timeline = new Timeline(() => nowMs);
  timeline.add('done', 3);
  nowMs = 2 * SPAN_MS + 1;
  timeline.add('uncertain', 4_000);
  timeline.add('done', 2);
  const { spans, totals } = timeline;
  assert.deepEqual(spans.map(({ atMs }) => atMs), [0, SPAN_MS, 2 * SPAN_MS]);
  assert.equal(spans[1]?.latency, undefined);
  assert.equal(spans[2]?.latency?.maxMs, 4_000);
  assert.deepEqual(totals.counts, { done: 2, rejected: 0, unavailable: 0, uncertain: 1 });
});

test('what ended before the drill began counts to its first span', () => {
  const timeline = new Timeline(() => -50);
  timeline.add('done', 1);
  assert.equal(timeline.spans.length, 1);
});

test('the picture shows each fault by name, safely written, and nothing that is no number', () => {
  let nowMs = 0;
  const timeline = new Timeline(() => nowMs);
  for (; nowMs < 5_000; nowMs += 100) timeline.add(nowMs < 2_000 ? 'done' : 'unavailable', nowMs / 100);
  const struck = [
    { nemesis: 'one-way', fromMs: 1_000, toMs: 3_000, nodes: ['global-1'], words: 'a > b & c' },
    { nemesis: 'kill', fromMs: 2_000, toMs: 4_000, nodes: [], words: 'leader:economy' },
  ] as const;
  const svg = drawPicture({ title: 'seed 7', spans: timeline.spans, struck, healedMs: 4_000 });
  assert.match(svg, /^<svg .*<\/svg>\n$/s);
  assert.ok(svg.includes('<title>one-way a &gt; b &amp; c</title>'));
  assert.ok(svg.includes('kill leader:economy (hit nobody)'));
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
});

test('a drill in which nothing happened still has a picture', () => {
  const svg = drawPicture({ title: 'nothing', spans: [], struck: [], healedMs: 0 });
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
});
