// Who becomes primary of a region: the search for a successor and the choice among those who promised.
//
// `features/placement` asks after every command. Pure: a region and what is known of nodes come in, the
// region as it is from then on comes out. A search is a fence: every copy is asked to promise that it
// refuses what epochs before say, and to tell how far its log reaches.
// 1. Whoever is appointed holds the highest (epoch, sequence) among a majority of the copies that
//    promised, so nothing that a majority had on disk is lost while a majority of the copies lives.
// 2. A copy that has failed by the witnesses' word does not count in that majority, and a blank one only
//    beside the primary of the newest epoch, which needs nobody to know what it may have acknowledged.
//    Only where nothing ever was an empty log is begun: where every copy is blank and something was,
//    the region is lost, and waits for an operator who knows of a disk, or takes the loss.
// 3. An epoch is given to one primary, ever.
// 4. Nobody is appointed while the former primary may hold its lease: it has promised, or it has failed by
//    the word of witnesses who acknowledge nothing to it before they have taken that back.
// 5. A deserted primary does not stand for election while a majority of the others can vouch for its log: it
//    would win by what it alone holds, and could commit nothing.
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

/** Begins a search, or turns the one under way into this one: its epoch and its promises stay good. */
export function search(
  region: SoughtRegion,
  o: Pick<Search, 'cause' | 'to'>,
  nowMs: number,
): SoughtRegion {
  const { epoch, promises } = region.search ?? { epoch: region.epoch + 1, promises: [] };
  return { ...region, search: { ...o, epoch, promises, sinceMs: nowMs } };
}

/**
 * Adds a promise to the search under way; the first word of a copy stands, unless it turned blank. Where a
 * blank one has its log back, or an earlier word of it comes late, all are asked anew, for a later epoch.
 */
export function promised(region: SoughtRegion, promise: CopyPromise): SoughtRegion {
  const { search: sought } = region;
  invariant(sought !== null, 'a promise is given to a search');
  const before = sought.promises.find(({ node }) => node === promise.node);
  if (before?.isBlank === true && !promise.isBlank) {
    return { ...region, search: { ...sought, epoch: sought.epoch + 1, promises: [] } };
  }
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
    mayLose: beyond(start, [region.start, ...sought.promises.flatMap(({ last, heard }) => [last, heard])]),
    lost: [],
  };
  return {
    ...region,
    epoch: sought.epoch,
    primary,
    start,
    isBegun: region.isBegun || start.sequence > 0,
    search: null,
    appointments: [...region.appointments, appointment].slice(-APPOINTMENTS_MAX),
  };
}

function choose(
  { copies, primary, start, isBegun }: SoughtRegion,
  { cause, to, sinceMs, promises }: Search,
  hasFailed: (node: NodeId) => boolean,
  nowMs: number,
): CopyPromise | undefined {
  const present = promises.filter(({ node }) => copies.includes(node));
  const isThere = (node: NodeId): boolean => present.some((each) => each.node === node);
  const mayLead = copies.includes(primary) && !hasFailed(primary) && cause !== 'founded';
  if (mayLead && !isThere(primary)) return undefined;
  if (cause === 'forced') return present.find(({ node }) => node === to);
  const isAllBlank = present.length === copies.length && present.every(({ isBlank }) => isBlank);
  // The primary of the newest epoch began with all that was acknowledged, and nobody has an entry of its
  // epoch that it did not have on disk before. By it alone nothing is lost; the others only fence.
  const isComplete = ({ node, isBlank, last }: CopyPromise): boolean =>
    node === primary && !isBlank && !hasFailed(node) && comparePositions(last, start) >= 0;
  // Where there was nothing yet, an empty log is as good as any.
  const isNew = cause === 'founded' || (isAllBlank && !isBegun);
  const mayBeBlank = isNew || present.some(isComplete);
  const sound = present.filter(({ node, isBlank }) => (mayBeBlank || !isBlank) && !hasFailed(node));
  if (sound.length < majority(copies.length)) return undefined;
  const isPatient = nowMs - sinceMs < PATIENCE_MS_MAX;
  if (to !== null && !isThere(to) && !hasFailed(to) && isPatient) return undefined;
  // What the deserted primary alone holds is lost with it, as if it had failed; else it would stay.
  const others = sound.filter(({ node, isBlank }) => node !== primary && !isBlank);
  const isMajority = others.length >= majority(copies.length);
  if (cause === 'deserted' && !isMajority && isPatient) return undefined;
  const counted = cause === 'deserted' && isMajority ? others : sound;
  const preferred = to === null ? [primary] : [to, primary];
  return counted.reduce((best, other) => (isBetter(other, best, preferred) ? other : best));
}

/** Who can vouch for its log; then the farther log; then the first preferred node's; then the lower id's. */
function isBetter(one: CopyPromise, other: CopyPromise, preferred: readonly NodeId[]): boolean {
  if (one.isBlank !== other.isBlank) return other.isBlank;
  const order = comparePositions(one.last, other.last);
  if (order !== 0) return order > 0;
  const first = preferred.find((node) => one.node === node || other.node === node);
  return first === undefined ? one.node < other.node : one.node === first;
}

/** How many entries beyond the start of an epoch are known to have been. */
function beyond(start: Position, known: readonly Position[]): number {
  let most = 0;
  for (const position of known) {
    // An entry of a later epoch may have a lower number than the start: it is one all the same.
    if (comparePositions(position, start) > 0) {
      most = Math.max(most, position.sequence - start.sequence, 1);
    }
  }
  return most;
}

function comparePositions(one: Position, other: Position): number {
  return one.epoch - other.epoch || one.sequence - other.sequence;
}
