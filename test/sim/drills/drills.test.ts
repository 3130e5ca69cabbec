import assert from 'node:assert/strict';
import test from 'node:test';
import { drawPlan } from '../../../src/sim/plan/faults.ts';
import type { Drill, Fault, Plan } from '../../../src/sim/plan/plan.ts';
import { runPlan } from '../../../src/sim/run.ts';
import { stockWorld } from '../../../src/sim/play/worlds.ts';

/** A world whose members may change, with these faults and drills and no others. */
function quiet(seed: number, o: { faults?: readonly Fault[]; drill?: Partial<Drill> }): Plan {
  const drawn = drawPlan({ seed, topology: stockWorld.topology, chaosMs: 1_500 });
  const { rejoin, rejoinMs } = drawn.drill;
  const noLoss = { losesCopyOf: undefined, comesBack: false, rotsMemory: false };
  const calm = { edge: undefined, depose: undefined, ...noLoss };
  const none = { deafLeaderOf: undefined, transfer: undefined, exchange: undefined, ...calm };
  return {
    ...drawn,
    clients: 3,
    isMobile: true,
    faults: o.faults ?? [],
    drill: { rejoin, rejoinMs, ...none, ...o.drill },
  };
}

/** What the timeline says of a run in which every promise was kept. */
function told(plan: Plan): string {
  const lines: string[] = [];
  const verdict = runPlan(plan, stockWorld, (_atMs, lane, what) => lines.push(`${lane} ${what}`));
  assert.equal(verdict.result, 'ok', verdict.what);
  return lines.join('\n');
}

test('a member is exchanged although the leader dies at the worst moments of it', () => {
  for (const strike of ['none', 'learning', 'joint', 'unaware'] as const) {
    for (const leaderGoes of [false, true]) {
      const text = told(quiet(1, { drill: { exchange: { group: 1, strike, leaderGoes } } }));
      const [, leader] = new RegExp(`group 1: .* and ${strike} strikes (\\d)`).exec(text) ?? [];
      assert.ok(leader !== undefined, text);
      const after = text.slice(text.indexOf(`${strike} strikes`));
      assert.equal(new RegExp(`^${leader} (killed|loses power)`, 'm').test(after), strike !== 'none');
    }
  }
});

test('leadership goes to a member that is well, and stays when it is to go to one that is not', () => {
  for (const to of ['voter', 'dead', 'stranger'] as const) {
    const text = told(quiet(2, { drill: { transfer: { group: 1, to } } }));
    const [, after = ''] = text.split(/leadership is to go from \d to \d+/);
    assert.equal(/leads auth/.test(after), to === 'voter', text);
  }
});

test('a machine that is lost with its disk is replaced, and its identity never leads again', () => {
  const faults: readonly Fault[] = [{ kind: 'replace', node: 3, atMs: 900, forMs: 10 }];
  const exchange = { group: 1, strike: 'none', leaderGoes: false } as const;
  const text = told(quiet(3, { faults, drill: { exchange } }));
  const [before = '', after = ''] = text.split('the disk of node 3 is lost: ');
  assert.match(before, /^3 starts/m);
  const [, fresh] = /^(\d+) takes its place/.exec(after) ?? [];
  assert.ok(fresh !== undefined && Number(fresh) > 5);
  assert.match(after, new RegExp(`^${fresh} starts`, 'm'));
  assert.doesNotMatch(after, /^3 (starts|leads)/m);
});

test('a leader is cut off in five ways, and another one leads while that lasts', () => {
  const ways = ['with-follower', 'silence', 'lost-links', 'late-answers', 'handover'] as const;
  for (const edge of ways) {
    const plan = quiet(4, { drill: { edge } });
    const { leaseDriftPerMille: _, ...raft } = plan.raft;
    const leases = edge === 'with-follower' ? {} : { leaseDriftPerMille: 100 };
    const text = told({ ...plan, raft: { ...raft, ...leases } });
    const [, old, after = ''] = text.split(/node (\d), leader of group 2, is cut off, and asked/);
    assert.ok(old !== undefined, text);
    const [, leader] = /^(\d+) leads economy/m.exec(after) ?? [];
    assert.ok(leader !== undefined && leader !== old, text);
  }
});

test('a leader that comes back with a longer log than those who know more does not lead them', () => {
  const text = told(quiet(5, { drill: { comesBack: true } }));
  const [, old, after = ''] = text.split(/node (\d), leader of group 2, is cut off with what it alone has/);
  const [, successor, later = ''] = after.split(/node (\d), which leads by now, is cut off, and/);
  assert.ok(old !== undefined && successor !== undefined && successor !== old, text);
  const [alone, healed = ''] = later.split('everybody reaches everybody again');
  assert.doesNotMatch(alone ?? '', /leads economy/);
  assert.match(healed, /leads economy/);
});

test('a primary is cut off in three ways, and another one is appointed while that lasts', () => {
  for (const shape of ['isolated', 'no-witnesses', 'with-gateway'] as const) {
    const text = told(quiet(15, { drill: { depose: { region: 101, shape } } }));
    const [, old, after = ''] = text.split(/node (\d), primary of region 101, is cut off/);
    assert.ok(old !== undefined, text);
    const [, primary] = /^(\d) is primary of na-west/m.exec(after) ?? [];
    assert.ok(primary !== undefined && primary !== old, text);
  }
});

test('a copy that comes back without its log decides nothing, and the dead primary leads again', () => {
  const text = told(quiet(15, { drill: { losesCopyOf: 101 } }));
  const [, old, after = ''] = text.split(/node (\d), its primary, dies, and \d comes back without its log/);
  assert.ok(old !== undefined, text);
  const [, primary] = /^(\d) is primary of na-west/m.exec(after) ?? [];
  assert.equal(primary, old, text);
});

test('a member whose memory rots stops by itself, and the others go on', () => {
  const text = told(quiet(5, { drill: { rotsMemory: true } }));
  const [, rotten, after = ''] = text.split(/the memory of node (\d) rots/);
  assert.ok(rotten !== undefined, text);
  const [, node] = /^(\d) ends: CorruptionError: group \w+ has become something else/m.exec(after) ?? [];
  assert.equal(node, rotten, text);
});
