// Who becomes primary of a region: the search for a successor and the choice among those who promised.
//
// `features/placement` asks after every command. Pure: a region and what is known of nodes come in, the
// region as it is from then on comes out. A search is a fence: every copy is asked to promise that it
// refuses what epochs before say, and to tell how far its log reaches.
// 1. Whoever is appointed holds the highest (epoch, sequence) among a majority of the copies that
//    promised, so nothing that a majority had on disk is lost while a majority of the copies lives.
// 2. A blank copy, and one that has failed by the witnesses' word, does not count in that majority. Only
//    where nothing ever was, or where every copy is blank, an empty log is begun; and a log that no copy
//    has more of than its opening goes on.
// 3. An epoch is given to one primary, ever.
// 4. Nobody is appointed while the former primary may hold its lease: it has promised, or it has failed by
//    the word of witnesses who acknowledge nothing to it before they have taken that back.
// Only `forced` breaks the first rule, at an operator's word, and where the majority is gone.
// Source: Lampson 1996 and Raft 5.4.1 for the choice; seed, Part III.1 for the roles.
import { invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import { majority } from '../../base/quorum.ts';
import {
  type Appointment,
  APPOINTMENTS_MAX,
  type CopyPromise,
  type Position,
  type Search,
  type SoughtRegion,
} from '../../wire/placement.ts';

/** After so long a region that was meant for one copy goes to the freshest, whoever that is. */
const PATIENCE_MS_MAX = 3_000;

/** The sequence of the entry with which a log's first epoch opens. */
const OPENING = 1;

/** Begins a search, or turns the one under way into this one: its epoch and its promises stay good. */
export function search(
  region: SoughtRegion,
  o: Pick<Search, 'cause' | 'to'>,
  nowMs: number,
): SoughtRegion {
  const { epoch, promises } = region.search ?? { epoch: region.epoch + 1, promises: [] };
  return { ...region, search: { ...o, epoch, promises, sinceMs: nowMs } };
}

/** Adds a promise to the search under way; the first word of a copy stands, unless it turned blank. */
export function promised(region: SoughtRegion, promise: CopyPromise): SoughtRegion {
  const { search: sought } = region;
  invariant(sought !== null, 'a promise is given to a search');
  const before = sought.promises.find(({ node }) => node === promise.node);
  if (before !== undefined && (before.isBlank || !promise.isBlank)) return region;
  const others = sought.promises.filter(({ node }) => {
    return node !== promise.node && region.copies.includes(node);
  });
  return { ...region, search: { ...sought, promises: [...others, promise] } };
}

/** The region after its search has ended, or `undefined` while it must go on. */
export function succeeded(
  region: SoughtRegion,
  hasFailed: (node: NodeId) => boolean,
  nowMs: number,
): SoughtRegion | undefined {
  const sought = region.search;
  if (sought === null) return undefined;
  const chosen = choose(region, sought, hasFailed, nowMs);
  if (chosen === undefined) return undefined;
  invariant(sought.epoch > region.epoch, 'an epoch is given to one primary');
  const { node: primary, last: start } = chosen;
  const appointment: Appointment = {
    epoch: sought.epoch,
    primary,
    former: region.primary,
    cause: sought.cause,
    atMs: nowMs,
    start,
    mayLose: beyond(start, sought.promises),
    lost: [],
  };
  return {
    ...region,
    epoch: sought.epoch,
    primary,
    start,
    search: null,
    appointments: [...region.appointments, appointment].slice(-APPOINTMENTS_MAX),
  };
}

function choose(
  { copies, primary }: SoughtRegion,
  { cause, to, sinceMs, promises }: Search,
  hasFailed: (node: NodeId) => boolean,
  nowMs: number,
): CopyPromise | undefined {
  const present = promises.filter(({ node }) => copies.includes(node));
  const isThere = (node: NodeId): boolean => present.some((each) => each.node === node);
  const mayLead = copies.includes(primary) && !hasFailed(primary) && cause !== 'founded';
  if (mayLead && !isThere(primary)) return undefined;
  if (cause === 'forced') return present.find(({ node }) => node === to);
  const isAll = present.length === copies.length;
  const isAllBlank = isAll && present.every(({ isBlank }) => isBlank);
  // An epoch opens with an entry that nobody waits for: nothing was ever acknowledged in such a log.
  const isOnlyBegun = isAll && present.every(({ last }) => last.sequence <= OPENING);
  // Where there was nothing yet, or where all is lost, an empty log is as good as any.
  const mayBeBlank = cause === 'founded' || isAllBlank || isOnlyBegun;
  const counted = present.filter(({ node, isBlank }) => (mayBeBlank || !isBlank) && !hasFailed(node));
  if (counted.length < majority(copies.length)) return undefined;
  const isAwaited = to !== null && !isThere(to) && !hasFailed(to);
  if (isAwaited && nowMs - sinceMs < PATIENCE_MS_MAX) return undefined;
  return counted.reduce((best, other) => (isBetter(other, best, to ?? primary) ? other : best));
}

/** Who can vouch for its log; then the farther log; then the preferred node's; then the lower id's. */
function isBetter(one: CopyPromise, other: CopyPromise, preferred: NodeId): boolean {
  if (one.isBlank !== other.isBlank) return other.isBlank;
  const order = comparePositions(one.last, other.last);
  if (order !== 0) return order > 0;
  if (one.node === preferred || other.node === preferred) return one.node === preferred;
  return one.node < other.node;
}

/** How many entries beyond the start of an epoch somebody was heard to have. */
function beyond(start: Position, promises: readonly CopyPromise[]): number {
  let most = 0;
  for (const { last, heard } of promises) {
    for (const position of [last, heard]) {
      // An entry of a later epoch may have a lower number than the start: it is one all the same.
      if (comparePositions(position, start) > 0) {
        most = Math.max(most, position.sequence - start.sequence, 1);
      }
    }
  }
  return most;
}

function comparePositions(one: Position, other: Position): number {
  return one.epoch - other.epoch || one.sequence - other.sequence;
}
