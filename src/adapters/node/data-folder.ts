// Whose data folder this is: one node of one world, one living process at a time.
//
// `cli/node.ts` claims the folder before it opens anything in it. The marker file says which node's
// memory lies here: a member that started with another's could undo what it voted for. The lock is
// an empty file whose name says who holds it, so it is there with all it says or not at all. Each
// process makes its own and then looks for others: two at once may both be refused, never both be
// let in.
// Limit: processes that can not see each other (containers on a shared folder) are not told apart.
import fs from 'node:fs';
import { join, resolve } from 'node:path';
import type { NodeId } from '../../base/id.ts';
import { makeWithParents } from './process-files.ts';
import { StartError } from './start-error.ts';

const FORMAT = 1;
const MARKER = 'node.json';
const TEMPORARY = '.tmp';
const LOCK = /^lock-(\d+)-(\w+)$/;
/** Where a process's start can not be told, its number alone must do. */
const START_UNKNOWN = 'unknown';

export interface DataFolderClaim {
  readonly folder: string;
  readonly world: string;
  readonly node: NodeId;
}

/**
 * Makes the folder this node's own until `release`; a dead process's lock is taken over. Throws a
 * `StartError` when the folder can not be written, belongs to something else, or is in use.
 */
export function claimDataFolder(claim: DataFolderClaim): { release(): void } {
  const { folder } = claim;
  let lock: string | undefined;
  try {
    makeWithParents(resolve(folder));
    refuseForeign(folder);
    lock = takeLock(folder);
    checkMarker(claim);
  } catch (cause) {
    if (lock !== undefined) fs.rmSync(lock, { force: true });
    if (cause instanceof StartError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(
      `The data folder ${folder} can not be used (${reason}): ` +
        'let this user write there, or choose another folder with --data.',
      { cause },
    );
  }
  const held = lock;
  return { release: () => fs.rmSync(held, { force: true }) };
}

function refuseForeign(folder: string): void {
  const names = fs.readdirSync(folder);
  if (names.includes(MARKER)) return;
  const foreign = names.find((name) => !LOCK.test(name) && !name.endsWith(TEMPORARY));
  if (foreign === undefined) return;
  throw new StartError(
    `The data folder ${folder} holds ${foreign} and is not a BlueMarble node's: ` +
      'choose an empty or a new folder with --data.',
  );
}

/** The lock's path. */
function takeLock(folder: string): string {
  const own = `lock-${process.pid}-${startOf(process.pid) ?? START_UNKNOWN}`;
  if (fs.existsSync(join(folder, own))) throw inUse(folder, process.pid);
  fs.writeFileSync(join(folder, own), '');
  for (const name of fs.readdirSync(folder)) {
    const [, pid, start] = LOCK.exec(name) ?? [];
    if (pid === undefined || start === undefined || name === own) continue;
    if (isAlive(Number(pid), start)) {
      fs.rmSync(join(folder, own), { force: true });
      throw inUse(folder, Number(pid));
    }
    fs.rmSync(join(folder, name), { force: true });
  }
  return join(folder, own);
}

function inUse(folder: string, pid: number): StartError {
  return new StartError(
    `The data folder ${folder} is in use by process ${pid}: ` +
      'stop that process, or choose another folder with --data.',
  );
}

function isAlive(pid: number, start: string): boolean {
  const now = startOf(pid);
  if (now !== undefined || start !== START_UNKNOWN) return now === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * When a living process started, as a word that no other process of its number has; `undefined`
 * when it is dead or this machine does not tell.
 */
function startOf(pid: number): string | undefined {
  try {
    const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in brackets may hold anything; the state is field 3, the start field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, start] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X' || start === undefined) return undefined;
    return `${boot}${start}`;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

function checkMarker(claim: DataFolderClaim): void {
  const { folder, world, node } = claim;
  const file = join(folder, MARKER);
  if (!fs.existsSync(file)) {
    const marker = JSON.stringify({ format: FORMAT, world, node });
    fs.writeFileSync(file + TEMPORARY, `${marker}\n`, { flush: true });
    fs.renameSync(file + TEMPORARY, file);
    return;
  }
  const marker = readMarker(file);
  if (typeof marker['format'] !== 'number') {
    throw new StartError(
      `The marker ${file} can not be read: restore it, or choose another folder with --data.`,
    );
  }
  if (marker['format'] > FORMAT) {
    throw new StartError(
      `The data folder ${folder} was written by a newer BlueMarble ` +
        `(format ${marker['format']}, this one knows ${FORMAT}): start the newer version.`,
    );
  }
  if (marker['world'] === world && marker['node'] === node) return;
  throw new StartError(
    `The data folder ${folder} belongs to node ${String(marker['node'])} of the world ` +
      `"${String(marker['world'])}", not to node ${node} of "${world}": ` +
      'choose another folder with --data.',
  );
}

function readMarker(file: string): Readonly<Record<string, unknown>> {
  try {
    const marker: unknown = JSON.parse(fs.readFileSync(file, 'utf8'));
    return typeof marker === 'object' && marker !== null ? { ...marker } : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
