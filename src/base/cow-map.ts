// A map that can be frozen for a while: what reads it slowly sees one moment, what writes goes on.
//
// Features with many entities keep them in one, so that a checkpoint can walk over them slice by slice.
// While it is frozen, changes lie in a layer above; thawing moves them down, a few at a time.
// Invariants: it always looks like a plain `Map` that had the same calls, order included; a frozen walk
// sees what was there when it began. Values are never changed in place, only set anew.
// Source: copy-on-write as in the fork-based snapshots of Redis, by entry instead of by page.
import { SegmentedMap } from './segmented-map.ts';

interface Change<Value> {
  readonly value: Value | undefined;
  readonly isRemoved: boolean;
  /** It comes after all others below: the key is new, or was removed and set again. */
  readonly isAtEnd: boolean;
}

/** One moment of it. */
export interface FrozenMap<Key, Value> extends Iterable<[Key, Value]> {
  readonly size: number;
}

export class CowMap<Key, Value> {
  readonly #below: SegmentedMap<Key, Value> = new SegmentedMap();
  /** In the order in which new keys follow those below; `undefined` when nothing is frozen. */
  #above: Map<Key, Change<Value>> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: Key): Value | undefined {
    const change = this.#above?.get(key);
    return change === undefined ? this.#below.get(key) : change.value;
  }

  has(key: Key): boolean {
    const change = this.#above?.get(key);
    return change === undefined ? this.#below.has(key) : !change.isRemoved;
  }

  set(key: Key, value: Value): this {
    const above = this.#above;
    if (above === undefined) {
      this.#below.set(key, value);
      this.#size = this.#below.size;
      return this;
    }
    const change = above.get(key);
    if (!this.has(key)) this.#size += 1;
    if (change?.isRemoved === true) above.delete(key);
    const isAtEnd = change === undefined ? !this.#below.has(key) : change.isAtEnd || change.isRemoved;
    above.set(key, { value, isRemoved: false, isAtEnd });
    return this;
  }

  delete(key: Key): boolean {
    const above = this.#above;
    if (!this.has(key)) return false;
    this.#size -= 1;
    if (above === undefined) return this.#below.delete(key);
    above.delete(key);
    if (this.#below.has(key)) above.set(key, { value: undefined, isRemoved: true, isAtEnd: false });
    return true;
  }

  *[Symbol.iterator](): Generator<[Key, Value]> {
    const above = this.#above;
    if (above === undefined) {
      yield* this.#below;
      return;
    }
    for (const [key, value] of this.#below) {
      const change = above.get(key);
      if (change === undefined) yield [key, value];
      else if (!change.isRemoved && !change.isAtEnd) yield [key, change.value as Value];
    }
    for (const [key, change] of above) {
      if (change.isAtEnd) yield [key, change.value as Value];
    }
  }

  *values(): Generator<Value> {
    for (const [, value] of this) yield value;
  }

  /**
   * The entries of this moment, however slowly they are read. One walk at a time: an earlier one that was
   * not thawed must be thawed before.
   */
  freeze(): FrozenMap<Key, Value> {
    while (this.#above !== undefined) this.thaw(Number.MAX_SAFE_INTEGER);
    this.#above = new Map();
    return this.#below;
  }

  /** Ends the walk and moves at most so many changes down; true when none is left. */
  thaw(changesMax: number): boolean {
    const above = this.#above;
    if (above === undefined) return true;
    let moved = 0;
    for (const [key, { value, isRemoved, isAtEnd }] of above) {
      if (moved >= changesMax) return false;
      moved += 1;
      if (isRemoved || isAtEnd) this.#below.delete(key);
      if (!isRemoved) this.#below.set(key, value as Value);
      above.delete(key);
    }
    this.#above = undefined;
    return true;
  }
}
