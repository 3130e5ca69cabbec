import assert from 'node:assert/strict';
import test from 'node:test';
import type { LogWrite } from '../../../src/protocols/raft/messages.ts';
import { RegionHistory } from '../../../src/sim/checks/region-history.ts';
import { Verdicts } from '../../../src/sim/checks/violation.ts';

function written(index: number, term: number): LogWrite {
  const entry = { index, term, kind: 'command', timeMs: 1, data: Uint8Array.of(index) } as const;
  return { hardState: { term, votedFor: undefined }, entries: [entry] };
}

/** Copies 1 to 3: all have an entry of epoch 2, and 1 and 2 one of epoch 4 behind it; both are committed. */
function region(): { readonly history: RegionHistory; readonly verdicts: Verdicts } {
  const verdicts = new Verdicts();
  const history = new RegionHistory({ number: 101, name: 'eu', copies: [1, 2, 3] }, verdicts);
  for (const node of [1, 2, 3]) history.writes(node, written(1, 2));
  history.leads(1, 2);
  history.commits(1, { epoch: 2, sequence: 1 });
  for (const node of [1, 2]) history.writes(node, written(2, 4));
  history.leads(2, 4);
  history.commits(2, { epoch: 4, sequence: 2 });
  assert.equal(verdicts.first, undefined);
  return { history, verdicts };
}

test('a primary must have what was committed in earlier epochs', () => {
  const { history, verdicts } = region();
  history.leads(3, 5);
  assert.equal(verdicts.first?.invariant, 'LC');
});

test('a primary who hears late of his appointment needs nothing of the epochs after his', () => {
  const { history, verdicts } = region();
  history.leads(3, 3);
  assert.equal(verdicts.first, undefined);
});

test('nor is he excused from what was committed before it', () => {
  const { history, verdicts } = region();
  history.loses(3);
  history.leads(3, 3);
  assert.equal(verdicts.first?.invariant, 'LC');
});
