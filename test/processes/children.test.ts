// Real child processes: their ends, their last words, and that none outlives whoever started it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type Child, type Ended, startChild } from '../../src/adapters/node/children.ts';
import { isGone } from '../support/processes.ts';

const CHILDREN = new URL('../../src/adapters/node/children.ts', import.meta.url).href;

function scriptIn(t: TestContext, code: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'bm-children-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const script = join(folder, 'child.mjs');
  writeFileSync(script, code);
  return script;
}

function start(script: string, args: readonly string[] = []) {
  const messages: unknown[] = [];
  const ended = Promise.withResolvers<Ended>();
  const heard = Promise.withResolvers<unknown>();
  const child: Child = startChild(
    { script, args, stderrFile: `${script}.stderr` },
    {
      message: (message) => {
        messages.push(message);
        heard.resolve(message);
      },
      ended: ended.resolve,
    },
  );
  return { child, messages, ended: ended.promise, heard: heard.promise };
}

test('the end of a child tells its exit code and its last words', async (t) => {
  const script = scriptIn(t, `process.stderr.write('it hurts\\n'); process.exitCode = 3;`);
  const first = await start(script).ended;
  assert.deepEqual(first, { code: 3, signal: undefined, tail: 'it hurts' });
  assert.equal((await start(script).ended).tail, 'it hurts');
});

test('a child that was killed tells the signal', async (t) => {
  const script = scriptIn(t, `process.send('up'); setInterval(() => {}, 1000);`);
  const { child, ended, heard } = start(script);
  await heard;
  child.signal('SIGKILL');
  assert.equal((await ended).signal, 'SIGKILL');
});

test('parent and child tell each other things', async (t) => {
  const script = scriptIn(
    t,
    `import { openParentLink } from '${CHILDREN}';
     const parent = openParentLink();
     parent.listen({
       async message(message) {
         for (let i = 0; i < 1000; i++) parent.report({ number: i });
         await parent.deliver({ echo: message, words: process.argv.slice(2) });
         parent.close();
       },
       closed() {},
     });
     parent.report({ kind: 'ready' });`,
  );
  const { child, messages, ended, heard } = start(script, ['a', 'b']);
  assert.deepEqual(await heard, { kind: 'ready' });
  child.tell({ kind: 'finish' });
  assert.equal((await ended).code, 0);
  assert.deepEqual(messages.at(-1), { echo: { kind: 'finish' }, words: ['a', 'b'] });
  assert.ok(messages.length < 1000, 'what may be lost is bounded');
});

test('a process that nobody started has no parent to talk to', async () => {
  const code = `import { openParentLink } from '${CHILDREN}';
    process.exitCode = openParentLink() === undefined ? 7 : 8;`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
  assert.equal((await once(child, 'exit'))[0], 7);
});

test('children end when their parent is killed, also one that was paused', async (t) => {
  const child = scriptIn(
    t,
    `import { openParentLink } from '${CHILDREN}';
     const parent = openParentLink();
     parent.listen({ message() {}, closed: () => process.exit(0) });
     parent.report({ pid: process.pid });
     setInterval(() => {}, 1000);`,
  );
  const parent = scriptIn(
    t,
    `import { startChild } from '${CHILDREN}';
     const pids = [];
     const start = (paused) => {
       const child = startChild(
         { script: '${child}', args: [], stderrFile: '${child}.stderr' },
         { message({ pid }) {
             if (paused) child.signal('SIGSTOP');
             pids.push(pid);
             if (pids.length === 2) process.stdout.write(JSON.stringify(pids) + '\\n');
           },
           ended() {} });
     };
     start(true);
     start(false);`,
  );
  const supervisor = spawn(process.execPath, [parent], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(supervisor.stdout, 'data');
  supervisor.kill('SIGKILL');
  await once(supervisor, 'exit');
  for (const pid of JSON.parse(String(line))) assert.ok(await isGone(pid), `${pid} lives on`);
});
