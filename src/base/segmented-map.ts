// A map of any size in which no call takes long.
//
// `CowMap` keeps its entries in one. The engine rebuilds a `Map` as a whole when it grows, which beyond
// half a million entries holds everybody up for longer than a tick may wait. So the entries lie in several
// maps, each bounded, the newest last.
// Invariants: it looks like a plain `Map` that had the same calls, order included; two neighbours hold more
// than a merged one may, so that there are few of them to look into.

/** Rebuilding one of so many takes a few milliseconds. */
const SEGMENT_ENTRIES_MAX: number = 256 * 1024;
/** As a part of that: moving so many takes no longer. */
const MERGED_PART = 8;

export class SegmentedMap<Key, Value> {
  readonly #entriesMax: number;
  readonly #segments: Map<Key, Value>[] = [new Map()];

  constructor(entriesMax: number = SEGMENT_ENTRIES_MAX) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    let size = 0;
    for (const segment of this.#segments) size += segment.size;
    return size;
  }

  get(key: Key): Value | undefined {
    return this.#segmentOf(key)?.get(key);
  }

  has(key: Key): boolean {
    return this.#segmentOf(key) !== undefined;
  }

  set(key: Key, value: Value): void {
    const newest = this.#segments.at(-1);
    const segment = this.#segments.length === 1 ? newest : (this.#segmentOf(key) ?? newest);
    const isFull = segment === undefined || segment.size >= this.#entriesMax;
    if (isFull && segment?.has(key) !== true) this.#segments.push(new Map([[key, value]]));
    else segment.set(key, value);
  }

  delete(key: Key): boolean {
    const place = this.#segments.findLastIndex((segment) => segment.delete(key));
    if (place < 0) return false;
    this.#merge(place - 1);
    this.#merge(place);
    return true;
  }

  *[Symbol.iterator](): Generator<[Key, Value]> {
    for (const segment of this.#segments) yield* segment;
  }

  #segmentOf(key: Key): Map<Key, Value> | undefined {
    for (let place = this.#segments.length - 1; place >= 0; place--) {
      const segment = this.#segments[place];
      if (segment?.has(key) === true) return segment;
    }
    return undefined;
  }

  /** Moves what follows the place into it, if both are small. */
  #merge(place: number): void {
    const [into, from] = [this.#segments[place], this.#segments[place + 1]];
    if (into === undefined || from === undefined) return;
    if (into.size + from.size > this.#entriesMax / MERGED_PART) return;
    for (const [key, value] of from) into.set(key, value);
    this.#segments.splice(place + 1, 1);
  }
}
