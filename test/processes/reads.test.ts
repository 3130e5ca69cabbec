// A world whose economy is read at any member and by a lease, as its topology file says.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type Client, connect } from '../../src/client/index.ts';
import { insist } from '../../src/crowd/insist.ts';
import type { GroupView, WorldView } from '../../src/host/view.ts';
import type { NodeStatus } from '../../src/wire/status.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { allUp, ask, end, folderOf, reportOf, until, up } from '../support/real-world.ts';
import { smallTopology } from '../support/small-topology.ts';

const WAIT_MS_MAX = 60_000;
const GIFTS = 30;

async function player(t: TestContext, basePort: number, name: string): Promise<Client> {
  const client = connect({ urls: [`ws://127.0.0.1:${basePort + 4}/v1/ws`] });
  t.after(() => client.close());
  assert.equal((await client.register({ name, password: 'long enough' })).kind, 'done');
  assert.equal((await client.call('holdings.open', null)).kind, 'done');
  return client;
}

/** How many queries of the economy each global node has answered. */
async function readsOf(basePort: number): Promise<readonly number[]> {
  const statuses = [1, 2, 3].map(async (id) => {
    const answer = await fetch(`http://127.0.0.1:${basePort + id}/v1/status`);
    const { groups } = (await answer.json()) as NodeStatus;
    return groups.find(({ group }) => group === 'economy')?.reads ?? 0;
  });
  return Promise.all(statuses);
}

const economy = ({ groups }: WorldView): GroupView =>
  groups.find(({ group }) => group === 'economy') ?? assert.fail('there is an economy');

test('any member serves reads, which see what was answered before, also when the leader dies', async (t) => {
  const folder = folderOf(t);
  const basePort = await freeBasePort();
  const topology = smallTopology({ basePort, gateways: 0 });
  const groups = topology.groups.map((group) => ({ ...group, reads: 'any', leaseDriftPerMille: 10 }));
  const file = join(folder, '..', 'my.json');
  writeFileSync(file, JSON.stringify({ ...topology, groups }));
  const world = up(t, folder, '--topology', file, '--json');
  await until(world, (view) => allUp(view) && economy(view).leader !== undefined);
  const [giver, taker] = await Promise.all([player(t, basePort, 'ada'), player(t, basePort, 'bob')]);
  const giveUp = AbortSignal.timeout(WAIT_MS_MAX);
  const goldOf = async (client: Client): Promise<number> => {
    const mine = await insist(() => client.call('holdings.mine', null), giveUp);
    assert.ok(mine?.kind === 'done', JSON.stringify(mine));
    return mine.value.gold;
  };
  const give = async (): Promise<void> => {
    const gift = { to: taker.player ?? 0, gold: 1, items: [] };
    const given = await insist(() => giver.call('trade.give', gift), giveUp);
    assert.equal(given?.kind, 'done', JSON.stringify(given));
  };
  const [givers, takers] = [await goldOf(giver), await goldOf(taker)];
  for (let given = 1; given <= GIFTS; given++) {
    await give();
    assert.deepEqual([await goldOf(giver), await goldOf(taker)], [givers - given, takers + given]);
  }
  const reads = await readsOf(basePort);
  assert.ok(reads.every((count) => count > 0), `they answered ${reads.join(', ')} queries`);

  const { leader } = economy(await until(world, allUp));
  assert.equal((await ask(world, { kind: 'kill', nodes: [leader ?? ''] }))?.kind, 'acted');
  await give();
  assert.deepEqual([await goldOf(giver), await goldOf(taker)], [givers - GIFTS - 1, takers + GIFTS + 1]);
  await ask(world, { kind: 'restart', nodes: [leader ?? ''] });
  await until(world, allUp);
  giver.close();
  taker.close();
  assert.equal(await end(world, 'SIGTERM'), 0);
  const report = await reportOf(world);
  assert.deepEqual(report.invariants.filter(({ held }) => !held), []);
});
