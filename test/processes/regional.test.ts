// Chat and crafting over real processes, while the primary of the region is killed at bad moments.
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CallOptions, type Client, connect, type PlayCall } from '../../src/client/index.ts';
import type { ArgsOf, Outcome, ValueOf } from '../../src/client/index.ts';
import { insist } from '../../src/crowd/insist.ts';
import { seedTopology } from '../../src/services/topology/topology.ts';
import type { ChatMessage, Job, JobState } from '../../src/wire/regional-calls.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { allUp, ask, end, folderOf, reportOf, type Up, until, up } from '../support/real-world.ts';

const WAIT_MS_MAX = 60_000;
const SAY_EVERY_MS = 1_050;
/** Whose primary is killed; both players are connected elsewhere. */
const KILLED = 'na-east';

class Player {
  readonly client: Client;
  readonly region: string;
  readonly giveUp: AbortSignal = AbortSignal.timeout(WAIT_MS_MAX * 2);
  /** What he said on the world channel and had acknowledged by a quorum. */
  readonly said: string[] = [];

  constructor(t: TestContext, o: { basePort: number; gateway: string; region: string }) {
    const { nodes } = seedTopology({ world: 'w', basePort: o.basePort });
    const port = nodes.find(({ name }) => name === o.gateway)?.httpPort;
    this.client = connect({ urls: [`ws://127.0.0.1:${port}/v1/ws`] });
    this.region = o.region;
    t.after(() => this.client.close());
  }

  /** Asks until it is done: the client repeats under the same command id what may have happened. */
  async ask<Name extends PlayCall>(
    name: Name,
    args: ArgsOf<Name>,
    options: CallOptions = {},
  ): Promise<ValueOf<Name>> {
    const attempt = (): Promise<Outcome<ValueOf<Name>>> => this.client.call(name, args, options);
    const outcome = await insist(attempt, this.giveUp);
    assert.ok(outcome?.kind === 'done', `${name}: ${JSON.stringify(outcome)}`);
    return outcome.value;
  }

  async say(text: string): Promise<void> {
    await this.ask('chat.say', { channel: 'world', text }, { region: this.region, ack: 'quorum' });
    this.said.push(text);
  }

  world(): Promise<readonly ChatMessage[]> {
    return this.ask('chat.history', { channel: 'world' }, { region: this.region });
  }

  async make(material: string, recipe: string): Promise<void> {
    const where = { region: this.region };
    await this.ask('crafting.gather', { material }, where);
    const { job } = await this.ask('crafting.start', { recipe, item: null }, where);
    await sleep(2_100);
    await this.ask('crafting.collect', { job }, where);
  }

  /** Looks into his workshop until the job is so far. */
  async until(job: number, wanted: (job: Job) => boolean): Promise<Job> {
    for (;;) {
      const { jobs } = await this.ask('crafting.mine', null, { region: this.region });
      const found = jobs.find((each) => each.job === job);
      assert.ok(found !== undefined, 'a job stays until it is collected');
      if (wanted(found)) return found;
      assert.ok(!this.giveUp.aborted, `the job is still ${found.state}`);
      await sleep(100);
    }
  }
}

const isState = (state: JobState) => (job: Job): boolean => job.state === state;

async function killAndRestart(world: Up, meanwhile: () => Promise<void>): Promise<void> {
  assert.equal((await ask(world, { kind: 'kill', nodes: [KILLED] }))?.kind, 'acted');
  await meanwhile();
  assert.equal((await ask(world, { kind: 'restart', nodes: [KILLED] }))?.kind, 'acted');
}

test('nothing acknowledged is lost or doubled when the primary of a region is killed', async (t) => {
  const basePort = await freeBasePort();
  const world = up(t, folderOf(t), '--json', '--port', `${basePort}`);
  await until(world, allUp);
  const ada = new Player(t, { basePort, gateway: 'eu', region: KILLED });
  const bob = new Player(t, { basePort, gateway: 'asia', region: 'asia' });
  for (const [name, { client }] of [['ada', ada], ['bob', bob]] as const) {
    const registered = await client.register({ name, password: 'long enough' });
    assert.equal(registered.kind, 'done');
  }
  await ada.ask('holdings.open', null);
  await ada.say('ada 1');
  await bob.say('bob 1');
  await ada.make('wood', 'plank');
  await ada.make('stone', 'brick');
  const { items } = await ada.ask('holdings.mine', null);
  const item = items.find(({ kind }) => kind === 'compass')?.id ?? assert.fail();

  const started = await ada.ask('crafting.start', { recipe: 'sextant', item }, { region: KILLED });
  await killAndRestart(world, () => bob.say('bob 2'));
  await ada.say('ada 2');
  const { finishesAtMs } = await ada.until(started.job, isState('working'));
  await sleep(Math.max(0, finishesAtMs - Date.now()) + SAY_EVERY_MS);
  await ada.ask('crafting.collect', { job: started.job }, { region: KILLED });
  await killAndRestart(world, () => bob.say('bob 3'));
  await ada.say('ada 3');
  const { made } = await ada.until(started.job, isState('made'));

  const after = (await ada.ask('holdings.mine', null)).items;
  assert.deepEqual(after.map(({ kind }) => kind), ['lantern', 'rope', 'sextant']);
  assert.equal(after.at(-1)?.id, made);
  await sameHistories(ada, bob);
  await until(world, allUp);
  assert.equal(await end(world, 'SIGTERM'), 0);
  const report = await reportOf(world);
  assert.deepEqual(report.invariants.filter(({ held }) => !held), []);
  assert.deepEqual(report.items, { expected: 3, counted: 3 });
});

/** Both regions show the same in the end: all that was acknowledged, each speaker's in his order. */
async function sameHistories(ada: Player, bob: Player): Promise<void> {
  for (;;) {
    const [here, there] = [await ada.world(), await bob.world()];
    const isSame = JSON.stringify(here) === JSON.stringify(there);
    if (isSame && here.length >= ada.said.length + bob.said.length) {
      for (const { region, said } of [ada, bob]) {
        const heard = there.filter((message) => message.region === region).map(({ text }) => text);
        assert.deepEqual(heard, said);
      }
      return;
    }
    assert.ok(!ada.giveUp.aborted, `they differ: ${JSON.stringify([here, there])}`);
    await sleep(200);
  }
}
