// What crafting, in its regions, and holdings, in the economy, say to each other.
//
// A rare item has its one place in holdings. So the workshop asks for it by an event, and asks in the
// same way that the product be put there; holdings decide and answer by an event. Each of them is
// taken exactly once, hence nothing is taken or made twice and nothing is forgotten.
import type { EventShape } from '../../wire/events.ts';
import { integer, object, oneOf, type Schema, text } from '../../wire/schema.ts';

interface JobOf {
  readonly player: number;
  readonly job: number;
}
interface Answered extends JobOf {
  /** Why not; empty when it was done. */
  readonly reason: string;
}

const id = integer(1, Number.MAX_SAFE_INTEGER);
const kind = text(1, 32);
const reason = text(0, 64);

/** Taken by holdings: this item of his, of that kind, goes into the job. */
export const consumeItem: EventShape<JobOf & { readonly item: number; readonly kind: string }> = {
  name: 'holdings.consume',
  args: object({ player: id, job: id, item: id, kind }),
};

/** Taken by holdings: what the job took, an item of this number, has become one of that kind. */
export const makeItem: EventShape<JobOf & { readonly item: number; readonly kind: string }> = {
  name: 'holdings.make',
  args: object({ player: id, job: id, item: id, kind }),
};

/** Why holdings make nothing of an item that has become another in a past that its region forgot. */
export const ALREADY_MADE = 'already-made';

/** States of a job that end by an answer. */
export const awaiting = ['claiming', 'delivering'] as const;
export interface AwaitingJob extends JobOf {
  readonly state: (typeof awaiting)[number];
}
const awaitingJob: Schema<AwaitingJob> = object({ player: id, job: id, state: oneOf(awaiting) });

/** Taken by holdings, which give it back as it is: after it comes no answer to what was asked before. */
export const lastWord: EventShape<AwaitingJob> = { name: 'holdings.lastWord', args: awaitingJob };

/** Taken by crafting, as the answer to `lastWord`. */
export const lastWordSaid: EventShape<AwaitingJob> = {
  name: 'crafting.lastWordSaid',
  args: awaitingJob,
};

/** Taken by crafting, as the answer to `consumeItem`. */
export const itemConsumed: EventShape<Answered> = {
  name: 'crafting.consumed',
  args: object({ player: id, job: id, reason }),
};

/** Taken by crafting, as the answer to `makeItem`; `item` is 0 when none was made. */
export const itemMade: EventShape<Answered & { readonly item: number }> = {
  name: 'crafting.made',
  args: object({ player: id, job: id, item: integer(0, Number.MAX_SAFE_INTEGER), reason }),
};
