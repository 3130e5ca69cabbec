// Replacing a node in a world that ends meanwhile, and what the next start of it has left to do.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId, type NodeId } from '../../src/base/id.ts';
import {
  beginReplacement,
  type ChangeableWorld,
  finishReplacements,
  InHand,
  replaceForGood,
  replacementHindrance,
} from '../../src/host/replacing.ts';
import type { WorldView } from '../../src/host/view.ts';
import type { Operation } from '../../src/services/calls/operation.ts';
import { seedTopology, type Topology } from '../../src/services/topology/topology.ts';

const ECONOMY: readonly number[] = [1, 2, 3, 4, 5];

/** Until nothing is in hand any more. */
async function whenDone({ inHand }: World): Promise<void> {
  while (inHand.work !== undefined) await new Promise((resolve) => setImmediate(resolve));
}

/** A world whose economy has other members than its topology says, until it is told to exchange one. */
class World implements ChangeableWorld {
  nowMs = 0;
  /** When it ends. */
  endsAtMs: number = Number.POSITIVE_INFINITY;
  /** When its groups get their leaders. */
  ledFromMs = 0;
  members: readonly number[] = ECONOMY;
  obeys = true;
  /** Whose processes run: the others are kept down. */
  running: readonly string[] = [];
  /** Who was started again, and when. */
  readonly restarts: string[] = [];
  /** How long the witnesses doubt a region node that was started again. */
  doubtedMs = 0;
  readonly told: string[] = [];
  #trustedFromMs = 0;
  readonly inHand: InHand = new InHand();
  /** What goes wrong when a topology is to be written. */
  fault: Error | undefined;
  readonly clock: ChangeableWorld['clock'] = {
    monotonicMs: () => this.nowMs,
    wallMs: () => this.nowMs,
    wakeAt: (atMs, wake) => {
      this.nowMs = atMs;
      queueMicrotask(wake);
      return () => {};
    },
    defer: (run) => queueMicrotask(run),
  };
  #topology: Topology = seedTopology({ world: 'tests' });

  topology(): Topology {
    return this.#topology;
  }

  view(): Promise<WorldView> {
    const leader = this.nowMs >= this.ledFromMs ? 'global-1' : undefined;
    const groups = this.#topology.groups.map(({ name }) => ({ group: name, leader, members: [] }));
    const standing = this.nowMs >= this.#trustedFromMs ? 'trusted' : 'suspected';
    const nodes = this.running.map((name) => ({ name, kind: 'region', condition: 'up', standing }));
    return Promise.resolve({ nodes, groups, regions: [] } as unknown as WorldView);
  }

  membersOf(group: string): readonly NodeId[] | undefined {
    if (group === 'economy') return this.members.map(nodeId);
    return this.#topology.groups.find(({ name }) => name === group)?.members;
  }

  keeper(name: string): ReturnType<ChangeableWorld['keeper']> {
    const tell = (operation: Operation): void => {
      if (this.obeys && operation.group === 'economy') this.members = operation.nodes;
    };
    const restart = (): Promise<void> => {
      this.restarts.push(`${name} at ${Math.round(this.nowMs / 1_000)} s`);
      this.#trustedFromMs = this.nowMs + this.doubtedMs;
      return Promise.resolve();
    };
    const condition = this.running.includes(name) ? 'up' : 'down';
    return { facts: { condition }, restart, tell } as never;
  }

  adopt(topology: Topology): void {
    if (this.fault !== undefined) throw this.fault;
    this.#topology = topology;
  }

  event(text: string): void {
    this.told.push(text);
  }

  isEnding(): boolean {
    return this.nowMs >= this.endsAtMs;
  }
}

test('a world that ends is not held up by a replacement, and its next start does what is left', async () => {
  const world = new World();
  world.obeys = false;
  world.endsAtMs = 500;
  await replaceForGood(world, 'global-5');
  assert.ok(world.nowMs < 1_000, `${world.nowMs} ms`);
  assert.ok(!world.told.some((text) => text.includes('is replaced')), 'it is not done, and not said to be');
  assert.deepEqual(world.members, ECONOMY);

  const again = new World();
  again.adopt(world.topology());
  await finishReplacements(again);
  const wanted = world.topology().groups.find(({ name }) => name === 'economy')?.members;
  assert.deepEqual(again.members, wanted);
  assert.ok(again.told.includes('economy has exchanged its member'));
});

test('a node that led is replaced once others lead its groups, and not where nobody can', async () => {
  const world = new World();
  world.ledFromMs = 200;
  assert.equal(await replacementHindrance(world, 'global-2'), undefined);
  world.ledFromMs = Number.POSITIVE_INFINITY;
  assert.match((await replacementHindrance(world, 'global-2')) ?? '', /^Nobody leads \w+, .*majority/);
});

test('each node starts again when the one before is trusted, which is not awaited for ever', async () => {
  const world = new World();
  world.running = ['eu', 'na-east', 'asia'];
  world.doubtedMs = 5_000;
  await replaceForGood(world, 'global-5');
  assert.deepEqual(world.restarts, ['global-5 at 0 s', 'na-east at 0 s', 'eu at 5 s', 'asia at 10 s']);
  assert.ok(!world.told.some((text) => text.includes('not whole')));

  const doubted = new World();
  doubted.running = ['eu', 'asia'];
  doubted.doubtedMs = 60_000;
  await replaceForGood(doubted, 'global-5');
  assert.deepEqual(doubted.restarts, ['global-5 at 0 s', 'eu at 0 s', 'asia at 20 s']);
  assert.equal(doubted.told.filter((text) => text.includes('not whole again after 20 s')).length, 2);
  assert.ok(doubted.told.some((text) => text.includes('global-5 is replaced')));
});

test('a world whose groups are as its topology says is left alone when it starts', async () => {
  const world = new World();
  await finishReplacements(world);
  assert.deepEqual(world.told, []);
});

test('one node is replaced at a time: a second one is refused, and may follow once it is done', async () => {
  const world = new World();
  const [first, second] = await Promise.all([
    beginReplacement(world, 'global-4'),
    beginReplacement(world, 'global-5'),
  ]);
  assert.equal(first, undefined);
  assert.match(second ?? '', /^global-4 is being replaced: ask again/);
  assert.match((await beginReplacement(world, 'global-4')) ?? '', /^global-4 is being replaced/);
  await whenDone(world);
  assert.deepEqual(world.topology().retired, [4]);

  assert.equal(await beginReplacement(world, 'global-5'), undefined);
  await whenDone(world);
  assert.deepEqual(world.topology().retired, [4, 5]);
  assert.deepEqual(world.members, world.topology().groups.find(({ name }) => name === 'economy')?.members);
});

test('a replacement that is refused or fails does not stand in the way of others', async () => {
  const world = new World();
  world.ledFromMs = Number.POSITIVE_INFINITY;
  assert.match((await beginReplacement(world, 'global-4')) ?? '', /^Nobody leads/);
  world.ledFromMs = 0;
  world.fault = new Error('no space left');
  assert.equal(await beginReplacement(world, 'global-4'), undefined);
  await whenDone(world);
  assert.deepEqual(world.told, ['global-4 is not replaced: no space left']);
  world.fault = undefined;
  assert.equal(await beginReplacement(world, 'global-5'), undefined);
  await whenDone(world);
  assert.ok(world.told.includes('global-5 is replaced: its new identity is 10, 5 is never used again'));
});

test('what the last end cut short waits for a replacement that an operator has begun', async () => {
  const world = new World();
  world.members = [1, 2, 3, 4];
  assert.ok(world.inHand.take('global-2 is being replaced'));
  const finished = finishReplacements(world);
  while (world.nowMs < 1_000) await Promise.resolve();
  assert.deepEqual(world.members, [1, 2, 3, 4]);
  world.inHand.release();
  await finished;
  assert.deepEqual(world.members, ECONOMY);
  assert.equal(world.inHand.work, undefined);
});
