// The simulator as a product: many seeds on all cores, its proof by planted faults, its command.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { plansOf, recordedSeeds } from '../../src/cli/planted-seeds.ts';
import { loadPlanted } from '../../src/cli/planted-sources.ts';
import { seekPlanted } from '../../src/cli/sim-planted.ts';
import { onAllCores, type Result } from '../../src/cli/sim-worker.ts';
import { loadWorld } from '../../src/cli/world-file.ts';
import { drawPlan } from '../../src/sim/plan/faults.ts';
import type { Plan } from '../../src/sim/plan/plan.ts';
import { plantedFaults } from '../../src/sim/planted/all.ts';
import { stockWorld } from '../../src/sim/play/worlds.ts';
import { runPlan } from '../../src/sim/run.ts';

const root: string = join(import.meta.dirname, '../..');
const NEW_SEEDS = 200;
const FIRST_SEED_MAX = 1_000_000_000;
const PLANTED_SEEDS = 200;
const FORGETFUL: string = import.meta.resolve('../sim/worlds/forgetful-feature.ts');

function sim(...words: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=bm-source', join(root, 'src/cli/main.ts'), 'sim', ...words],
    { encoding: 'utf8', cwd: root },
  );
  return { code: status, out: stdout, err: stderr };
}

/** What comes of it when Ctrl-C is pressed after so long. */
async function stopped(
  waitMs: number,
  ...words: readonly string[]
): Promise<{ readonly code: unknown; readonly out: string }> {
  const command = ['--conditions=bm-source', join(root, 'src/cli/main.ts'), 'sim', ...words];
  const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  setTimeout(() => child.kill('SIGINT'), waitMs);
  const [code]: unknown[] = await ended;
  return { code, out };
}

function worldFile(folder: string, name: string, source: string): string {
  const file = join(folder, name);
  writeFileSync(file, source);
  return file;
}

function knownSeeds(): readonly number[] {
  return readFileSync(join(root, 'test/seeds.txt'), 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '')
    .map(Number);
}

test('no new seed, and none that ever failed, breaks a promise', async (t) => {
  // New ones each time: the runs of all machines together try more and more of them.
  const first = randomInt(1, FIRST_SEED_MAX);
  t.diagnostic(`new seeds: npm run sim -- --from ${first} --seeds ${NEW_SEEDS}`);
  const seeds = [...knownSeeds(), ...Array.from({ length: NEW_SEEDS }, (_, i) => first + i)];
  const failures: string[] = [];
  let next = 0;
  await onAllCores(
    () => {
      const seed = seeds[next++];
      if (seed === undefined) return undefined;
      return { kind: 'seed', seed, worldFile: undefined, chaosMs: undefined };
    },
    (_task, result: Result) => {
      if (result.kind === 'trouble') failures.push(result.sentence);
      else if (result.kind === 'verdict' && result.verdict.result !== 'ok') {
        const { invariant, what } = result.verdict;
        failures.push(`npm run sim -- --seed ${result.seed}   broke ${invariant}: ${what}`);
      }
    },
  );
  assert.deepEqual(failures, []);
});

test('the simulator finds every planted fault', async (t) => {
  const search = { seedsMax: PLANTED_SEEDS, recorded: recordedSeeds() };
  const found = await seekPlanted(plantedFaults, search, ({ fault, isStale, runs }) => {
    if (!isStale) return;
    t.diagnostic(`the seed recorded for ${fault.name} finds it no more: ${runs} runs were needed`);
  });
  const missed = found.filter(({ by }) => by === undefined);
  assert.equal(found.length, plantedFaults.length);
  assert.deepEqual(missed.map(({ fault }) => fault.name), []);
});

test('what is recorded of planted faults is of faults that there are', () => {
  const names = new Set(plantedFaults.map(({ name }) => name));
  assert.deepEqual([...recordedSeeds().keys()].filter((name) => !names.has(name)), []);
});

test('a planted fault is looked for in runs of its kind, first in that of the recorded seed', () => {
  const draw = (seed: number): Plan => drawPlan({ seed, topology: stockWorld.topology });
  const search = { worlds: 'regions', seedsMax: 20 } as const;
  const plans = plansOf(draw, { ...search, recorded: undefined });
  assert.ok(plans.length > 0 && plans.every(({ regions, seed }) => regions !== undefined && seed <= 20));
  const last = plans.at(-1)?.seed;
  const again = plansOf(draw, { ...search, recorded: last });
  assert.deepEqual(again.map(({ seed }) => seed), [last, ...plans.slice(0, -1).map(({ seed }) => seed)]);
  assert.deepEqual(plansOf(draw, { ...search, recorded: 1_000_000 }), plans, 'none of the first is none');
});

test('there are enough planted faults, each fits the sources, and one that does not is refused', async () => {
  assert.ok(plantedFaults.length >= 30);
  assert.equal(new Set(plantedFaults.map(({ name }) => name)).size, plantedFaults.length);
  for (const { changes } of plantedFaults) {
    for (const { file, from } of changes) {
      const parts = readFileSync(join(root, 'src', file), 'utf8').split(from);
      assert.equal(parts.length, 2, `src/${file} holds once:\n${from}`);
    }
  }
  const change = { file: 'base/quorum.ts', from: 'this text does not stand there', to: '' };
  const stale = { name: 'stale', what: '', changes: [change] };
  await assert.rejects(loadPlanted(stale), /does not fit the sources/);
});

test('two processes give one digest for the same seeds', () => {
  const runs = [1, 2].map(() => sim('--from', '11', '--seeds', '3', '--chaos', '3s', '--json'));
  const digests = runs.map(({ code, out, err }) => {
    assert.equal(code, 0, err);
    const report = JSON.parse(out.trim().split('\n').at(-1) ?? '') as { ok: boolean; digest: string };
    assert.equal(report.ok, true);
    return report.digest;
  });
  assert.equal(digests[0], digests[1]);
});

test('a faulty world of one’s own ends with exit code 1, a command, a story and a picture', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-sim-'));
  try {
    const world = worldFile(folder, "a world's name.ts", `
      import features, { drawDeed } from '${FORGETFUL}';
      export { features as default, drawDeed };`);
    const { code, out, err } = sim('--seeds', '1', '--from', '3', '--world', world, '--out', folder);
    assert.ok(err.includes(` --world '${world.replace("'", "'\\''")}'`), 'a shell reads it as one word');
    assert.equal(code, 1, err);
    assert.match(err, /npm run sim -- --seed 3 --world/);
    assert.match(out, /FAILED: 3\ndecided calls of your features: counter \d+\n$/);
    assert.match(err, /SMS: economy/);
    assert.match(err, /the smaller run below and in the picture \(faults: \d+ of \d+\) breaks SMS: /);
    assert.ok(existsSync(join(folder, 'seed-3.svg')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a story ends with what broke: of the parts of a run behind it nothing is told', async () => {
  const world = await loadWorld(fileURLToPath(FORGETFUL));
  const plan = drawPlan({ seed: 3, topology: world.topology });
  const marks: string[] = [];
  const { virtualMs } = runPlan(plan, world, (_atMs, _lane, what) => marks.push(what));
  assert.ok(virtualMs < plan.chaosMs, 'it breaks while faults last');
  assert.ok(!marks.includes('all faults end'));
  assert.match(marks.at(-1) ?? '', /^SMS: /);
});

test('a world that would prove nothing ends with exit code 2, and a sentence', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-sim-'));
  const forgetful = `import features from '${FORGETFUL}';\n`;
  const deeds = `export { drawDeed } from '${FORGETFUL}';\n`;
  const worlds: readonly (readonly [name: string, source: string, sentence: RegExp])[] = [
    ['syntax', 'export default [ ;', /syntax\.ts can not be loaded: SyntaxError/],
    ['throws', "throw new Error('no license');", /can not be loaded: Error: no license/],
    ['types', 'export default [{ name: 7, commands: 3, create: 1 }];', /number 1 lacks a name \(docs/],
    ['nothing', 'export const drawDeed = () => 0;', /must export a list of features by default \(docs/],
    [
      'partial',
      `${forgetful}const [one] = features; export default [one, { ...one, load: 1 }];`,
      /number 2 lacks a function load/,
    ],
    ['silent', `${forgetful}export default features;`, /must export a function drawDeed/],
    ['empty', `${deeds}export default [];`, /the list of features is empty/],
    [
      'deed',
      `${forgetful}export default features; export const drawDeed = () => ({ call: 'x.y', args: 1 });`,
      /seed 1 can not be run: drawDeed drew "x\.y"/,
    ],
    [
      'unasked',
      `${forgetful}export default features;
      export const drawDeed = () => ({ call: 'holdings.mine', args: null });`,
      /NOT ASKED: counter/,
    ],
    [
      'exits',
      `${forgetful}${deeds}import { isMainThread } from 'node:worker_threads';
      if (!isMainThread) process.exit(7);
      export default features;`,
      /ended its thread by itself, with exit code 7/,
    ],
  ];
  try {
    for (const [name, source, sentence] of worlds) {
      const words = ['--seeds', '1', '--chaos', '3s', '--world', worldFile(folder, `${name}.ts`, source)];
      const { code, out, err } = sim(...words);
      assert.equal(code, 2, `${name}: ${err}`);
      assert.match(out + err, sentence);
    }
    const { code, err } = sim('--world', folder);
    assert.equal(code, 2, err);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('options that contradict each other, and folders that can not be made, are refused', () => {
  const file = join(root, 'package.json');
  for (const words of [
    ['--seed', '3', '--seeds', '4'],
    ['--seed', '3', '--from', '4'],
    ['--seed', '3', '--minutes', '4'],
    ['--seeds', '1', '--chaos', '2s'],
    ['--record'],
    ['--planted', '--seed', '3'],
    ['--planted', '--world', file],
    ['--planted', '--chaos', '3s'],
    ['--planted', 'no-such-fault'],
    ['--seeds', '1', '--out', join(file, 'pictures')],
  ]) {
    const { code, out, err } = sim(...words);
    assert.deepEqual([code, out], [2, ''], `${words.join(' ')}: ${err}`);
  }
});

test('Ctrl-C ends with exit code 130 once the seeds that were begun are judged', async () => {
  // Who is asked before he listens ends without a word: then with more patience.
  for (let waitMs = 2_000; waitMs < 60_000; waitMs *= 2) {
    const { code, out } = await stopped(waitMs, '--seeds', '100000');
    if (out === '') continue;
    assert.equal(code, 130);
    assert.match(out, /^STOPPED before all 100000 seeds were run\n\d+ seeds in/);
    return;
  }
  assert.fail('it says how far it came');
});

test('one seed is told in full, and wrong words are refused with exit code 2', () => {
  const told = sim('--seed', '2', '--chaos', '3s');
  assert.equal(told.code, 0, told.err);
  assert.match(told.err, /node \d {2}leads economy in term/);
  assert.match(told.err, /digest [0-9a-f]{8}/);
  assert.equal(sim('--seeds', 'many').code, 2);
  const noWorld = sim('--world', 'no-such-file.ts');
  assert.equal(noWorld.code, 2);
  assert.match(noWorld.err, /does not exist/);
});
