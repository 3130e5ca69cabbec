// What a member of a group wants done because of the steps since it was last asked.
//
// `node.ts` hands it to the driver, which owes the order that is said there.
// Invariant: where `hasEffects` is false, `collect` would bring nothing that the one before did not.
import type { Envelope, LogWrite, Snapshot } from './messages.ts';
import { goOnWithChange } from './reconfiguration.ts';
import { beginReads, isSendDue, sendAppends } from './replication.ts';
import { emptyOutbox, type Outbox, type RaftState, type ResolvedRead } from './state.ts';

/** What the driver must do because of the steps since the last `collect`. */
export interface Effects {
  readonly write: LogWrite | undefined;
  /** The number of `write`, or of the newest write before it. */
  readonly afterWrite: number;
  readonly sendNow: readonly Envelope[];
  readonly sendAfterWrite: readonly Envelope[];
  /** Entries up to here are committed. */
  readonly commit: number;
  readonly reads: readonly ResolvedRead[];
  readonly install: Snapshot | undefined;
  readonly snapshotWanted: boolean;
  readonly deposed: boolean;
  /** The term in which this member was elected in these steps, if it still leads. */
  readonly elected: number | undefined;
  /** What this member has become by that index is not what a majority has: it must stop. */
  readonly divergedAt: number | undefined;
}

/** Takes what the steps since the last call have decided. */
export function collect(s: RaftState): Effects {
  if (s.role === 'leader') {
    if (s.isChanging) goOnWithChange(s);
    // The change may have ended this leadership.
    if (s.role === 'leader') {
      beginReads(s);
      sendAppends(s);
    }
  }
  const out = s.outbox;
  s.outbox = emptyOutbox();
  s.commitTold = s.commit;
  const write = writeOf(s, out);
  if (write !== undefined) s.durability.issue(s.log.lastIndex, s.nowMs);
  if (out.hardStateChanged) s.hardStateAfter = s.durability.issued;
  return {
    write,
    afterWrite: s.durability.issued,
    sendNow: out.now,
    sendAfterWrite: out.afterWrite,
    commit: s.commit,
    reads: out.reads,
    install: out.install,
    snapshotWanted: isSnapshotWanted(s),
    deposed: out.deposed,
    elected: out.elected && s.role === 'leader' ? s.term : undefined,
    divergedAt: out.divergedAt,
  };
}

/** Most answers to a leader are late: the commit stood without them, and nothing follows from them. */
export function hasEffects(s: RaftState): boolean {
  if (s.commit > s.commitTold || holdsAnything(s.outbox)) return true;
  if (s.role !== 'leader') return false;
  return s.isChanging || s.reads.hasUnsent || isSendDue(s) || isSnapshotWanted(s);
}

function holdsAnything(out: Outbox): boolean {
  if (out.now.length > 0 || out.afterWrite.length > 0 || out.reads.length > 0) return true;
  if (out.hardStateChanged || out.changedFrom !== Number.POSITIVE_INFINITY || out.healed) return true;
  if (out.deposed || out.elected) return true;
  return out.reset !== undefined || out.install !== undefined || out.divergedAt !== undefined;
}

function writeOf(s: RaftState, out: Outbox): LogWrite | undefined {
  const { hardStateChanged, changedFrom, reset, healed } = out;
  const changed = changedFrom <= s.log.lastIndex;
  if (!hardStateChanged && !changed && !healed && reset === undefined) return undefined;
  return {
    entries: changed
      ? s.log.read(changedFrom, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
      : [],
    ...(hardStateChanged ? { hardState: s.hardState } : {}),
    ...(reset === undefined ? {} : { reset }),
    ...(healed ? { healUntil: 0 } : {}),
  };
}

function isSnapshotWanted({ outgoing, progress }: RaftState): boolean {
  if (outgoing !== undefined) return false;
  for (const { state } of progress.values()) if (state === 'snapshot') return true;
  return false;
}
