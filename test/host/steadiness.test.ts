import assert from 'node:assert/strict';
import test from 'node:test';
import { isSteadyAfter } from '../../src/host/steadiness.ts';
import type { WorldView } from '../../src/host/view.ts';

/** What a case changes where all is well: `eu` has started again, and `asia` is being replaced. */
interface Changes {
  readonly condition?: string;
  readonly eu?: string | undefined;
  readonly naEast?: string;
  readonly naEastCondition?: string;
  readonly asia?: string;
  readonly lag?: number | undefined;
  readonly leader?: string | undefined;
  readonly isHealthy?: boolean;
  readonly isSought?: boolean;
}

function view(changes: Changes): WorldView {
  const o = { eu: 'trusted', lag: 0, leader: 'global-1', ...changes };
  const { condition = 'up', naEast = 'trusted', naEastCondition = 'up', asia = 'trusted' } = o;
  return {
    nodes: [
      { name: 'global-1', kind: 'global', condition, standing: undefined },
      { name: 'eu', kind: 'region', condition, standing: o.eu },
      { name: 'na-east', kind: 'region', condition: naEastCondition, standing: naEast },
      { name: 'asia', kind: 'region', condition: 'up', standing: asia },
    ],
    groups: [{ group: 'economy', leader: o.leader, members: [{ name: 'global-1', lag: o.lag }] }],
    regions: [
      {
        region: 'eu',
        isSought: o.isSought ?? false,
        copies: [
          { name: 'eu', isHealthy: o.isHealthy ?? true },
          { name: 'asia', isHealthy: false },
        ],
      },
    ],
  } as unknown as WorldView;
}

const isSteady = (name: string, changes: Changes = {}): boolean =>
  isSteadyAfter(view(changes), name, 'asia');

test('a node that is up, trusted and level lets the next one start, whatever the replaced one lacks', () => {
  for (const name of ['eu', 'global-1']) {
    assert.ok(isSteady(name));
    assert.ok(isSteady(name, { asia: 'failed' }));
  }
});

test('a node that is not up again, or that nobody trusts yet, is waited for', () => {
  assert.ok(!isSteady('eu', { condition: 'starting' }));
  for (const eu of ['suspected', 'failed', undefined]) assert.ok(!isSteady('eu', { eu }));
});

test('another node that is doubted is waited for, unless it is kept down', () => {
  assert.ok(!isSteady('eu', { naEast: 'suspected' }));
  assert.ok(isSteady('eu', { naEast: 'failed', naEastCondition: 'down' }));
});

test('a region node is waited for until its copies are level and nobody is sought for them', () => {
  assert.ok(!isSteady('eu', { isHealthy: false }));
  assert.ok(!isSteady('eu', { isSought: true }));
});

test('a global node is waited for until the leader of each of its groups reaches it', () => {
  assert.ok(!isSteady('global-1', { lag: undefined }));
  assert.ok(!isSteady('global-1', { leader: undefined }));
});
