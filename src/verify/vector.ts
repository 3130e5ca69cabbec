// A vector that never changes: setting an element makes a new one that shares nearly all of the old.
//
// Models keep balances and owners in it, so that a search can go back to any state it has seen. Two
// levels are enough: a step copies one chunk and the list of chunks, under 2,000 numbers at 100,000.

const CHUNK = 64;

export class Vector<Element> {
  readonly #chunks: readonly (readonly Element[])[];
  readonly #absent: Element;

  private constructor(chunks: readonly (readonly Element[])[], absent: Element) {
    this.#chunks = chunks;
    this.#absent = absent;
  }

  /** Of so many elements, all of them `absent`. */
  static filled<Element>(length: number, absent: Element): Vector<Element> {
    const chunk: readonly Element[] = new Array<Element>(CHUNK).fill(absent);
    const last: readonly Element[] = new Array<Element>(length % CHUNK).fill(absent);
    const chunks = new Array<readonly Element[]>(Math.floor(length / CHUNK)).fill(chunk);
    return new Vector([...chunks, last], absent);
  }

  /** The element at an index of the vector; beyond its end it is `absent`. */
  at(index: number): Element {
    return this.#chunks[index >>> 6]?.[index & (CHUNK - 1)] ?? this.#absent;
  }

  with(index: number, element: Element): Vector<Element> {
    const chunk = (this.#chunks[index >>> 6] ?? []).slice();
    chunk[index & (CHUNK - 1)] = element;
    const chunks = this.#chunks.slice();
    chunks[index >>> 6] = chunk;
    return new Vector(chunks, this.#absent);
  }
}
