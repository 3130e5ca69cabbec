// Every region outlives its primary, one after the other: another copy goes on, and nobody must notice much.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '../../src/client/index.ts';
import { insist } from '../../src/crowd/insist.ts';
import type { RegionView, WorldView } from '../../src/host/view.ts';
import { seedTopology } from '../../src/services/topology/topology.ts';
import type { Place } from '../../src/wire/calls.ts';
import type { AckLevel } from '../../src/wire/levels.ts';
import type { NodeStatus } from '../../src/wire/status.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { allUp, ask, end, folderOf, reportOf, until, up } from '../support/real-world.ts';

const WAIT_MS_MAX = 90_000;
const STEP_MS = 50;
/** As many as a player may say in that time. */
const WORDS = 8;
const SAY_EVERY_MS = 300;
const DEGREE = 1e7;
/** On land, in the middle of each region. */
const HOMES: ReadonlyMap<string, Place> = new Map([
  ['na-west', { lat: 40 * DEGREE, lon: -110 * DEGREE }],
  ['na-east', { lat: 40 * DEGREE, lon: -80 * DEGREE }],
  ['eu', { lat: 48 * DEGREE, lon: 10 * DEGREE }],
  ['asia', { lat: 30 * DEGREE, lon: 110 * DEGREE }],
]);

const regionOf = ({ regions }: WorldView, name: string): RegionView =>
  regions.find(({ region }) => region === name) ?? assert.fail(`there is a region ${name}`);
const isSettled = ({ regions }: WorldView): boolean =>
  regions.every(({ isSought, primary, copies }) => {
    return !isSought && primary !== undefined && copies.every(({ isHealthy }) => isHealthy);
  });

/** What operating.md asks for before a node is restarted. */
const isTrusted = ({ nodes }: WorldView): boolean =>
  nodes.every(({ kind, standing }) => kind === 'global' || standing === 'trusted');

/** Why the region has the primary that it has, by the account of `asia`. */
async function lastCauseOf(region: string, basePort: number): Promise<string | undefined> {
  const { nodes, regions } = seedTopology({ world: 'w', basePort });
  const port = nodes.find(({ name }) => name === 'asia')?.httpPort;
  const response = await fetch(`http://127.0.0.1:${port}/v1/status`);
  const { placement } = (await response.json()) as NodeStatus;
  const number = regions.find(({ name }) => name === region)?.number;
  return placement?.regions.find((placed) => placed.number === number)?.appointments.at(-1)?.cause;
}

class Resident {
  readonly #client: Client;
  readonly #region: string;
  readonly #said: string[] = [];
  readonly broken: string[] = [];
  entered = 0;

  /** Comes into the region through another node's gateway. */
  static async come(
    t: TestContext,
    o: { region: string; gateway: string; basePort: number },
  ): Promise<Resident> {
    const { nodes } = seedTopology({ world: 'w', basePort: o.basePort });
    const port = nodes.find(({ name }) => name === o.gateway)?.httpPort;
    const client = connect({ urls: [`ws://127.0.0.1:${port}/v1/ws`] });
    t.after(() => client.close());
    const name = `resident-${o.region}`;
    assert.equal((await client.register({ name, password: 'long enough' })).kind, 'done');
    const resident = new Resident(client, o.region);
    const home = HOMES.get(o.region) ?? assert.fail();
    assert.equal((await client.enter(home)).kind, 'done');
    return resident;
  }

  private constructor(client: Client, region: string) {
    this.#client = client;
    this.#region = region;
    client.onState((state) => this.broken.push(state));
    client.onMotion(({ kind }) => (this.entered += kind === 'entered' ? 1 : 0));
  }

  async say(text: string, ack: AckLevel = 'quorum'): Promise<void> {
    const options = { region: this.#region, ack };
    const said = await insist(
      () => this.#client.call('chat.say', { channel: 'region', text }, options),
      AbortSignal.timeout(WAIT_MS_MAX),
    );
    assert.equal(said?.kind, 'done', JSON.stringify(said));
    this.#said.push(text);
  }

  /** All that was acknowledged, in the order in which it was said, by the primary's account. */
  async hearsAll(): Promise<void> {
    const options = { region: this.#region, bound: { msOld: 0 } };
    const heard = await insist(
      () => this.#client.call('chat.history', { channel: 'region' }, options),
      AbortSignal.timeout(WAIT_MS_MAX),
    );
    assert.ok(heard?.kind === 'done', JSON.stringify(heard));
    assert.deepEqual(heard.value.map(({ text }) => text), this.#said);
  }

  async standsAgain(times: number): Promise<void> {
    const giveUp = AbortSignal.timeout(WAIT_MS_MAX);
    while (this.entered < times) {
      assert.ok(!giveUp.aborted, 'nobody took him in again');
      await sleep(STEP_MS);
    }
  }
}

test('each primary is killed in turn: a successor goes on, nothing is lost, and it comes back', async (t) => {
  const basePort = await freeBasePort();
  const world = up(t, folderOf(t), '--json', '--port', `${basePort}`);
  let view = await until(world, (now) => allUp(now) && isSettled(now));
  for (const region of HOMES.keys()) {
    const { primary, epoch } = regionOf(view, region);
    const gateway = view.regions.map((each) => each.region).find((name) => name !== primary);
    assert.ok(primary !== undefined && gateway !== undefined);
    const resident = await Resident.come(t, { region, gateway, basePort });
    await resident.say('before');
    assert.equal((await ask(world, { kind: 'kill', nodes: [`primary:${region}`] }))?.kind, 'acted');
    await resident.say('after');
    await resident.standsAgain(2);
    const after = await until(world, (now) => !regionOf(now, region).isSought);
    const successor = regionOf(after, region);
    assert.ok(successor.epoch > epoch && successor.primary !== primary, JSON.stringify(successor));
    await resident.hearsAll();
    assert.deepEqual(resident.broken, [], `a link into ${region} broke`);
    assert.equal((await ask(world, { kind: 'restart', nodes: [primary] }))?.kind, 'acted');
    view = await until(world, (now) => allUp(now) && isSettled(now));
    assert.notEqual(regionOf(view, region).primary, primary, 'nobody gets a region back at once');
    await resident.hearsAll();
  }
  assert.equal(await end(world, 'SIGTERM'), 0);
  const { replicas } = await reportOf(world);
  for (const region of HOMES.keys()) {
    const copies = replicas.find(({ group }) => group === region);
    assert.deepEqual([copies?.isEqual, copies?.compared], [true, 3], region);
  }
});

test('a region goes home after a calm, unless an operator has chosen another primary', async (t) => {
  const basePort = await freeBasePort();
  const folder = folderOf(t);
  const file = join(dirname(folder), 'own.json');
  writeFileSync(file, JSON.stringify({ ...seedTopology({ world: 'w', basePort }), homeAfterMs: 3_000 }));
  const world = up(t, folder, '--json', '--topology', file);
  await until(world, (now) => allUp(now) && isSettled(now));
  const byHand = { kind: 'promote', region: 'na-west', node: 'asia', acceptLoss: false } as const;
  assert.equal((await ask(world, byHand))?.kind, 'acted');
  const resident = await Resident.come(t, { region: 'eu', gateway: 'na-west', basePort });
  await resident.say('before');
  assert.equal((await ask(world, { kind: 'kill', nodes: ['eu'] }))?.kind, 'acted');
  await resident.say('away');
  const away = await until(world, (now) => !regionOf(now, 'eu').isSought);
  assert.notEqual(regionOf(away, 'eu').primary, 'eu');
  assert.equal((await ask(world, { kind: 'restart', nodes: ['eu'] }))?.kind, 'acted');
  const home = await until(world, (now) => isSettled(now) && regionOf(now, 'eu').primary === 'eu');
  assert.ok(regionOf(home, 'eu').epoch > regionOf(away, 'eu').epoch);
  await resident.say('after');
  await resident.hearsAll();
  assert.deepEqual(resident.broken, []);
  assert.equal(regionOf(home, 'na-west').primary, 'asia');
  assert.equal(await end(world, 'SIGTERM'), 0);
});

test('a region node that is restarted hands its region over, and what one copy had is kept', async (t) => {
  const basePort = await freeBasePort();
  const world = up(t, folderOf(t), '--json', '--port', `${basePort}`);
  const isReady = (now: WorldView): boolean => allUp(now) && isSettled(now) && isTrusted(now);
  const before = regionOf(await until(world, isReady), 'eu');
  const resident = await Resident.come(t, { region: 'eu', gateway: 'na-west', basePort });
  let isRestarted = false;
  const restarted = ask(world, { kind: 'restart', nodes: ['eu'] }).then(() => (isRestarted = true));
  for (let word = 0; !isRestarted && word < WORDS; word++) {
    await resident.say(`word ${word}`, 'one');
    await sleep(SAY_EVERY_MS);
  }
  await restarted;
  await resident.standsAgain(2);
  const after = regionOf(await until(world, (now) => allUp(now) && isSettled(now)), 'eu');
  assert.notEqual(after.primary, 'eu');
  assert.equal(after.epoch, before.epoch + 1);
  assert.equal(await lastCauseOf('eu', basePort), 'left');
  await resident.hearsAll();
  assert.deepEqual(resident.broken, []);
  assert.equal(await end(world, 'SIGTERM'), 0);
});

test('a world that was ended in order has each primary again at its next start, in its epoch', async (t) => {
  const basePort = await freeBasePort();
  const folder = folderOf(t);
  const start = (): ReturnType<typeof up> => up(t, folder, '--json', '--port', `${basePort}`);
  const placesOf = ({ regions }: WorldView): readonly string[] =>
    regions.map(({ region, primary, epoch }) => `${region}: ${primary} in ${epoch}`);
  const first = start();
  await until(first, (now) => allUp(now) && isSettled(now));
  const byHand = { kind: 'promote', region: 'na-west', node: 'asia', acceptLoss: false } as const;
  assert.equal((await ask(first, byHand))?.kind, 'acted');
  const resident = await Resident.come(t, { region: 'eu', gateway: 'na-west', basePort });
  await resident.say('before');
  const before = placesOf(await until(first, isSettled));
  assert.equal(await end(first, 'SIGTERM'), 0);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const world = start();
    assert.deepEqual(placesOf(await until(world, (now) => allUp(now) && isSettled(now))), before);
    await resident.hearsAll();
    assert.equal(await end(world, signal), 0);
  }
});
