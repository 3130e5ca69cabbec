// Reading the values of a history strictly: each function returns what it promises or refuses.
//
// Models use them to read operations and initial states. A refusal names the line and says what would be
// right, since a history that is half understood proves nothing.
import { InvalidInputError } from '../base/errors.ts';
import { type Fields, type Initial, isObject, type Operation } from './history.ts';

/** Of longer lists, people are shown so many. */
const SHOWN_MAX = 12;

/** Where a value stands: an operation, or the initial state. */
export type Source = Operation | 'init';

export function refuse(source: Source, what: string): never {
  if (source === 'init') throw new InvalidInputError(`the initial state ${what}`);
  const { invokedLine, returnedLine, f } = source;
  const answered = returnedLine === Number.POSITIVE_INFINITY ? '' : `, answered in ${returnedLine}`;
  throw new InvalidInputError(`line ${invokedLine}${answered}: ${f} ${what}`);
}

export function objectOf(source: Source, value: unknown, what: string): Fields {
  if (isObject(value)) return value;
  refuse(source, `needs ${what}, an object`);
}

/** An object whose fields are all named in `allowed`. */
export function fieldsOf(source: Source, value: unknown, allowed: readonly string[]): Fields {
  const fields = objectOf(source, value, `a value with ${allowed.join(', ')}`);
  for (const name in fields) {
    if (!allowed.includes(name)) refuse(source, `has the unknown field "${name}"`);
  }
  return fields;
}

/** A text or a whole number, as text: 7 and "7" name the same. */
export function nameOf(source: Source, value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  if (Number.isSafeInteger(value)) return String(value);
  refuse(source, `needs ${what}, a text or a whole number`);
}

export function wholeOf(source: Source, value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  refuse(source, `needs ${what}, a whole number`);
}

/** A whole number that is not below zero. */
export function amountOf(source: Source, value: unknown, what: string): number {
  const amount = wholeOf(source, value, what);
  if (amount < 0) refuse(source, `needs ${what} that is not below zero`);
  return amount;
}

export function listOf(source: Source, value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  refuse(source, `needs ${what}, a list`);
}

/** Refuses an answer where there is nothing to answer; the invocation's value may be repeated. */
export function noResult(operation: Operation): void {
  const { input, isKnown, rejected, result } = operation;
  if (!isKnown || rejected !== undefined || result === undefined || result === null) return;
  if (canonical(result) !== canonical(input)) refuse(operation, 'is answered with a value it can not have');
}

/** The reason when it was rejected; refuses one that the model does not know. */
export function rejectionOf(operation: Operation, known: readonly string[]): string | undefined {
  const { rejected } = operation;
  if (rejected === undefined || known.includes(rejected)) return rejected;
  const list = known.length === 0 ? 'none' : known.join(', ');
  refuse(
    operation,
    `was rejected as "${rejected}", of which the model knows nothing (it knows ${list}): ` +
      'record such an answer as fail, for it had no effect',
  );
}

/** What a key began with: its own init line, or the one for all keys. */
export function initialOf(initial: Initial, key: string): unknown {
  return initial.byKey.has(key) ? initial.byKey.get(key) : initial.common;
}

/** One text for all ways to write the same JSON value. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return value === undefined ? 'null' : JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`;
}

/** The first of many texts, for people. */
export function someOf(texts: readonly string[]): string {
  const shown = texts.slice(0, SHOWN_MAX).join(', ');
  return texts.length > SHOWN_MAX ? `${shown} and ${texts.length - SHOWN_MAX} more` : shown;
}

/** Numbers texts from 1 in the order of their first appearance; 0 is free for "nothing". */
export class Numbering {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  get size(): number {
    return this.#texts.length;
  }

  of(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#texts.push(text);
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.length;
  }

  text(number: number): string {
    return this.#texts[number - 1] ?? 'nothing';
  }
}
