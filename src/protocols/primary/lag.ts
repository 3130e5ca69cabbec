// Replication lag: how far each copy trails the primary, in entries and in time.
//
// Every copy tells all others where it is, so that each of them knows, also when the primary is gone.
// Who was never heard of trails infinitely far. Time is measured by the replica itself (`reads.ts`).
// Source: seed, "Replication lag" (healthy = less than 100 entries).
import type { NodeId } from '../../base/id.ts';
import type { Message, Whereabouts } from './messages.ts';
import type { CopyState } from './state.ts';

type Of<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

export interface CopyLag {
  readonly node: NodeId;
  /** `undefined`: never heard of. */
  readonly at: Whereabouts | undefined;
  /** Infinity when it can not be told. */
  readonly entries: number;
  readonly isHealthy: boolean;
}

export function ownWhereabouts(s: CopyState): Whereabouts {
  return {
    promised: s.promised,
    last: { epoch: s.log.lastEpoch, sequence: s.log.last },
    applied: s.applied,
    isBlank: s.isBlank,
    lagMs: lagMs(s),
  };
}

export function tellWhereabouts(s: CopyState, wantsReply: boolean): void {
  s.whereaboutsDueMs = s.nowMs + s.options.whereaboutsMs;
  for (const node of s.others) tell(s, node, wantsReply);
}

export function onWhereabouts(s: CopyState, from: NodeId, message: Of<'whereabouts'>): void {
  s.whereabouts.set(from, { ...message.at, heardMs: s.nowMs });
  if (message.wantsReply) tell(s, from, false);
}

/** Of all copies, in the order of the topology. */
export function lags(s: CopyState): readonly CopyLag[] {
  return s.options.copies.map((node) => {
    const at = node === s.self ? ownWhereabouts(s) : whereaboutsOf(s, node);
    const entries = at === undefined || at.isBlank ? Number.POSITIVE_INFINITY : entriesBehind(s, at);
    return { node, at, entries, isHealthy: entries < s.options.lagEntriesMax };
  });
}

/** Answers to appends tell a primary sooner than the word of each second. */
function whereaboutsOf(s: CopyState, node: NodeId): Whereabouts | undefined {
  const told = s.whereabouts.get(node);
  const progress = s.isPrimary ? s.progress.get(node) : undefined;
  if (told === undefined || progress === undefined) return told;
  if (progress.match === 0 || progress.isBlank) return told;
  const { match } = progress;
  const isFurther = match > told.last.sequence;
  const last = isFurther ? { epoch: s.log.epochAt(match) ?? told.last.epoch, sequence: match } : told.last;
  return { ...told, last, applied: Math.max(told.applied, progress.applied), isBlank: false };
}

/** A replica that trails too far, or does not know how far, serves no bounded read. */
export function isHealthy(s: CopyState): boolean {
  return s.isPrimary || entriesBehind(s, { applied: s.applied }) < s.options.lagEntriesMax;
}

function entriesBehind(s: CopyState, { applied }: { readonly applied: number }): number {
  const last = s.isPrimary ? s.log.last : s.primaryLast;
  return last === undefined ? Number.POSITIVE_INFINITY : Math.max(0, last - applied);
}

function lagMs(s: CopyState): number {
  if (s.isPrimary) return 0;
  return s.reads.freshMs === Number.NEGATIVE_INFINITY ? -1 : s.nowMs - s.reads.freshMs;
}

function tell(s: CopyState, to: NodeId, wantsReply: boolean): void {
  const message = { kind: 'whereabouts', epoch: s.promised, at: ownWhereabouts(s), wantsReply } as const;
  // Only what is on our disk may be told: a promise above all.
  s.sendDurable(to, message);
}
