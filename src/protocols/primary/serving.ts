// Whether this copy may serve a read: the rules behind `reads.ts`.
//
// `copy.ts` asks for each read, and again whenever something changed.
// Invariants: without its lease a primary serves nothing; a replica serves only a state that lies wholly
// in its primary's log, and only while it is healthy.
import { isHealthy } from './lag.ts';
import { type Bound, READ_WAIT_MS, READS_WAITING_MAX, type ResolvedRead } from './reads.ts';
import type { CopyState } from './state.ts';

type Verdict = 'serve' | 'wait' | 'move';

/** Decides at once where that is possible; the rest waits for `resolveReads`. */
export function beginRead(s: CopyState, ticket: number, bound: Bound): ResolvedRead | undefined {
  const sinceMs = s.nowMs - (bound.kind === 'atMostMsOld' ? bound.ms : 0);
  const verdict = judge(s, bound, sinceMs);
  const isFull = s.reads.waiting.length >= READS_WAITING_MAX;
  if (verdict !== 'wait' || isFull) return { ticket, serves: verdict === 'serve' };
  const untilMs = s.nowMs + READ_WAIT_MS;
  if (bound.kind === 'atMostMsOld') askPrimary(s);
  s.reads.waiting.push({ ticket, bound, sinceMs, untilMs });
  return undefined;
}

export function resolveReads(s: CopyState): void {
  const { reads } = s;
  if (reads.waiting.length === 0) return;
  reads.waiting = reads.waiting.filter(({ ticket, bound, sinceMs, untilMs }) => {
    const verdict = judge(s, bound, sinceMs);
    if (verdict === 'wait' && s.nowMs < untilMs) return true;
    s.outbox.reads.push({ ticket, serves: verdict === 'serve' });
    return false;
  });
}

function judge(s: CopyState, bound: Bound, sinceMs: number): Verdict {
  if (s.isPrimary) return judgeAtPrimary(s, bound);
  if (bound.kind === 'primary' || s.primary === undefined) return 'move';
  if (s.needsState || s.installing !== undefined || s.isBlank || !isHealthy(s)) return 'move';
  if (!s.isOfEpoch) return 'wait';
  if (bound.kind === 'atMostMsOld') return s.reads.freshMs >= sinceMs ? 'serve' : 'wait';
  if (bound.sequence <= s.applied) {
    // A place that the log has lost can not be read any more, here or anywhere: the primary decides.
    return s.log.epochAt(bound.sequence) === bound.epoch ? 'serve' : 'move';
  }
  return bound.epoch > s.promised ? 'move' : 'wait';
}

function judgeAtPrimary(s: CopyState, bound: Bound): Verdict {
  if (!s.isServing) return 'move';
  if (bound.kind === 'atLeast' && bound.epoch > s.promised) return 'move';
  // What its log held when it was appointed is the region's state; before that is applied, it is not. With
  // the opening of its epoch applied the answer also bears that epoch: who knew a place that was lost can
  // tell that another log answers.
  return s.applied >= s.start && s.log.epochAt(s.applied) === s.promised ? 'serve' : 'wait';
}

/** One question on its way is enough for all that wait: each append brings the newest stamp back. */
function askPrimary(s: CopyState): void {
  if (s.primary === undefined) return;
  s.sendNow(s.primary, { kind: 'level', epoch: s.promised, stamp: s.stamp });
}
