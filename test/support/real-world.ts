// A whole world of real processes, driven as an operator drives it: started, looked at, killed at, ended.
//
// Everything is waited for, never for a time; what is still there when the test ends is ended with it.
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { askControl } from '../../src/adapters/node/control.ts';
import type { Answer, Question } from '../../src/host/operator.ts';
import type { Report } from '../../src/host/report.ts';
import type { WorldView } from '../../src/host/view.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const WAIT_MS_MAX = 90_000;

export interface Up {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  readonly folder: string;
  /** Everything on standard output, once it ended. */
  readonly out: Promise<string>;
  readonly err: Promise<string>;
}

export function folderOf(t: TestContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'bm-up-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  return join(parent, 'world');
}

export function up(t: TestContext, folder: string, ...words: string[]): Up {
  const child = spawn(
    process.execPath,
    [...process.execArgv, MAIN, 'up', '--data', folder, ...words],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.after(() => child.kill('SIGKILL'));
  return { process: child, folder, out: text(child.stdout), err: text(child.stderr) };
}

export async function ask({ folder }: Up, question: Question): Promise<Answer | undefined> {
  const reply = await askControl(folder, question);
  return reply.kind === 'answered' ? (reply.answer as Answer) : undefined;
}

/** Looks at the world until it is as wanted. */
export async function until(world: Up, wanted: (view: WorldView) => boolean): Promise<WorldView> {
  let latest: Answer | undefined;
  for (let waitedMs = 0; waitedMs < WAIT_MS_MAX; waitedMs += 200) {
    const answer = await ask(world, { kind: 'status' });
    if (answer?.kind === 'status' && wanted(answer.view)) return answer.view;
    latest = answer;
    if (world.process.exitCode !== null) assert.fail(`it ended: ${await world.err}`);
    await sleep(200);
  }
  return assert.fail(`the world did not become what was waited for: ${JSON.stringify(latest)}`);
}

export async function end(world: Up, signal: NodeJS.Signals): Promise<number | null> {
  world.process.kill(signal);
  await once(world.process, 'exit');
  return world.process.exitCode;
}

/** The processes that run now. */
export const pidsOf = (view: WorldView): readonly number[] => view.nodes.flatMap(({ pid }) => pid ?? []);
export const allUp = (view: WorldView): boolean => view.nodes.every(({ condition }) => condition === 'up');
/** For `until`: more than so many trades were acknowledged. */
export function traded(than: number): (view: WorldView) => boolean {
  return (view) => (view.crowd?.trades ?? 0) > than;
}

/** The report that `--json` leaves in the last line. */
export async function reportOf(world: Up): Promise<Report> {
  return JSON.parse((await world.out).trimEnd().split('\n').at(-1) ?? '') as Report;
}
