// Dead ends: configurations from which a search has found no way on, so that none is searched twice.
//
// `search` asks before it enters one and adds it when it turns back. A configuration is where the search
// stands in the history, which of the open operations took effect, and the state. The table is exact: it
// compares what it holds, so that a collision of hashes can never condemn a history.
// Source: Lowe, "Testing for linearizability" (2017), on caching configurations; Porcupine does the same.
import type { Sameness } from './model.ts';

/** Which of the operations that are open took effect: a set of small numbers with a running hash. */
export class OpenSet {
  readonly words: Int32Array;
  #hash = 0;

  /** For numbers below `size`. */
  constructor(size: number) {
    this.words = new Int32Array((size + 31) >>> 5);
  }

  get hash(): number {
    return this.#hash;
  }

  /** Adds the number, or takes it out again. */
  flip(number: number): void {
    const word = number >>> 5;
    this.words[word] = (this.words[word] ?? 0) ^ (1 << (number & 31));
    const mixed = Math.imul(number + 1, 0x9e3779b1);
    this.#hash ^= Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  }
}

const SLOTS_AT_FIRST = 1 << 6;

export class DeadEnds<State> {
  readonly #sameness: Sameness<State>;
  readonly #open: OpenSet;
  /** 1 more than the number of an entry; 0 is free. The length is a power of two. */
  #slots = new Int32Array(SLOTS_AT_FIRST);
  readonly #hashes: number[] = [];
  readonly #places: number[] = [];
  readonly #words: number[] = [];
  readonly #states: State[] = [];

  /** `open` is the set that the search keeps; its content counts at each call. */
  constructor(sameness: Sameness<State>, open: OpenSet) {
    this.#sameness = sameness;
    this.#open = open;
  }

  get size(): number {
    return this.#hashes.length;
  }

  /** `place` is where the search stands, as one number. */
  has(place: number, state: State): boolean {
    if (this.#hashes.length === 0) return false;
    const hash = this.#hash(place, state);
    const last = this.#slots.length - 1;
    for (let slot = hash & last; ; slot = (slot + 1) & last) {
      const entry = (this.#slots[slot] ?? 0) - 1;
      if (entry < 0) return false;
      if (this.#hashes[entry] === hash && this.#isSame(entry, place, state)) return true;
    }
  }

  /** Adds the one that it has not yet. */
  add(place: number, state: State): void {
    if (this.#hashes.length * 2 >= this.#slots.length) this.#grow();
    const hash = this.#hash(place, state);
    this.#hashes.push(hash);
    this.#places.push(place);
    this.#states.push(state);
    for (const word of this.#open.words) this.#words.push(word);
    this.#put(hash, this.#hashes.length);
  }

  #put(hash: number, entry: number): void {
    const last = this.#slots.length - 1;
    let slot = hash & last;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & last;
    this.#slots[slot] = entry;
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (const [index, hash] of this.#hashes.entries()) this.#put(hash, index + 1);
  }

  #hash(place: number, state: State): number {
    const ofState = this.#sameness === 'same-operations' ? 0 : this.#sameness.hash(state);
    const sum = Math.imul(place, 0x9e3779b1) ^ this.#open.hash ^ Math.imul(ofState, 0xc2b2ae35);
    return Math.imul(sum ^ (sum >>> 15), 0x2c1b3c6d) ^ (sum >>> 13);
  }

  #isSame(entry: number, place: number, state: State): boolean {
    if (this.#places[entry] !== place) return false;
    const { words } = this.#open;
    const first = entry * words.length;
    for (let word = 0; word < words.length; word++) {
      if (this.#words[first + word] !== words[word]) return false;
    }
    if (this.#sameness === 'same-operations') return true;
    return this.#sameness.equal(this.#states[entry] as State, state);
  }
}
