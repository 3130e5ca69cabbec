// What the clients of a drill asked and were answered, as histories: written down, and kept for the checks.
//
// `contender.ts` records every call in one or more of three histories (gold, items, names), each with a
// model of its own, `region-book.ts` all calls of residents (regions); `run.ts` adds what of theirs a list
// can tell (chat), what the nodes told of themselves (world), and `own-player.ts` what a studio's own
// features were asked and answered (own).
// docs/histories.md describes the format. An invocation is recorded before it is sent and an answer after
// it was received, so that nothing is claimed to have been quicker than it was.
import { type LinesFile, openLines } from '../adapters/node/drill-files.ts';
import type { Outcome } from '../base/errors.ts';
import { type History, HistoryReader } from '../verify/history.ts';
import { LOG } from '../verify/log/log.ts';
import { REGIONAL } from '../verify/regional/regional.ts';
import { NO_MODEL } from '../verify/report.ts';

export const BOOKS = ['gold', 'items', 'names', 'regions', 'chat', 'world'] as const;
/** Of a drill of a studio's features there is one more. */
export const OWN_BOOK = 'own';
export type Book = (typeof BOOKS)[number] | typeof OWN_BOOK;

const MODELS: Readonly<Record<Book, string>> = {
  gold: 'bank',
  items: 'ownership',
  names: 'ownership',
  regions: REGIONAL,
  chat: 'list',
  world: NO_MODEL,
  own: LOG,
};

/** One operation in the terms of a model. */
export interface Entry {
  readonly book: Book;
  readonly f: string;
  readonly key?: string;
  readonly value?: unknown;
}

/** How an answer reads in a model's terms: its value, a rejection it knows, or nothing that matters to it. */
export type Reading =
  | { readonly kind: 'ok'; readonly value?: unknown }
  | { readonly kind: 'rejected'; readonly reason: string }
  /** It certainly changed nothing of what the model knows, nor says anything about it. */
  | { readonly kind: 'nothing' };

export interface Answer {
  readonly outcome: Outcome<unknown>;
  readonly reading: Reading;
}

/** What an observer saw: of a key, and perhaps at one place of its log. */
export interface Seen {
  readonly key?: string;
  readonly value: unknown;
  readonly order?: number;
}

export class Recorder {
  readonly #files: ReadonlyMap<Book, LinesFile>;
  readonly #readers: ReadonlyMap<Book, HistoryReader>;
  /** Times count from here. */
  readonly beganMs: number = performance.now();
  #operations = 0;

  /** Begins a file for each book in the folder. Throws `StartError` when that can not be. */
  constructor(folder: string, name: string, isOwn: boolean) {
    const books: readonly Book[] = isOwn ? [...BOOKS, OWN_BOOK] : BOOKS;
    this.#files = new Map(books.map((book) => [book, openLines(folder, `${name}-${book}.jsonl`)]));
    this.#readers = new Map(books.map((book) => [book, new HistoryReader()]));
  }

  get operations(): number {
    return this.#operations;
  }

  get paths(): readonly string[] {
    return [...this.#files.values()].map(({ path }) => path);
  }

  /** What everything begins with, or one key; before the first operation. */
  begin(book: Book, value: unknown, key?: string): void {
    this.#add(book, { type: 'init', model: MODELS[book], ...named(key), value });
  }

  invoke(process: string, { book, f, key, value }: Entry): void {
    this.#operations += 1;
    this.#add(book, { process, type: 'invoke', f, ...named(key), value, time: this.#nowMs() });
  }

  complete(process: string, { book, f, key }: Entry, { outcome, reading }: Answer): void {
    const line = { process, f, ...named(key), time: this.#nowMs() };
    if (outcome.kind === 'uncertain') return this.#add(book, { ...line, type: 'info' });
    if (outcome.kind === 'unavailable' || reading.kind === 'nothing') {
      return this.#add(book, { ...line, type: 'fail' });
    }
    const value = reading.kind === 'rejected' ? { rejected: reading.reason } : reading.value;
    const order = outcome.order === undefined ? {} : { order: outcome.order };
    this.#add(book, { ...line, type: 'ok', value, ...order });
  }

  /** Lines of a history that were put in order by who hands them over. */
  add(book: Book, lines: readonly object[]): void {
    for (const line of lines) this.#add(book, line);
  }

  /** What somebody saw of the world, as an operation of no model. */
  observe(book: Book, f: string, seen: readonly Seen[]): void {
    for (const { key, value, order } of seen) {
      const line = { process: 'observer', f, ...named(key), time: this.#nowMs() };
      this.#add(book, { ...line, type: 'invoke', value });
      this.#add(book, { ...line, type: 'ok', order });
    }
  }

  /** Closes the files; the histories as the checks want them. */
  finish(): ReadonlyMap<Book, { readonly model: string; readonly history: History }> {
    for (const file of this.#files.values()) file.close();
    return new Map(
      [...this.#readers].map(([book, reader]) => [
        book,
        { model: MODELS[book], history: reader.finish() },
      ]),
    );
  }

  #add(book: Book, event: object): void {
    const text = JSON.stringify(event);
    this.#files.get(book)?.add(text);
    this.#readers.get(book)?.event(JSON.parse(text));
  }

  /** To the microsecond, as far as clocks of processes go. */
  #nowMs(): number {
    return Math.round((performance.now() - this.beganMs) * 1_000) / 1_000;
  }
}

function named(key: string | undefined): { readonly key?: string } {
  return key === undefined ? {} : { key };
}
