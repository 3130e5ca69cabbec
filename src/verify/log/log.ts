// The model `log`: answers that only the log of the system itself can explain, held against that log.
//
// `report` runs it. Nobody wrote a sequential truth of these calls down; but each answer names its place in
// a log, and the history says what stands there. So nothing is searched: an answer must be the one at its
// place, for this very call; what stands in the log was asked by somebody; and places keep the order of
// time. docs/histories.md names the lines. A region's log may lose what one disk alone acknowledged, and
// says so.
import type { History, Operation } from '../history.ts';
import { type InvariantVerdict, OBSERVATIONS, Sentences } from '../invariants.ts';
import { amountOf, fieldsOf } from '../reading.ts';
import { inTime } from '../schedule.ts';
import { type Asked, askedOf, LogPlaces, type Said, saidOf } from './places.ts';

/** Its name, as `--model` takes it. */
export const LOG: string = 'log';
const REGIONAL = 'regional';

/** Throws `InvalidInputError` for what it can not read. */
export function checkLog(history: History): readonly InvariantVerdict[] {
  const judge = new Judge(history);
  for (const [operation, isReturn] of inTime(history.operations)) {
    if (OBSERVATIONS.has(operation.f) || OBSERVED.has(operation.f)) continue;
    if (isReturn) judge.answered(operation);
    else judge.asked(operation);
  }
  return judge.finish();
}

const OBSERVED: ReadonlySet<string> = new Set(['log', 'applied', 'shown', 'lost']);

class Judge {
  readonly #logs = new Map<string, LogPlaces>();
  readonly #calls = new Map<Operation, Asked>();
  readonly #untrue = new Sentences();
  readonly #shared = new Sentences();
  readonly #disordered = new Sentences();
  readonly #open = new Sentences();
  #judged = 0;
  #paid = 0;

  constructor({ initial, operations }: History) {
    const promiseOf = (key: string): unknown => initial.byKey.get(key) ?? initial.common;
    for (const operation of operations) {
      const { f, key, isKnown } = operation;
      const log = this.#logs.get(key) ?? new LogPlaces(key, promiseOf(key) === REGIONAL);
      this.#logs.set(key, log);
      if (isKnown && OBSERVED.has(f)) observe(log, operation);
    }
  }

  asked(operation: Operation): void {
    const log = this.#logOf(operation);
    if (log === undefined) return;
    const asked = askedOf(operation, log.floorOf(operation.process));
    this.#calls.set(operation, asked);
    if (!operation.isKnown && asked.kind === 'command') log.mayHaveHappened(asked);
  }

  answered(operation: Operation): void {
    const log = this.#logOf(operation);
    const asked = this.#calls.get(operation);
    if (log === undefined || asked === undefined) return;
    const { order } = operation;
    if (order === undefined) {
      this.#untrue.add(`${asked.words}, without a place in ${log.name}`);
      return;
    }
    this.#judged += 1;
    const isLost = log.hasLost(order);
    if (asked.kind === 'command') this.#judgeCommand(log, asked, order);
    else this.#judgeQuery(log, asked, order);
    // What stood at a place that was lost is in no order with what stands there now.
    if (isLost) return;
    const floor = floorOf(log, asked);
    const isLater = asked.kind === 'command' ? order > floor : order >= floor;
    if (!isLater) {
      this.#disordered.add(`${asked.words} at ${order} of ${log.name}, and ${floor} was known before`);
    }
    log.knows(operation.process, order);
    if (asked.kind === 'command' && !asked.isAtOne) log.acknowledged(order, operation.returnedTime);
  }

  finish(): readonly InvariantVerdict[] {
    const unclaimed = new Sentences();
    for (const log of this.#logs.values()) {
      if (log.isTold) for (const sentence of log.unclaimed()) unclaimed.add(sentence);
    }
    const cost = this.#paid === 0 ? [] : [`${this.#paid} are owned up to as lost`];
    const open = this.#open.list;
    const remarks = [`${this.#judged} answers`, ...cost];
    return [
      verdict('each answer is the one that the log has at its place', this.#untrue.list, { open, remarks }),
      verdict('no place in a log is answered to two calls', this.#shared.list),
      verdict('what stands in a log was asked, and was not called unavailable', unclaimed.list),
      verdict('places in a log keep the order of time', this.#disordered.list),
    ];
  }

  /** `undefined` for one that nobody has told of. */
  #logOf({ key, isKnown }: Operation): LogPlaces | undefined {
    const log = this.#logs.get(key);
    if (log?.isTold === true) return log;
    if (isKnown) this.#open.add(`nobody says what stands in the log ${key}`);
    return undefined;
  }

  #judgeCommand(log: LogPlaces, asked: Asked, order: number): void {
    const said = log.at(order);
    // It has this place, whatever it was answered there.
    const other = said !== undefined && isSameCall(said, asked) ? log.claim(order, asked) : undefined;
    if (said !== undefined && isSame(said, asked)) {
      const mayBeLost = log.hasLost(order) && (asked.isAtOne || other?.isAtOne === true);
      if (other !== undefined && !mayBeLost) {
        this.#shared.add(`place ${order} of ${log.name}: ${other.words}; ${asked.words}`);
      }
    } else if (asked.isAtOne && log.hasLost(order)) {
      this.#paid += 1;
      // A late copy of it is news to who came after: it may stand elsewhere.
      log.mayHaveHappened(asked);
    } else {
      const stands = said === undefined ? 'no such call stands' : `stands ${said.words}`;
      this.#untrue.add(`${asked.words} at ${order} of ${log.name}, where ${stands}`);
    }
  }

  #judgeQuery(log: LogPlaces, asked: Asked, order: number): void {
    const shown = log.shownAt(order).filter((said) => isSameCall(said, asked));
    if (shown.some((said) => said.answer === asked.answer)) return;
    const [other] = shown;
    const read = `${asked.words} at ${order} of ${log.name}`;
    if (log.hasLost(order)) this.#paid += 1;
    else if (other !== undefined) this.#untrue.add(`${read}, which shows ${other.words}`);
    else if (order > log.entries) this.#untrue.add(`${read}, which ends at ${log.entries}`);
    else this.#open.add(`${read}: nobody says what that shows`);
  }
}

/**
 * What it must stand behind, or see. A copy of a region may answer with what its asker knows; where he
 * allows an age, with that, since a new link of his knows nothing of the one before.
 */
function floorOf(log: LogPlaces, { kind, floor, newAsOf }: Asked): number {
  if (!log.isRegional || kind === 'command') return floor.all;
  return newAsOf === undefined ? floor.own : log.safeAt(newAsOf);
}

function observe(log: LogPlaces, operation: Operation): void {
  const { f, input, result } = operation;
  const value = result ?? input;
  if (f === 'applied') return log.stands(saidOf(operation, value));
  if (f === 'shown') return log.shows(saidOf(operation, value));
  if (f === 'log') {
    const { entries } = fieldsOf(operation, value, ['entries']);
    return log.tell(amountOf(operation, entries, 'a number of entries'));
  }
  const { from, to } = fieldsOf(operation, value, ['from', 'to']);
  log.lose({ from: amountOf(operation, from, 'a place'), to: amountOf(operation, to, 'a place') });
}

function isSameCall(said: Said, { process, f, args }: Asked): boolean {
  return said.process === process && said.f === f && said.args === args;
}

function isSame(said: Said, asked: Asked): boolean {
  return isSameCall(said, asked) && said.answer === asked.answer;
}

function verdict(
  name: string,
  broken: readonly string[],
  more: Pick<InvariantVerdict, 'open' | 'remarks'> = {},
): InvariantVerdict {
  return { name, held: broken.length === 0, broken, ...more };
}
