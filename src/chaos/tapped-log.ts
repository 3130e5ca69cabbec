// One log as all nodes together have written it down while they applied it: its final course, and who
// differed.
//
// `own-truth.ts` fills one for each log out of the tap files. Copies begin anew from states that they saved
// or were sent, so each file holds stretches of the log, and only all together hold the whole. Entries are
// told apart by index and epoch (a group's term): what a promotion cut off from a region's log bears an
// older epoch than what stands there in the end.
// Invariant: an entry is believed to follow another one only where some process applied both in a row.
import { isEqual } from '../base/equal-bytes.ts';
import type { Tapped } from '../wire/tap.ts';

/** Enough to see what is wrong. */
const DIFFERENCES_MAX = 10;

/** Two nodes, or two lives of one, that made different things of one entry. */
export interface Difference {
  readonly one: Told;
  readonly other: Told;
}

export interface Told {
  readonly node: string;
  readonly entry: Tapped;
}

export interface FinalLog {
  /** In the order of the log, from the first one that is known without a gap to the last. */
  readonly entries: readonly Tapped[];
  /** Whether they begin with the log's first. */
  readonly isWhole: boolean;
  readonly differences: readonly Difference[];
}

interface Held extends Told {
  /** The epoch of the entry before it; `undefined` while nobody applied both. */
  before: number | undefined;
}

export class TappedLog {
  readonly #isRegion: boolean;
  /** By epoch, then by index. */
  readonly #epochs = new Map<number, Map<number, Held>>();
  readonly #differences: Difference[] = [];

  constructor(isRegion: boolean) {
    this.#isRegion = isRegion;
  }

  /** What one process applied, in its order. */
  add(node: string, entries: Iterable<Tapped>): void {
    let last: Tapped | undefined;
    for (const entry of entries) {
      const held = this.#held({ node, entry });
      if (last !== undefined && last.index === entry.index - 1) held.before ??= last.epoch;
      last = entry;
    }
  }

  /** Follows the log back from its newest entry. */
  finish(): FinalLog {
    const entries: Tapped[] = [];
    let at = this.#newest();
    while (at !== undefined) {
      entries.push(at.entry);
      const { epoch, index } = at.entry;
      // What nobody applied in a row follows an entry of its own epoch, or, as its opening, one nobody knows.
      at = this.#epochs.get(at.before ?? epoch)?.get(index - 1);
    }
    entries.reverse();
    if (!this.#isRegion) this.#onlyOneAtEachIndex(entries);
    return { entries, isWhole: entries[0]?.index === 1, differences: this.#differences };
  }

  #held(told: Told): Held {
    const { epoch, index } = told.entry;
    const indexes = this.#epochs.get(epoch) ?? new Map<number, Held>();
    this.#epochs.set(epoch, indexes);
    const known = indexes.get(index);
    if (known === undefined) {
      const held: Held = { ...told, before: undefined };
      indexes.set(index, held);
      return held;
    }
    if (!isSame(known.entry, told.entry)) this.#differ(known, told);
    return known;
  }

  #newest(): Held | undefined {
    const epoch = Math.max(0, ...this.#epochs.keys());
    const indexes = this.#epochs.get(epoch);
    let newest: Held | undefined;
    for (const held of indexes?.values() ?? []) {
      if (newest === undefined || held.entry.index > newest.entry.index) newest = held;
    }
    return newest;
  }

  /** What a group applied is committed, so nothing of it can stand beside its log. */
  #onlyOneAtEachIndex(entries: readonly Tapped[]): void {
    const first = entries[0]?.index ?? 0;
    for (const indexes of this.#epochs.values()) {
      for (const held of indexes.values()) {
        const final = entries[held.entry.index - first];
        if (final === undefined || final.epoch === held.entry.epoch) continue;
        const one = this.#epochs.get(final.epoch)?.get(final.index);
        if (one !== undefined) this.#differ(one, { node: held.node, entry: held.entry });
      }
    }
  }

  #differ(one: Told, other: Told): void {
    if (this.#differences.length >= DIFFERENCES_MAX) return;
    this.#differences.push({ one: { node: one.node, entry: one.entry }, other });
  }
}

function isSame(one: Tapped, other: Tapped): boolean {
  if (one.timeMs !== other.timeMs) return false;
  if (one.applied === undefined || other.applied === undefined) return one.applied === other.applied;
  return (
    isEqual(one.applied.command, other.applied.command) && isEqual(one.applied.reply, other.applied.reply)
  );
}
