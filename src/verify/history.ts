// Histories: what clients asked and were answered, as JSON lines, paired into operations.
//
// The checkers of this room work on what `HistoryReader` makes of them; docs/histories.md describes the
// format for those who record one. The reader is strict: whatever does not fit ends in
// `InvalidInputError` with the number of the line, since a history that is half understood proves nothing.
// 1. The order of the lines is the order of events; `time` may not contradict it.
// 2. A process has one open operation at a time, and its completion repeats `f` and `key`.
// 3. An operation that certainly had no effect (`fail`) is left out; one without completion may take
//    effect at any later time, or never.
// 4. No two values that differ in the file are equal here: a number that a double can not hold is refused.
import { InvalidInputError } from '../base/errors.ts';

/** Longer lines are refused: no outcome that a checker understands is as long. */
export const LINE_LENGTH_MAX: number = 1 << 20;
/** More operations than this are refused: their history would not fit an ordinary heap. */
export const OPERATIONS_MAX: number = 2_000_000;

/** Values nested deeper are refused, so that nobody who walks through one runs out of stack. */
const DEPTH_MAX = 64;
const BYTE_ORDER_MARK = '\uFEFF';

/** One operation that happened, or may have happened. */
export interface Operation {
  readonly process: string;
  readonly f: string;
  /** What it works on; empty when the history names no keys. */
  readonly key: string;
  /** The value it was invoked with; `undefined` when there was none. */
  readonly input: unknown;
  /** Whether it was answered. If not, it may take effect at any later time, or never. */
  readonly isKnown: boolean;
  /** The reason when it was rejected: decided, final and without effect. */
  readonly rejected: string | undefined;
  /** The value it was answered with, unless rejected. */
  readonly result: unknown;
  /** The place in the log that the system claims for it. */
  readonly order: number | undefined;
  /** Numbers of its lines: they also say what came before what. */
  readonly invokedLine: number;
  /** `Infinity` while nothing is known. */
  readonly returnedLine: number;
  /** By the recorder's clock and in its unit. */
  readonly invokedTime: number;
  /** `Infinity` while nothing is known. */
  readonly returnedTime: number;
}

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** The state that everything began with, as the history's first lines give it. */
export interface Initial {
  /** For all keys that have none of their own. */
  readonly common: unknown;
  readonly byKey: ReadonlyMap<string, unknown>;
}

export interface History {
  /** The model that the history names itself. */
  readonly model: string | undefined;
  readonly initial: Initial;
  /** In the order of their invocations, without those that certainly had no effect. */
  readonly operations: readonly Operation[];
  readonly failed: number;
  readonly uncertain: number;
  readonly processes: number;
}

type Open = { -readonly [Field in keyof Operation]: Operation[Field] };
type Completion = 'ok' | 'fail' | 'info';

const EVENT_FIELDS: ReadonlySet<string> = new Set(
  'process type f key value time order note'.split(' '),
);
const INIT_FIELDS: ReadonlySet<string> = new Set('type key value model note'.split(' '));

/** Takes a history line by line, or event by event; `finish` then hands it out. */
export class HistoryReader {
  readonly #operations: Open[] = [];
  readonly #open = new Map<string, Open | undefined>();
  readonly #initialByKey = new Map<string, unknown>();
  readonly #dropped = new Set<Open>();
  #common: unknown = undefined;
  #model: string | undefined;
  #lines = 0;
  /** The first empty line, which is none of the history's where nothing follows it. */
  #blankLine: number | undefined;
  #time = 0;

  get lines(): number {
    return this.#lines;
  }

  /** Takes one line of JSON, without its end. Throws `InvalidInputError`. */
  line(text: string): void {
    if (text.length > LINE_LENGTH_MAX) {
      this.#lines += 1;
      this.#refuse(`has ${text.length} characters: at most ${LINE_LENGTH_MAX} are read`);
    }
    if (text.trim() === '') {
      this.#lines += 1;
      this.#blankLine ??= this.#lines;
      return;
    }
    if (this.#blankLine !== undefined) {
      this.#lines = this.#blankLine;
      this.#refuse('is no JSON: only behind the last line may be empty ones');
    }
    // Editors of some systems begin every file with it.
    const isMarked = this.#lines === 0 && text.startsWith(BYTE_ORDER_MARK);
    let event: unknown;
    try {
      event = JSON.parse(isMarked ? text.slice(BYTE_ORDER_MARK.length) : text);
    } catch {
      this.#lines += 1;
      this.#refuse('is no JSON');
    }
    this.event(event);
  }

  /** Takes what a line says, parsed already. Throws `InvalidInputError`. */
  event(event: unknown): void {
    this.#lines += 1;
    if (!isObject(event)) this.#refuse('is no object');
    const type = event['type'];
    const known = type === 'init' ? INIT_FIELDS : EVENT_FIELDS;
    for (const name in event) {
      if (!known.has(name)) this.#refuse(`has the unknown field "${name}"`);
    }
    const flaw = flawOf(event['value'], DEPTH_MAX);
    if (flaw !== undefined) this.#refuse(`has a value ${flaw}`);
    if (type === 'init') this.#init(event);
    else if (type === 'invoke') this.#invoke(event);
    else if (type === 'ok' || type === 'fail' || type === 'info') this.#complete(type, event);
    else this.#refuse('has none of the types init, invoke, ok, fail and info');
  }

  /** The history so far. What is open then counts as of unknown fate. */
  finish(): History {
    const operations = this.#operations.filter((operation) => !this.#dropped.has(operation));
    return {
      model: this.#model,
      initial: { common: this.#common, byKey: this.#initialByKey },
      operations,
      failed: this.#dropped.size,
      uncertain: operations.reduce((sum, { isKnown }) => sum + (isKnown ? 0 : 1), 0),
      processes: this.#open.size,
    };
  }

  #init(fields: Fields): void {
    if (this.#operations.length > 0) this.#refuse('is an init line behind the first operation');
    const { model } = fields;
    if (model !== undefined) {
      if (typeof model !== 'string') this.#refuse('names a model that is no text');
      if ((this.#model ?? model) !== model) this.#refuse('names a second model');
      this.#model = model;
    }
    if (!('value' in fields)) return;
    if (!('key' in fields)) {
      if (this.#common !== undefined) this.#refuse('is a second init line for all keys');
      this.#common = fields['value'];
      return;
    }
    const key = this.#name(fields, 'key');
    if (this.#initialByKey.has(key)) this.#refuse(`is a second init line for the key ${key}`);
    this.#initialByKey.set(key, fields['value']);
  }

  #invoke(fields: Fields): void {
    const process = this.#name(fields, 'process');
    const key = 'key' in fields ? this.#name(fields, 'key') : '';
    const { f, order } = fields;
    if (typeof f !== 'string' || f === '') this.#refuse('has no "f" that says what was asked');
    if (order !== undefined) this.#refuse('claims an order before it was answered');
    const before = this.#open.get(process);
    if (before !== undefined) {
      const since = `since line ${before.invokedLine}`;
      this.#refuse(`invokes, but process ${process} has an open operation ${since}`);
    }
    if (this.#operations.length === OPERATIONS_MAX) {
      this.#refuse(`is one operation too many: ${OPERATIONS_MAX} are read`);
    }
    this.#checkTime(fields);
    const operation: Open = {
      process,
      f,
      key,
      input: fields['value'],
      isKnown: false,
      rejected: undefined,
      result: undefined,
      order: undefined,
      invokedLine: this.#lines,
      returnedLine: Number.POSITIVE_INFINITY,
      invokedTime: this.#time,
      returnedTime: Number.POSITIVE_INFINITY,
    };
    this.#open.set(process, operation);
    this.#operations.push(operation);
  }

  #complete(type: Completion, fields: Fields): void {
    const process = this.#name(fields, 'process');
    const key = 'key' in fields ? this.#name(fields, 'key') : '';
    const operation = this.#open.get(process);
    if (operation === undefined) this.#refuse(`completes, but process ${process} has nothing open`);
    if (fields['f'] !== operation.f || key !== operation.key) {
      this.#refuse(`completes other than what line ${operation.invokedLine} invoked`);
    }
    this.#checkTime(fields);
    const { order, value } = fields;
    if (order !== undefined) {
      if (!Number.isSafeInteger(order) || typeof order !== 'number' || order < 0) {
        this.#refuse('has an order that is no whole number from 0');
      }
      if (type === 'ok') operation.order = order;
    }
    this.#open.set(process, undefined);
    if (type === 'fail') this.#dropped.add(operation);
    if (type !== 'ok') return;
    operation.isKnown = true;
    operation.returnedLine = this.#lines;
    operation.returnedTime = this.#time;
    operation.rejected = reasonOf(value);
    if (operation.rejected === undefined) operation.result = value;
  }

  #name(fields: Fields, field: string): string {
    const name = fields[field];
    if (typeof name === 'string') return name;
    if (Number.isSafeInteger(name)) return String(name);
    this.#refuse(`has no "${field}" that is a text or a whole number`);
  }

  #checkTime(fields: Fields): void {
    const { time } = fields;
    if (typeof time !== 'number' || !(time >= 0) || time === Number.POSITIVE_INFINITY) {
      this.#refuse('has no "time" that is a number from 0');
    }
    if (time < this.#time) this.#refuse('is earlier than the line before it');
    this.#time = time;
  }

  #refuse(what: string): never {
    throw new InvalidInputError(`line ${this.#lines} ${what}`);
  }
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Why a value can not be told apart from others, or is none that can be walked through. */
function flawOf(value: unknown, levels: number): string | undefined {
  if (typeof value === 'number') {
    if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return undefined;
    return `with a number beyond ${Number.MAX_SAFE_INTEGER}: write it as text`;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (levels === 0) return `that is nested deeper than ${DEPTH_MAX}`;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    const flaw = flawOf(inner, levels - 1);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

function reasonOf(value: unknown): string | undefined {
  const reason = isObject(value) ? value['rejected'] : undefined;
  return typeof reason === 'string' ? reason : undefined;
}
