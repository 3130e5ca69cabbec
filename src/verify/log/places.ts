// One log of a history of the model `log`: what stands at its places, who was told so, and who may have
// done it.
//
// `log.ts` fills and asks it, line by line. Bounded by the history.
import type { Operation } from '../history.ts';
import { amountOf, canonical, fieldsOf, nameOf, refuse } from '../reading.ts';

const SHOWN_MAX = 120;

/** What a history says of a place: a call, whose it was, and the answer that it has there. */
export interface Said {
  readonly order: number;
  readonly process: string;
  readonly f: string;
  /** In canonical JSON, as the answer. */
  readonly args: string;
  readonly answer: string;
  readonly words: string;
}

/** A call, with what was known of its log when it was asked. */
export interface Asked extends Omit<Said, 'order'> {
  readonly kind: 'command' | 'query';
  /** One disk was asked to acknowledge it: it may be lost. */
  readonly isAtOne: boolean;
  /** Of a query to a region: it holds all that was acknowledged by then. By the recorder's clock. */
  readonly newAsOf: number | undefined;
  readonly floor: Floor;
}

/** The highest place that anybody had been told of, and the process itself. */
export interface Floor {
  readonly all: number;
  readonly own: number;
}

export interface LostRange {
  readonly from: number;
  readonly to: number;
}

export class LogPlaces {
  readonly name: string;
  /** One copy may answer with an older state than another; what one disk acknowledged may be lost. */
  readonly isRegional: boolean;
  readonly #stands = new Map<number, Said>();
  readonly #shown = new Map<number, Said[]>();
  readonly #claims = new Map<number, Asked>();
  readonly #uncertain = new Map<string, Asked[]>();
  readonly #lost: LostRange[] = [];
  readonly #known = new Map<string, number>();
  /** The highest place that more than one disk had acknowledged, by the time from which on. */
  readonly #safe: { readonly time: number; readonly order: number }[] = [];
  #highest = 0;
  #entries: number | undefined;

  constructor(name: string, isRegional: boolean) {
    this.name = name;
    this.isRegional = isRegional;
  }

  /** Whether the history says all that stands in it. */
  get isTold(): boolean {
    return this.#entries !== undefined;
  }

  get entries(): number {
    return this.#entries ?? 0;
  }

  tell(entries: number): void {
    this.#entries = entries;
  }

  stands(said: Said): void {
    this.#stands.set(said.order, said);
  }

  shows(said: Said): void {
    const list = this.#shown.get(said.order);
    if (list === undefined) this.#shown.set(said.order, [said]);
    else list.push(said);
  }

  lose(range: LostRange): void {
    this.#lost.push(range);
  }

  at(order: number): Said | undefined {
    return this.#stands.get(order);
  }

  shownAt(order: number): readonly Said[] {
    return this.#shown.get(order) ?? [];
  }

  hasLost(order: number): boolean {
    return this.#lost.some(({ from, to }) => from <= order && order <= to);
  }

  /** The call was answered with this place; who was before it, if anybody. */
  claim(order: number, asked: Asked): Asked | undefined {
    const other = this.#claims.get(order);
    this.#claims.set(order, asked);
    return other;
  }

  /** A command of unknown fate. */
  mayHaveHappened(asked: Asked): void {
    const key = keyOf(asked);
    const list = this.#uncertain.get(key);
    if (list === undefined) this.#uncertain.set(key, [asked]);
    else list.push(asked);
  }

  floorOf(process: string): Floor {
    return { all: this.#highest, own: this.#known.get(process) ?? 0 };
  }

  knows(process: string, order: number): void {
    this.#highest = Math.max(this.#highest, order);
    this.#known.set(process, Math.max(this.#known.get(process) ?? 0, order));
  }

  /** More than one disk has acknowledged the place; times only rise. */
  acknowledged(order: number, time: number): void {
    if (order > (this.#safe.at(-1)?.order ?? 0)) this.#safe.push({ order, time });
  }

  /** The highest place that was acknowledged so by then. */
  safeAt(time: number): number {
    return this.#safe.findLast((safe) => safe.time <= time)?.order ?? 0;
  }

  /**
   * Places that nobody was told of, and that no call of unknown fate can have. Each such call has one place
   * at most, behind all that was known when it was asked: the first place takes the first call.
   */
  *unclaimed(): Generator<string> {
    const taken = new Map<string, number>();
    for (const order of [...this.#stands.keys()].sort((a, b) => a - b)) {
      const said = this.#stands.get(order);
      if (said === undefined || this.#claims.has(order)) continue;
      const key = keyOf(said);
      const next = taken.get(key) ?? 0;
      const call = this.#uncertain.get(key)?.[next];
      if (call !== undefined && call.floor.all < order) taken.set(key, next + 1);
      else yield `place ${order} of ${this.name}: ${said.words}, and nobody can have asked that`;
    }
  }
}

/** What an observer says of a place; its answer is as the answer to the call would be. */
export function saidOf(operation: Operation, value: unknown): Said {
  const fields = fieldsOf(operation, value, ['process', 'f', 'args', 'answer']);
  const { order } = operation;
  if (order === undefined) refuse(operation, 'needs an order, the place that it speaks of');
  const process = nameOf(operation, fields['process'], 'a process');
  const f = nameOf(operation, fields['f'], 'what was asked as its f');
  const [args, answer] = [canonical(fields['args']), canonical(fields['answer'])];
  return { order, process, f, args, answer, words: wordsOf({ process, f, args, answer }) };
}

/** Throws `InvalidInputError` for a call that says neither `command` nor `query`. */
export function askedOf(operation: Operation, floor: Floor): Asked {
  const { process, f, input, rejected, result, invokedLine, invokedTime } = operation;
  const fields = fieldsOf(operation, input, ['command', 'query', 'level', 'msOld']);
  if ('command' in fields === 'query' in fields) {
    refuse(operation, 'needs its arguments as "command" or as "query"');
  }
  const kind = 'command' in fields ? 'command' : 'query';
  const args = canonical(fields[kind]);
  const answer = canonical(rejected === undefined ? result : { rejected });
  const words = `line ${invokedLine}: ${wordsOf({ process, f, args, answer })}`;
  const isAtOne = fields['level'] === 'one';
  const { msOld } = fields;
  const newAsOf = msOld === undefined ? undefined : invokedTime - amountOf(operation, msOld, 'an age');
  return { kind, process, f, args, answer, words, floor, isAtOne, newAsOf };
}

function wordsOf({ process, f, args, answer }: Pick<Said, 'process' | 'f' | 'args' | 'answer'>): string {
  return `${f} ${shortened(args)} of ${process} -> ${shortened(answer)}`;
}

function shortened(text: string): string {
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}...`;
}

function keyOf({ process, f, args }: Pick<Said, 'process' | 'f' | 'args'>): string {
  return JSON.stringify([process, f, args]);
}
