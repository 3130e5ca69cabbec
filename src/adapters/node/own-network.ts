// A network of this process's own, whose packets the kernel drops, refuses or holds back on demand.
//
// `bluemarble chaos --kernel` moves into one before it starts a world. It is a network namespace with nothing
// in it but the loopback: the rules that are loaded here concern nobody else on the machine, and the kernel
// forgets all of it when the last process in it has ended, in whatever way. So there is nothing to clean up.
// Nodes that are to be told apart speak from addresses of their own, 127.0.1.1 and so on.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { StartError } from './start-error.ts';

/** Which network the process came from; one that is there already has another. */
const CAME_FROM = 'BLUEMARBLE_CAME_FROM_NETWORK';
const TOOL_MS_MAX = 10_000;
/** Nothing is left on the way when the delayer is missing: what nobody reads passes. */
const DELAY_RULE = 'iptables -A INPUT -m mark ! --mark 0 -j NFQUEUE --queue-num 0 --queue-bypass';

/**
 * Starts this command anew in a network of its own, and returns only once it runs there. Throws
 * `StartError` when this machine does not allow it.
 */
export function enterOwnNetwork(): void {
  if (process.platform !== 'linux') throw cannot('only Linux has network namespaces');
  const here = readlinkSync('/proc/self/ns/net');
  const cameFrom = process.env[CAME_FROM];
  if (cameFrom !== undefined && cameFrom !== here) return;
  // Who is not root is root in a namespace of users too, where the machine allows that.
  const flags = process.getuid?.() === 0 ? ['--net'] : ['--user', '--map-root-user', '--net'];
  const inside = [...flags, '--', 'sh', '-ec'];
  run('unshare', [...inside, 'ip link set lo up; nft list ruleset']);
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(
    '/bin/sh',
    ['sh', '-c', 'exec unshare "$@"', 'sh', ...inside, 'ip link set lo up; exec "$@"', 'sh', ...command],
    { ...process.env, [CAME_FROM]: here },
  );
}

/** Replaces all rules by these, at once. Throws `StartError` when the kernel refuses them. */
export function loadRules(rules: string): void {
  run('nft', ['-f', '-'], rules);
}

export type Delayer =
  | { readonly kind: 'runs'; end(): void }
  /** Not on this machine, and why. */
  | { readonly kind: 'absent'; readonly reason: string };

/** Runs the program that holds marked packets back; it ends with this process at the latest. */
export function startDelayer(program: string): Delayer {
  const [command = '', ...words] = DELAY_RULE.split(' ');
  const ruled = spawnSync(command, words, { encoding: 'utf8', timeout: TOOL_MS_MAX });
  if (ruled.status !== 0) return { kind: 'absent', reason: whyNot(command, ruled) };
  const child = spawn(program, [], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
  return { kind: 'runs', end: () => void child.kill('SIGKILL') };
}

/** How many segments TCP had to send again since this network exists. */
export function retransmittedSegments(): number {
  const [names = [], values = []] = readFileSync('/proc/self/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('RetransSegs')] ?? 0);
}

function run(command: string, words: readonly string[], input: string = ''): void {
  const result = spawnSync(command, words, { encoding: 'utf8', input, timeout: TOOL_MS_MAX });
  if (result.status !== 0) throw cannot(whyNot(command, result));
}

function whyNot(command: string, result: ReturnType<typeof spawnSync>): string {
  if (result.error !== undefined) return `there is no command ${command}`;
  const [line = ''] = String(result.stderr).split('\n');
  return `${command} says: ${line}`;
}

function cannot(reason: string): StartError {
  return new StartError(
    `The kernel can not break links here (${reason}): install nftables and iproute2, run as root, or leave ` +
      '--kernel out.',
  );
}
