// Links that the kernel breaks, where this machine allows it: a drill that ends well, and one that is killed.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const PACKET_NEMESES = 'isolate,one-way,reset,lossy-links,slow-links';

/** Why no kernel can break links here; `false` where it can. */
function whyNotHere(): string | false {
  const isRoot = process.getuid?.() === 0;
  const flags = isRoot ? ['--net'] : ['--user', '--map-root-user', '--net'];
  const words = [...flags, '--', 'sh', '-ec', 'ip link set lo up; nft list ruleset'];
  const { status, error, stderr } = spawnSync('unshare', words, { encoding: 'utf8' });
  return status !== 0 && `no rules for packets on this machine: ${error?.message ?? stderr}`;
}

const skip = whyNotHere();

function drill(t: TestContext, ...words: string[]) {
  const parent = mkdtempSync(join(tmpdir(), 'bm-kernel-'));
  t.after(() => rmSync(parent, { recursive: true, force: true, maxRetries: 5 }));
  const all = ['chaos', '--kernel', '--out', join(parent, 'out'), '--clients', '6', ...words];
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...all], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: parent },
  });
  t.after(() => child.kill('SIGKILL'));
  return { parent, child, said: text(child.stdout), told: text(child.stderr) };
}

/** How many living processes were started with this path among their words. */
function processesNaming(path: string): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(path);
    } catch {
      return false; // It ended meanwhile.
    }
  }).length;
}

test('a drill whose packets the kernel drops, refuses and holds back ends well', { skip }, async (t) => {
  const { parent, child, said, told } = drill(t, '--for', '8s', '--seed', '5', '--nemesis', PACKET_NEMESES);
  await once(child, 'exit');
  assert.equal(child.exitCode, 0, `${await said}\n${await told}`);
  // A gate inside the nodes loses whole frames, and TCP never knows.
  assert.match(await said, /the kernel sent [1-9]\d* segments again/);
  assert.deepEqual(readdirSync(parent), ['out']);
});

test('nothing of a drill is left when it is killed, neither process nor network', { skip }, async (t) => {
  const { parent, child } = drill(t, '--for', '60s', '--seed', '5', '--nemesis', 'isolate');
  while (processesNaming(`${parent}/bluemarble-chaos-`) < 9) await sleep(50);
  const networkOf = (pid: number | 'self'): string => readlinkSync(`/proc/${pid}/ns/net`);
  assert.notEqual(networkOf(child.pid ?? 'self'), networkOf('self'));
  child.kill('SIGKILL');
  while (processesNaming(parent) > 0) await sleep(50);
});
