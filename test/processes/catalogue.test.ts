// The catalogue of docs/raft.md, held to its word: with the planted fault of a row in the sources, the tests
// that the row names for it fail. Without it they pass, as every run of all tests shows.
//
// A part of a row reads `planted NAMES: FILE "words of a test", "words of another"; ...`, and is a child
// process for each fault and file. Parts without a fault name tests that must exist.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { plantedFaults } from '../../src/sim/planted/all.ts';

const root: string = join(import.meta.dirname, '../..');
const PLANT: string = join(root, 'test/support/planted-child.ts');
/** What a fault makes run for ever has not failed. */
const CHILD_MS_MAX = 60_000;
const ALONE = 'the simulator alone';

interface Cited {
  /** As the catalogue names it: without its ending, and without its folder where that says enough. */
  readonly file: string;
  readonly words: readonly string[];
}

interface Part {
  readonly row: string;
  readonly faults: readonly string[];
  readonly isAlone: boolean;
  readonly cited: readonly Cited[];
}

interface Found {
  readonly path: string;
  readonly titles: readonly string[];
}

interface Attempt extends Found {
  readonly fault: string;
}

const testFiles: readonly string[] = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join(root, 'test', name).replaceAll('\\', '/'));

function partsOf(document: string): readonly Part[] {
  const [, catalogue = ''] = document.split('\n## The catalogue\n');
  const rows = catalogue.split('\n').filter((line) => line.startsWith('| ') && !line.includes('Noticed by'));
  return rows.flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const row = cells[1] ?? '';
    return (cells.at(-2) ?? '').split('; ').map((text) => partOf(row, text));
  });
}

function partOf(row: string, text: string): Part {
  const [head = '', ...rest] = text.split(': ');
  const isPlanted = head.startsWith('planted ');
  const faults = isPlanted ? [...head.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name) : [];
  const tests = isPlanted ? rest.join(': ') : text;
  const cited = [...tests.matchAll(/([\w/-]+) ("[^"]+"(?:, "[^"]+")*)/g)].map(([, file = '', quoted]) => {
    return { file, words: [...(quoted ?? '').matchAll(/"([^"]+)"/g)].map(([, words = '']) => words) };
  });
  return { row, faults, isAlone: tests === ALONE, cited };
}

/** The one file of that name, and the names of the tests that the words stand in, each in one of them. */
function found({ file, words }: Cited, row: string): Found {
  const paths = testFiles.filter((path) => path.endsWith(`/${file}.test.ts`));
  const matches = paths.flatMap((path) => {
    const all = [...readFileSync(path, 'utf8').matchAll(/^test\('(.+?)', /gm)].map(([, title = '']) => title);
    const titles = words.map((some) => all.filter((title) => title.includes(some)));
    return titles.every(({ length }) => length === 1) ? [{ path, titles: titles.flat() }] : [];
  });
  const [only, ...more] = matches;
  const wanted = words.map((some) => `"${some}"`).join(', ');
  assert.ok(only && more.length === 0, `row ${row}: in ${file} each of ${wanted} names one test`);
  return only;
}

function escaped(title: string): string {
  return title.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** Runs these tests alone, out of sources with the fault; what is wrong with that, if anything is. */
async function attempt({ fault, path, titles }: Attempt): Promise<readonly string[]> {
  const patterns = titles.map((title) => `--test-name-pattern=^${escaped(title)}$`);
  const words = ['--conditions=bm-source', '--import', PLANT, '--test-reporter=tap', ...patterns, path];
  // Its reports are read here; those of tests within tests would go to the runner.
  const env = { ...process.env, PLANTED_FAULT: fault, NODE_TEST_CONTEXT: undefined };
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile(process.execPath, words, { env, timeout: CHILD_MS_MAX }, (_, out, err) => resolve(out + err));
  const out = await promise;
  return titles.flatMap((title) => {
    if (new RegExp(`^not ok \\d+ - ${escaped(title)}$`, 'm').test(out)) return [];
    const passed = new RegExp(`^ok \\d+ - ${escaped(title)}$`, 'm').test(out);
    return [`${fault}: "${title}" ${passed ? 'passes all the same' : `did not run:\n${out}`}`];
  });
}

const parts: readonly Part[] = partsOf(readFileSync(join(root, 'docs/raft.md'), 'utf8'));

test('each part of the catalogue names tests that exist, and faults that are planted', () => {
  assert.ok(parts.length > 60, 'the catalogue was read');
  const planted = new Set(plantedFaults.map(({ name }) => name));
  for (const { row, faults, isAlone, cited } of parts) {
    for (const one of cited) found(one, row);
    for (const fault of faults) assert.ok(planted.has(fault), `row ${row}: ${fault} is planted`);
    if (faults.length === 0) continue;
    assert.ok(cited.length > 0 !== isAlone, `row ${row}: tests hold ${faults.join(', ')}, or "${ALONE}"`);
  }
});

test('with the planted fault of a row in the sources, each test that it names for it fails', async () => {
  const all = new Map<string, Attempt>();
  for (const { row, faults, cited } of parts) {
    for (const fault of faults) {
      for (const one of cited) {
        const { path, titles } = found(one, row);
        const before = all.get(`${fault} ${path}`)?.titles ?? [];
        all.set(`${fault} ${path}`, { fault, path, titles: [...new Set([...before, ...titles])] });
      }
    }
  }
  const waiting = [...all.values()];
  const wrong: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      wrong.push(...(await attempt(next)));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  assert.ok(all.size >= 40, 'the catalogue names faults and tests');
  assert.deepEqual(wrong, []);
});
