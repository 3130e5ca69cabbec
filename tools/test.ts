// What `npm test` does once the tree is set up: one run of Node's own test runner over everything.
//
// `launch.cjs` starts it. First the checks of the whole tree, then all pure tests in one process, then
// each file that starts processes of its own, one after the other. The closing lines are the runner's.
// Exit code 0 only when tests ran and all passed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const USAGE = `npm test                      everything
npm test -- --checks          types, layers and tidiness of the tree
npm test -- --unit            the tests that need no processes of their own
npm test -- --processes       the tests that start processes, one file after the other
npm test -- -t WORDS          only tests whose name matches WORDS`;

/** Longer than the longest test that kills processes at random; a test that hangs must not hang all. */
const FILE_TIMEOUT_MS: number = 10 * 60_000;
const CHECKS = 'test/checks.test.ts';
const UNIT = 'test/in-one-process.ts';
const PROCESSES = 'test/processes';

interface Wanted {
  readonly checks: boolean;
  readonly unit: boolean;
  readonly processes: boolean;
  readonly name: string | undefined;
}

function main(): number {
  const wanted = readOptions();
  if (wanted === undefined) return 2;
  process.chdir(join(import.meta.dirname, '..'));
  const files = chooseFiles(wanted);
  console.log(`npm test: ${describe(files)} (Node.js ${process.versions.node})\n`);
  const { code, passed } = runTests(files, wanted.name);
  if (code === 0 && passed === 0) {
    console.log('\nnpm test: no test ran, so nothing is shown: look at the name given with -t');
    return 1;
  }
  console.log(code === 0 ? '\nnpm test: all is well' : '\nnpm test: FAILED, see above');
  return code;
}

function readOptions(): Wanted | undefined {
  try {
    const { values } = parseArgs({
      options: {
        checks: { type: 'boolean', default: false },
        unit: { type: 'boolean', default: false },
        processes: { type: 'boolean', default: false },
        name: { type: 'string', short: 't' },
      },
    });
    const all = !values.checks && !values.unit && !values.processes;
    return {
      checks: all || values.checks,
      unit: all || values.unit,
      processes: all || values.processes,
      name: values.name,
    };
  } catch (error) {
    console.error(`npm test: ${error instanceof Error ? error.message : error}\n${USAGE}`);
    return undefined;
  }
}

/** In the order in which the runner will take them: that of their names. */
function chooseFiles({ checks, unit, processes }: Wanted): readonly string[] {
  const withProcesses = readdirSync(PROCESSES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(PROCESSES, name));
  return [...(checks ? [CHECKS] : []), ...(unit ? [UNIT] : []), ...(processes ? withProcesses : [])];
}

function describe(files: readonly string[]): string {
  const withProcesses = files.filter((file) => file.startsWith(PROCESSES)).length;
  const parts = [
    ...(files.includes(CHECKS) ? ['types, layers and tidiness'] : []),
    ...(files.includes(UNIT) ? ['all pure tests in one process'] : []),
    ...(withProcesses > 0 ? [`${withProcesses} files with real processes, one by one`] : []),
  ];
  return parts.join('; then ');
}

function runTests(
  files: readonly string[],
  name: string | undefined,
): { readonly code: number; readonly passed: number } {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-test-'));
  const countFile = join(folder, 'count');
  try {
    const { status } = spawnSync(
      process.execPath,
      [
        '--conditions=bm-source',
        '--test',
        '--test-concurrency=1',
        `--test-timeout=${FILE_TIMEOUT_MS}`,
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        '--test-reporter=./tools/count-reporter.ts',
        `--test-reporter-destination=${countFile}`,
        ...(name === undefined ? [] : [`--test-name-pattern=${name}`]),
        ...files,
      ],
      { stdio: 'inherit' },
    );
    return { code: status ?? 1, passed: Number(readFileSync(countFile, 'utf8')) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = main();
