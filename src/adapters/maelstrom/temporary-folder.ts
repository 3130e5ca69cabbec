// A data folder for as long as this process lives.
//
// `cli/maelstrom` opens one where no folder is given. Maelstrom ends its nodes by SIGKILL, which leaves
// the folder behind: the next node that starts on the machine clears away those of dead processes.
// Limit: processes that can not see each other must not share the machine's temporary folder.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'bluemarble-maelstrom-';
const NAME = /^bluemarble-maelstrom-(\d+)-\w+$/;

/** The folder's path; it is removed when the process exits. */
export function openTemporaryFolder(): string {
  for (const name of readdirSync(tmpdir())) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && isDead(Number(pid))) clear(join(tmpdir(), name));
  }
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  process.on('exit', () => clear(folder));
  return folder;
}

function isDead(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (cause) {
    return cause instanceof Error && 'code' in cause && cause.code === 'ESRCH';
  }
}

function clear(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Another user's: what can not be removed is not ours.
  }
}
