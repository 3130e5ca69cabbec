// Who may be primary: promises that fence the older, appointments, and how a world's first epoch begins.
//
// `copy.ts` calls it. Who becomes primary is decided elsewhere, out of the promises of a majority of the
// copies: it holds what is longest by (epoch, sequence), so that it holds all that a majority had.
// Invariants: a copy that has lost what it may have acknowledged says so and is not counted. An empty log
// is begun only by whom placement chose for that very promise, empty, in this life; or, where there is no
// placement, by the first copy when all say that they have never held anything. A majority would not do:
// one of it may have lost a disk, and the missing one may have the other copy of the log.
import type { NodeId } from '../../base/id.ts';
import type { Message } from './messages.ts';
import { becomePrimary } from './primary.ts';
import type { CopyState } from './state.ts';

type Of<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

const FIRST_EPOCH = 1;

/**
 * From now on nothing of an epoch below `epoch` is heard here; the answer is told when it is durable. It
 * says where the log ends: a copy that is installing a state knows that only when it has.
 */
export function promise(s: CopyState, epoch: number, ticket: number): void {
  if (epoch > s.promised) s.raisePromise(epoch, undefined);
  s.promisesAsked.push(ticket);
  if (s.installing === undefined) answerPromises(s);
}

export function answerPromises(s: CopyState): void {
  for (const ticket of s.promisesAsked) answerPromise(s, ticket);
  s.promisesAsked = [];
}

function answerPromise(s: CopyState, ticket: number): void {
  if (s.isBlank) s.promisedBlank = s.promised;
  s.outbox.promises.push({
    ticket,
    promised: {
      epoch: s.promised,
      lastEpoch: s.log.lastEpoch,
      lastSequence: s.log.last,
      isBlank: s.isBlank,
    },
  });
}

export interface Appointment {
  readonly epoch: number;
  readonly primary: NodeId;
  /** The sequence at which the primary's log ended when it was chosen. */
  readonly start: number;
}

/** Takes the appointment unless a later one, or a promise, has overtaken it. */
export function appoint(s: CopyState, { epoch, primary, start }: Appointment, wallMs: number): void {
  if (epoch < s.promised || (epoch === s.promised && s.primary !== undefined)) return;
  if (primary === s.self && !mayLead(s, epoch, start)) {
    // Our disk is not what was chosen: nobody serves until another is appointed.
    if (epoch > s.promised) s.raisePromise(epoch, undefined);
    return;
  }
  s.raisePromise(epoch, primary);
  if (primary === s.self) becomePrimary(s, wallMs);
}

/** A message of the primary of its epoch; false when it is to be refused. */
export function follows(s: CopyState, from: NodeId, epoch: number): boolean {
  if (epoch < s.promised) {
    s.sendDurable(from, { kind: 'refused', epoch: s.promised });
    return false;
  }
  s.raisePromise(epoch, from);
  return true;
}

/** Someone has promised more than we lead: we are the primary of nothing any more. */
export function onRefused(s: CopyState, { epoch }: Of<'refused'>): void {
  if (epoch > s.promised) s.raisePromise(epoch, undefined);
}

/** Whether the first copy waits to begin the log, without placement and where nothing ever was. */
export function isFounding(s: CopyState): boolean {
  if (!s.options.foundsItself || s.options.copies[0] !== s.self || s.promised > FIRST_EPOCH) return false;
  return s.isBlank && s.log.last === 0 && s.primary === undefined;
}

/** Begins the log if no copy has ever held anything. */
export function found(s: CopyState, wallMs: number): void {
  if (!isFounding(s)) return;
  const isUntouched = (node: NodeId): boolean => {
    const at = s.whereabouts.get(node);
    return at !== undefined && at.isBlank && at.last.sequence === 0 && at.promised <= FIRST_EPOCH;
  };
  if (!s.others.every(isUntouched)) return;
  s.raisePromise(FIRST_EPOCH, s.self);
  becomePrimary(s, wallMs);
}

/** After a restart in the first epoch nobody needs to be told who leads it; in later ones placement tells. */
export function resumeFirstEpoch(s: CopyState, wallMs: number): void {
  const [first] = s.options.copies;
  if (!s.options.foundsItself || first !== s.self || s.isBlank) return;
  if (s.promised !== FIRST_EPOCH || s.log.lastEpoch !== FIRST_EPOCH) return;
  s.raisePromise(FIRST_EPOCH, s.self);
  becomePrimary(s, wallMs);
}

/** What was chosen is what we hold: our last entry of then, or entries of this very epoch after it. */
function mayLead(s: CopyState, epoch: number, start: number): boolean {
  if (s.installing !== undefined) return false;
  // Chosen in spite of being blank: then with just the log with which this process said so.
  if (s.isBlank) return s.log.last === start && s.promisedBlank === epoch;
  if (s.log.last < start) return false;
  return s.log.lastEpoch === epoch || s.log.last === start;
}
