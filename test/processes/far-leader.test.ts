// The seed world at the planet's distances, its groups led from where they are far for a gateway in Asia.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect } from '../../src/client/index.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { allUp, ask, end, folderOf, until, up } from '../support/real-world.ts';

const ASIA = 9;
const CALLS = 25;
const FAR = 'global-3';
const GROUPS: readonly string[] = ['auth', 'economy', 'guild'];

test('a gateway far from the leaders of its groups becomes ready, and no call there fails', async (t) => {
  const basePort = await freeBasePort();
  const world = up(t, folderOf(t), '--wan', '--port', String(basePort));
  await until(world, allUp);
  const seeds = await until(world, ({ groups }) => groups.every(({ leader }) => leader !== undefined));
  for (const { group, leader } of seeds.groups) {
    if (!GROUPS.includes(group) || leader === FAR) continue;
    const answer = await ask(world, { kind: 'transfer', group, node: FAR });
    assert.equal(answer?.kind, 'acted', JSON.stringify(answer));
  }
  assert.equal((await ask(world, { kind: 'restart', nodes: ['asia'] }))?.kind, 'acted');
  await until(world, allUp);
  const { groups } = await until(world, allUp);
  const far = groups.filter(({ leader }) => leader === FAR).map(({ group }) => group);
  assert.deepEqual(GROUPS.filter((group) => !far.includes(group)), []);

  const player = connect({ urls: [`ws://127.0.0.1:${basePort + ASIA}/v1/ws`], unavailableMs: 0 });
  t.after(() => player.close());
  assert.equal((await player.register({ name: 'far', password: 'long enough' })).kind, 'done');
  const kinds = new Set<string>();
  for (let i = 0; i < CALLS; i++) kinds.add((await player.call('names.owner', { name: 'far' })).kind);
  assert.deepEqual([...kinds], ['done']);
  assert.equal(await end(world, 'SIGTERM'), 0);
});
