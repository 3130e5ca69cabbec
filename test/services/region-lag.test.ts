// How far a copy may trail before it is called unhealthy is said by the topology.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../src/base/id.ts';
import { REGION, SeedWorld } from '../support/seed-world.ts';

const GATEWAY = nodeId(7);
/** The one that is cut off from the primary; the other one makes a quorum with it. */
const TRAILING = nodeId(9);
const SAID = 3;

for (const { lagEntriesMax, isHealthy } of [
  { lagEntriesMax: SAID, isHealthy: false },
  { lagEntriesMax: 50, isHealthy: true },
]) {
  const trailing = isHealthy ? 'healthy' : 'unhealthy';
  test(`a copy that trails by ${SAID} is ${trailing} where ${lagEntriesMax} are too many`, async () => {
    const world = new SeedWorld({ lagEntriesMax });
    await world.ready();
    await world.clock.live(3_000);
    const { link, session } = await world.player('speaker', GATEWAY);
    world.network.cut(REGION, TRAILING);
    for (let number = 1; number <= SAID; number++) {
      const args = { channel: 'region', text: 'hello' };
      const said = { call: 'chat.say', args, commandId: `${session}.${number}`, region: 'eu', ack: 'quorum' };
      const id = link.send(said);
      await world.clock.live(300);
      assert.equal(link.outcome(id)?.['kind'], 'done');
    }
    const seen = world.node(REGION).status().copies.find(({ region }) => region === 'eu');
    const copy = seen?.copies.find(({ node }) => node === TRAILING) ?? assert.fail();
    assert.ok((copy.lagEntries ?? 0) >= SAID, JSON.stringify(copy));
    assert.equal(copy.isHealthy, isHealthy);
  });
}
