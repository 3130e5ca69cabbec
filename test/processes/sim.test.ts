// The simulator as a product: many seeds on all cores, its proof by planted faults, its command.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { loadPlanted } from '../../src/cli/planted-sources.ts';
import { seekPlanted } from '../../src/cli/sim-planted.ts';
import { onAllCores, type Result } from '../../src/cli/sim-worker.ts';
import { plantedFaults } from '../../src/sim/planted/all.ts';

const root: string = join(import.meta.dirname, '../..');
const NEW_SEEDS = 200;
/** New seeds and another part of the planted faults each day: within a day a failure repeats itself. */
const TODAY: number = Math.floor(Date.now() / 86_400_000);
const PLANTED_SEEDS = 200;
/** Each day one part of the planted faults is looked for; the whole takes some minutes. */
const PLANTED_PARTS = 3;

function sim(...words: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=bm-source', join(root, 'src/cli/main.ts'), 'sim', ...words],
    { encoding: 'utf8', cwd: root },
  );
  return { code: status, out: stdout, err: stderr };
}

function knownSeeds(): readonly number[] {
  return readFileSync(join(root, 'test/seeds.txt'), 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '')
    .map(Number);
}

test('no new seed, and none that ever failed, breaks a promise', async () => {
  const first = TODAY * NEW_SEEDS;
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
      else if (result.verdict.result !== 'ok') {
        const { invariant, what } = result.verdict;
        failures.push(`npm run sim -- --seed ${result.seed}   broke ${invariant}: ${what}`);
      }
    },
  );
  assert.deepEqual(failures, []);
});

test('the simulator finds every planted fault of the part that is due', async () => {
  const part = TODAY % PLANTED_PARTS;
  const due = plantedFaults.filter((_, i) => i % PLANTED_PARTS === part);
  const found = await seekPlanted(due, PLANTED_SEEDS, () => {});
  const missed = found.filter(({ verdict }) => verdict.result === 'ok');
  assert.equal(found.length, due.length);
  assert.deepEqual(missed.map(({ fault }) => fault.name), []);
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
  const runs = [1, 2].map(() => sim('--from', '11', '--seeds', '4', '--chaos', '1s', '--json'));
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
    const world = join(root, 'test/sim/worlds/forgetful-feature.ts');
    const { code, err } = sim('--seeds', '1', '--from', '3', '--world', world, '--out', folder);
    assert.equal(code, 1, err);
    assert.match(err, /npm run sim -- --seed 3 --world/);
    assert.match(err, /SMS: economy/);
    assert.ok(existsSync(join(folder, 'seed-3.svg')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('one seed is told in full, and wrong words are refused with exit code 2', () => {
  const told = sim('--seed', '2', '--chaos', '1s');
  assert.equal(told.code, 0, told.err);
  assert.match(told.err, /node \d {2}leads economy in term/);
  assert.match(told.err, /digest [0-9a-f]{8}/);
  assert.equal(sim('--seeds', 'many').code, 2);
  const noWorld = sim('--world', 'no-such-file.ts');
  assert.equal(noWorld.code, 2);
  assert.match(noWorld.err, /does not exist/);
});
