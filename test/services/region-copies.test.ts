import assert from 'node:assert/strict';
import test from 'node:test';
import { ForeignDataError } from '../../src/base/errors.ts';
import type { VirtualDisk } from '../../src/sim/machine/disk.ts';
import { newerCheckpoint, newerJournal } from '../support/foreign-files.ts';
import { REGION, SeedWorld } from '../support/seed-world.ts';

/** A world whose node of `eu` has ended, with a checkpoint of it. */
async function stopped(): Promise<{ readonly world: SeedWorld; readonly disk: VirtualDisk }> {
  const world = new SeedWorld();
  await world.ready();
  await world.clock.live(2_000);
  world.node(REGION).operate({ kind: 'checkpoint', region: 'eu' });
  await world.clock.live(100);
  await world.stop(REGION);
  const disk = world.copyDisks.get(`${REGION}/eu`) ?? assert.fail();
  assert.ok(checkpointOn(disk) !== undefined);
  return { world, disk };
}

function checkpointOn(disk: VirtualDisk): string | undefined {
  return disk.names().find((name) => name.startsWith('checkpoint-'));
}

/** Its checkpoints, and the records of its journals: a start cuts off what lies behind them. */
function contents(disk: VirtualDisk): readonly string[] {
  return disk.names().map((name) => {
    const bytes = disk.read(name);
    return `${name} ${bytes.slice(0, bytes.findLastIndex((byte) => byte !== 0) + 1).join(' ')}`;
  });
}

function assertUntouched(world: SeedWorld, before: readonly string[]): void {
  const after = contents(world.copyDisks.get(`${REGION}/eu`) ?? assert.fail());
  for (const file of before) assert.ok(after.includes(file), file.slice(0, 60));
}

function isForeign(error: unknown): boolean {
  return error instanceof ForeignDataError && /this program knows/.test(error.message);
}

test('a copy whose checkpoint is of a newer format ends the node and stays where it is', async () => {
  const { world, disk } = await stopped();
  const name = checkpointOn(disk) ?? assert.fail();
  disk.publish(name, [newerCheckpoint(disk.read(name))]);
  const before = contents(disk);
  assert.throws(() => world.start(REGION), isForeign);
  assertUntouched(world, before);
});

test('a copy whose journal is of a newer format ends the node and stays where it is', async () => {
  const { world, disk } = await stopped();
  const [name = assert.fail()] = disk.names().filter((each) => each.startsWith('journal-')).sort();
  disk.publish(name, [newerJournal(disk.read(name))]);
  const before = contents(disk);
  assert.throws(() => world.start(REGION), isForeign);
  assertUntouched(world, before);
});

test('a damaged copy is set aside, and filled again by its primary', async () => {
  const { world, disk } = await stopped();
  const name = checkpointOn(disk) ?? assert.fail();
  disk.flipBit(name, 99);
  for (const each of disk.names()) if (each.startsWith('journal-')) disk.remove(each);
  disk.publish('journal-0000000000000007.log', [new Uint8Array(512)]);
  world.start(REGION);
  for (const other of world.nodes.keys()) if (other !== REGION) world.network.mend(REGION, other);
  assert.ok(world.lines.some(({ event }) => event === 'copy-damaged-and-set-aside'));
  await world.clock.live(8_000);
  const copy = world.node(REGION).status().copies.find(({ region }) => region === 'eu');
  assert.equal(copy?.role === 'blank' ? 'blank' : 'filled', 'filled');
  assert.deepEqual(world.failures, []);
});
