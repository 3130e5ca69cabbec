// The calls of a regional history, read strictly: what was asked, how safe or how new, what was answered.
//
// `channels`, `workshops`, `rare-items` and `sessions` read operations with it. A value that does not fit
// is refused with its line. Fields that nobody judges are let through: a recorder may write down the rest.
import { type Initial, isObject, type Operation } from '../history.ts';
import { amountOf, fieldsOf, listOf, nameOf, objectOf, refuse } from '../reading.ts';

/** How safe a command was when it was answered. */
export type Level = 'one' | 'quorum' | 'all';
const LEVELS: ReadonlySet<unknown> = new Set<Level>(['one', 'quorum', 'all']);

/** What a history says of its world before anything happens. */
export interface Facts {
  readonly regions: readonly string[];
  readonly channels: readonly string[];
  /** Channels that come to show the same in all regions. */
  readonly shared: readonly string[];
  /** A reading of so many messages may have forgotten older ones. */
  readonly remembered: number;
}

/** The place of a state in a region's log. */
export interface Place {
  readonly epoch: number;
  readonly order: number;
}

/** How new an answer must be, beside what the session itself did and saw. */
export interface Bound {
  /** So old at most; `undefined`: that is not asked for. */
  readonly msOld: number | undefined;
  /** What it must have seen. */
  readonly place: Place | undefined;
}

export interface JobShown {
  readonly job: number;
  readonly state: string;
  /** The rare item that goes into it, and the one that it became; 0 for none. */
  readonly item: number;
  readonly made: number;
}

export function factsOf({ common }: Initial): Facts {
  const fields = fieldsOf('init', common, ['regions', 'channels', 'shared', 'remembered']);
  const names = (field: string): readonly string[] =>
    listOf('init', fields[field], field).map((name) => nameOf('init', name, `a name in ${field}`));
  const remembered = amountOf('init', fields['remembered'], 'a number of messages in remembered');
  return { regions: names('regions'), channels: names('channels'), shared: names('shared'), remembered };
}

/** A field of what was asked. */
export function asked(operation: Operation, field: string): unknown {
  return objectOf(operation, operation.input, 'what was asked')[field];
}

/** A field of what was answered. */
export function answered(operation: Operation, field: string): unknown {
  return objectOf(operation, operation.result, 'what was answered')[field];
}

export function regionOf(operation: Operation): string {
  if (operation.key !== '') return operation.key;
  refuse(operation, 'needs a region as its key');
}

export function levelOf(operation: Operation): Level {
  const level = asked(operation, 'level');
  if (isLevel(level)) return level;
  refuse(operation, 'needs a level: one, quorum or all');
}

/** The place in the region's log that the answer claims for a command. */
export function placeOf(operation: Operation): number {
  if (operation.order !== undefined) return operation.order;
  refuse(operation, 'needs an order with its answer');
}

/** The state that an answer comes from, where it says so. */
export function stateOf({ order, result }: Operation): Place | undefined {
  const epoch = isObject(result) ? result['epoch'] : undefined;
  return typeof epoch === 'number' && order !== undefined ? { epoch, order } : undefined;
}

/** Over which link of its process an answer came, where the history tells; else all came over one. */
export function linkOf({ result }: Operation): unknown {
  return isObject(result) ? result['link'] : undefined;
}

export function boundOf(operation: Operation): Bound {
  const bound = isObject(operation.input) ? operation.input['bound'] : undefined;
  if (bound === undefined) return { msOld: undefined, place: undefined };
  const { msOld, epoch, order } = fieldsOf(operation, bound, ['msOld', 'epoch', 'order']);
  if (msOld !== undefined) return { msOld: amountOf(operation, msOld, 'an age'), place: undefined };
  const place = {
    epoch: amountOf(operation, epoch, 'an epoch'),
    order: amountOf(operation, order, 'an order'),
  };
  return { msOld: undefined, place };
}

export function jobsShown(operation: Operation): readonly JobShown[] {
  return listOf(operation, answered(operation, 'jobs'), 'jobs').map((value) => {
    const { job, state, item, made } = objectOf(operation, value, 'a job');
    return {
      job: amountOf(operation, job, 'a job'),
      state: nameOf(operation, state, 'a state'),
      item: amountOf(operation, item, 'an item'),
      made: amountOf(operation, made, 'what was made'),
    };
  });
}

function isLevel(level: unknown): level is Level {
  return LEVELS.has(level);
}
