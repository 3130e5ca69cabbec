// Replication lag: how far each copy trails the primary, in entries and in time.
//
// Every copy tells all others where it is, so that each of them knows, also when the primary is gone.
// Who was never heard of trails infinitely far, and so does who has heard nothing of its primary for long.
// Time is measured by the replica itself (`reads.ts`).
// Source: seed, "Replication lag" (healthy = less than 100 entries).
import { majority } from '../../base/quorum.ts';
import type { NodeId } from '../../base/id.ts';
import type { Message, Whereabouts } from './messages.ts';
import type { CopyState } from './state.ts';

type Of<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

/** Longer than a replica's answers and a primary's heartbeats are ever apart where both hear each other. */
export const SILENT_MS_MAX = 3_500;
/** Words older than these say nothing of now: two are told meanwhile. */
const WORD_MS_MAX = 2_500;

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
    silentMs: silentMs(s),
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
    const isTold = at !== undefined && !at.isBlank && at.silentMs < SILENT_MS_MAX;
    const entries = isTold ? entriesBehind(s, at) : Number.POSITIVE_INFINITY;
    return { node, at, entries, isHealthy: entries < s.options.lagEntriesMax };
  });
}

/**
 * Whether a majority of the copies, this one among them, hear each other and not the primary: it can
 * commit nothing, and one of them could. A copy that is not level is no witness of that.
 */
export function isDeserted(s: CopyState): boolean {
  if (s.primary === undefined || s.isPrimary) return false;
  const isSilent = (at: Whereabouts): boolean =>
    !at.isBlank && at.promised === s.promised && at.silentMs >= SILENT_MS_MAX;
  const others = s.others.filter((node) => {
    const told = s.whereabouts.get(node);
    return node !== s.primary && told !== undefined && s.nowMs - told.heardMs < WORD_MS_MAX && isSilent(told);
  });
  const isLevel = !s.needsState && s.installing === undefined && isHealthy(s);
  return isLevel && isSilent(ownWhereabouts(s)) && others.length + 1 >= majority(s.options.copies.length);
}

/** What was told a while ago has aged since. Answers to appends tell a primary sooner than the next word. */
function whereaboutsOf(s: CopyState, node: NodeId): Whereabouts | undefined {
  const told = agedWord(s, node);
  const progress = s.isPrimary ? s.progress.get(node) : undefined;
  if (told === undefined || progress === undefined) return told;
  if (progress.match === 0 || progress.isBlank) return told;
  const { match } = progress;
  const isFurther = match > told.last.sequence;
  const last = isFurther ? { epoch: s.log.epochAt(match) ?? told.last.epoch, sequence: match } : told.last;
  return { ...told, last, applied: Math.max(told.applied, progress.applied), isBlank: false };
}

function agedWord(s: CopyState, node: NodeId): Whereabouts | undefined {
  const told = s.whereabouts.get(node);
  if (told === undefined) return undefined;
  const { heardMs, ...word } = told;
  const ageMs = s.nowMs - heardMs;
  if (node === s.primary) return word;
  return { ...word, lagMs: word.lagMs < 0 ? -1 : word.lagMs + ageMs, silentMs: word.silentMs + ageMs };
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

function silentMs(s: CopyState): number {
  return s.isPrimary ? 0 : s.nowMs - Math.max(s.reads.answeredMs, s.followsSinceMs);
}

function tell(s: CopyState, to: NodeId, wantsReply: boolean): void {
  const message = { kind: 'whereabouts', epoch: s.promised, at: ownWhereabouts(s), wantsReply } as const;
  // Only what is on our disk may be told: a promise above all.
  s.sendDurable(to, message);
}
