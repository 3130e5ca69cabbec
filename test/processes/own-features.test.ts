// A studio's own features on real processes: the guide's auction, and regional ones, asked by players.
//
// The guide's own text is what runs, beside a market which is the same auction with the other promise.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { StartError } from '../../src/adapters/node/start-error.ts';
import type { Outcome } from '../../src/base/errors.ts';
import { type Client, connect } from '../../src/client/index.ts';
import { readWorldFile } from '../../src/host/world-file.ts';
import { seedTopology } from '../../src/services/topology/topology.ts';
import type { NodeAudit } from '../../src/wire/status.ts';
import type { Feature } from '../../src/world/feature.ts';
import { playerCalls } from '../../src/world/player-calls.ts';
import { freeBasePort } from '../support/free-base-port.ts';
import { allUp, ask, end, folderOf, until, up, type Up } from '../support/real-world.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'src/cli/main.ts');
const PASSWORD = 'correct horse';
const LONDON = { lat: 515_074_000, lon: -1_278_000 };
const IMPORT = "import { auction } from './auction.ts';\n";
const MARKET = `${IMPORT}
import { gardenFeatures } from '${import.meta.resolve('../support/garden-features.ts')}';
export default [auction, { ...auction, name: 'market', promise: 'regional' }, ...gardenFeatures];
`;

/** A studio's folder with the package and the listings of the guide, whose lots outlast any machine. */
function studio(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'bm-studio-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const page = readFileSync(join(ROOT, 'docs/own-features.md'), 'utf8');
  for (const [, name = '', source = ''] of page.matchAll(/^```ts\n\/\/ ([a-z-]+\.ts)\n([^]*?)^```$/gm)) {
    writeFileSync(join(folder, name), source.replace('OPEN_MS = 3_000', 'OPEN_MS = 3_600_000'));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'market.ts'), MARKET);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'bluemarble'), 'junction');
  return folder;
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function bluemarble(...words: string[]): Ran {
  const run = spawnSync(process.execPath, [...process.execArgv, MAIN, ...words], { encoding: 'utf8' });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

async function player(t: TestContext, port: number, who: { name: string; file: string }): Promise<Client> {
  const world = (await import(pathToFileURL(who.file).href)) as { readonly default: readonly Feature[] };
  const client = connect({ urls: [`ws://127.0.0.1:${port}/v1/ws`], calls: playerCalls(world.default) });
  t.after(() => client.close());
  const credentials = { name: who.name, password: PASSWORD };
  const outcome = await client.register(credentials);
  const again = outcome.kind === 'rejected' ? await client.logIn(credentials) : outcome;
  assert.equal(again.kind, 'done', JSON.stringify(again));
  return client;
}

function valueOf(outcome: Outcome<unknown>): unknown {
  assert.equal(outcome.kind, 'done', JSON.stringify(outcome));
  return outcome.kind === 'done' ? outcome.value : undefined;
}

/** What a node's copies count, by the feature and the group or region. */
async function audit(httpPort: number, group: string, call: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/v1/audit?fresh`);
  const { groups } = (await response.json()) as NodeAudit;
  return groups.find((each) => each.group === group)?.facts[call];
}

/** What the guide's own player is told, at this gateway. */
function runPlay(home: string, port: number): string {
  const file = join(home, 'play.ts');
  writeFileSync(file, readFileSync(file, 'utf8').replace('7408', String(port)));
  const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, file], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout;
}

async function refused(world: Up, sentence: RegExp): Promise<void> {
  assert.equal((await once(world.process, 'exit'))[0], 2);
  assert.match(await world.err, sentence);
}

test('players ask a studio’s features over real links, and find them again after a restart', async (t) => {
  const home = studio(t);
  const file = join(home, 'market.ts');
  const basePort = await freeBasePort();
  const { nodes } = seedTopology({ world: 'any', basePort });
  const portOf = (name: string): number => nodes.find((node) => node.name === name)?.httpPort ?? 0;
  const first = up(t, folderOf(t), '--world', file, '--port', String(basePort));
  await until(first, allUp);
  const played = runPlay(home, portOf('eu'));
  assert.match(played, /value: \{ lot: 1 \}.*title: 'a rope'.*reason: 'your-own'/s);
  const bea = await player(t, portOf('eu'), { name: 'bea', file });
  const bob = await player(t, portOf('asia'), { name: 'bob', file });
  const { promise: outbid, resolve } = Promise.withResolvers<unknown>();
  bob.on('auction.outbid', resolve);
  const cid = await player(t, portOf('na-east'), { name: 'cid', file });
  await soldAt(bea, bob, cid);
  assert.deepEqual(await outbid, { lot: 2, gold: 7 });
  const regional = [
    await bea.ask('market.open', { title: 'eggs' }, { region: 'eu', ack: 'all' }),
    await bob.ask('market.open', { title: 'tea' }, { region: 'asia' }),
    await bob.ask('market.open', { title: 'rice' }),
  ];
  assert.deepEqual(regional.map(valueOf), [{ lot: 1 }, { lot: 1 }, { lot: 2 }]);
  const misplaced = await bea.ask('auction.lots', null, { region: 'eu' });
  assert.ok(misplaced.kind === 'rejected' && misplaced.reason === 'bad-arguments', JSON.stringify(misplaced));

  await harvest(bea);
  assert.equal(await end(first, 'SIGTERM'), 0);
  const second = up(t, first.folder);
  await until(second, allUp);
  const two = { opened: 2, open: 2, sold: 0 };
  assert.deepEqual(await audit(portOf('global-1'), 'economy', 'auction.audit'), two);
  assert.deepEqual(await audit(portOf('asia'), 'asia', 'market.audit'), two);
  assert.equal(await end(second, 'SIGTERM'), 0);
  const back = bluemarble('restore', 'asia', '--to', '1', '--data', first.folder);
  assert.equal(back.code, 0, back.err);
});

test('a world keeps the code of its features, wherever the file goes, and commands need none', async (t) => {
  const home = studio(t);
  const [file, moved, auction] = ['market.ts', 'moved.ts', 'auction.ts'].map((name) => join(home, name));
  assert.ok(file !== undefined && moved !== undefined && auction !== undefined);
  const first = up(t, folderOf(t), '--world', file, '--port', String(await freeBasePort()));
  await until(first, allUp);
  const source = readFileSync(auction, 'utf8');
  writeFileSync(auction, `${source}// edited\n`);
  await ask(first, { kind: 'restart', nodes: ['global-5'] });
  await until(first, ({ nodes }) => nodes[4]?.condition === 'failed');
  renameSync(file, moved);
  assert.equal(bluemarble('status', '--data', first.folder).code, 0);
  await end(first, 'SIGTERM');
  assert.match(await first.out, /global-5 is failed \(.* is not what this world was started with/);
  await refused(up(t, first.folder), /market\.ts does not exist: the world in .* put it back, or name it/);
  const back = bluemarble('restore', 'eu', '--to', '1', '--data', first.folder);
  assert.deepEqual([back.code, back.err.includes('does not exist')], [2, true], back.err);
  const other = up(t, first.folder, '--world', join(home, 'my-world.ts'));
  await refused(other, /has the feature "chest", and .*my-world/);
  const starts = [
    [source, ['--world', moved]],
    [`${source}// edited\n`, []],
  ] as const;
  for (const [text, words] of starts) {
    writeFileSync(auction, text);
    const again = up(t, first.folder, ...words, '--for', '1s');
    assert.equal((await once(again.process, 'exit'))[0], 0, await again.err);
    assert.equal(/has changed since this world last ran/.test(await again.err), text !== source);
  }
});

/** What a region tells all who are there, and what a group tells one player when the event has come to it. */
async function harvest(player: Client): Promise<void> {
  const heard = (push: string): Promise<unknown> => new Promise((resolve) => player.on(push, resolve));
  const pushes = Promise.all([heard('garden.seen'), heard('chest.filled')]);
  assert.equal((await player.enter(LONDON)).kind, 'done');
  assert.equal(valueOf(await player.ask('garden.harvest')), 1);
  assert.deepEqual(await pushes, [{ player: player.player }, { count: 1 }]);
  assert.equal(valueOf(await player.ask('chest.count')), 1);
}

async function soldAt(seller: Client, low: Client, high: Client): Promise<void> {
  assert.deepEqual(valueOf(await seller.ask('auction.open', { title: 'a boat' })), { lot: 2 });
  assert.equal(valueOf(await low.ask('auction.bid', { lot: 2, gold: 5 })), null);
  assert.equal(valueOf(await high.ask('auction.bid', { lot: 2, gold: 7 })), null);
}

const broken: readonly (readonly [name: string, source: string, sentence: RegExp])[] = [
  ['syntax', '\nexport default [ ;', /syntax\.ts can not be loaded: SyntaxError.*syntax\.ts:2\)$/],
  ['throws', "\nthrow new Error('no license');", /loaded: Error: no license \(file:.*throws\.ts:2:7\)$/],
  ['imports', "import './no-such-file.ts';", /can not be loaded: .*Cannot find module .*no-such-file\.ts/],
  ['nothing', 'export const features = [];', /must export a list of features by default/],
  ['number', 'export default 7;', /must export a list of features by default/],
  ['empty', 'export default [];', /the list of features is empty/],
  ['parts', `${IMPORT}export default [{ ...auction, save: 1 }];`, /number 1 lacks a function save/],
  ['call', `${IMPORT}export default [{ ...auction, queries: { all: {} } }];`, /a whole description of "all"/],
  ['twice', `${IMPORT}export default [auction, auction];`, /two features are named "auction"/],
  ['stock', `${IMPORT}export default [{ ...auction, name: 'trade' }];`, /"trade" is a feature of the stock/],
];

test('a file that is no list of features is refused with what to change', async (t) => {
  const home = studio(t);
  const refusedAs = async (file: string, sentence: RegExp): Promise<void> => {
    await assert.rejects(readWorldFile(file), (error) => {
      assert.ok(error instanceof StartError, String(error));
      assert.match(error.message, sentence);
      return true;
    });
  };
  for (const [name, source, sentence] of broken) {
    const file = join(home, `${name}.ts`);
    writeFileSync(file, source);
    await refusedAs(file, sentence);
  }
  await refusedAs(home, /is a folder: name a module in it/);
  await refusedAs(join(home, 'no.ts'), /does not exist: name a module with features/);
});

test('a list that no world can be made of ends with exit code 2, and leaves nothing', (t) => {
  const home = studio(t);
  const [file, data] = [join(home, 'needy.ts'), join(home, 'world')];
  writeFileSync(file, `${IMPORT}export default [{ ...auction, needs: ['mail'] }];`);
  const { code, err } = bluemarble('up', '--world', file, '--data', data);
  assert.equal(code, 2);
  assert.match(err, /needy\.ts can not be run: Feature "auction" needs "mail"/);
  assert.deepEqual(readdirSync(data), []);
});

test('a node of a world with a studio’s features is not started without them', (t) => {
  const home = studio(t);
  const words = ['--topology', join(home, 'my.json'), '--name', 'global-1', '--data', join(home, 'global-1')];
  const printed = bluemarble('topology', '--world', join(home, 'market.ts'));
  assert.match(printed.out, /"features":\["holdings","trade","auction","chest"\]/);
  writeFileSync(join(home, 'my.json'), printed.out);
  const bare = bluemarble('node', ...words);
  assert.deepEqual([bare.code, existsSync(join(home, 'global-1'))], [2, false]);
  assert.match(bare.err, /has the feature "auction": name the file that has it with --world/);
  const fewer = bluemarble('node', ...words, '--world', join(home, 'my-world.ts'));
  assert.match(fewer.err, /has the feature "chest", and .*my-world\.ts does not: put it back/);
  writeFileSync(join(home, 'my.json'), bluemarble('topology').out);
  const more = bluemarble('node', ...words, '--world', join(home, 'my-world.ts'));
  assert.match(more.err, /Feature "auction" is in no group: add it to one/);
});
