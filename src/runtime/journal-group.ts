// What the journal remembers of one group: its hard state, where its log starts and ends, and which
// segment files hold its live entries.
//
// The journal keeps one per group to know which segments are still needed; recovery builds the same
// ones while it reads. Entries themselves are kept by the group's log, not here.
// Invariants: terms never go back, a vote is never changed within its term, the log has no gap, and
// later entries lie in the same or a later segment.
import type { HardState, LogWrite, SnapshotMark } from '../protocols/raft/messages.ts';

/** The state of a group that has never written anything. */
export const HARD_STATE_NONE: HardState = { term: 0, votedFor: undefined };
export const MARK_NONE: SnapshotMark = {
  index: 0,
  term: 0,
  timeMs: 0,
  digest: 0,
  membership: { incoming: [], outgoing: [], learners: [], retiring: [] },
};

/** The state of one group as a segment's header carries it. */
export interface GroupHeader {
  readonly group: number;
  readonly hardState: HardState;
  readonly mark: SnapshotMark;
  /** The index of the log's last entry; the mark's where there is none. */
  readonly last: number;
  readonly lastTerm: number;
  /** Above 0: entries up to here were on this disk, and some are lost. */
  readonly healUntil: number;
}

/** The live entries `[from, to]` lie in this segment. */
interface Run {
  readonly segment: number;
  readonly from: number;
  readonly to: number;
}

export class JournalGroup {
  #hardState: HardState = HARD_STATE_NONE;
  #mark: SnapshotMark = MARK_NONE;
  #last = 0;
  #lastTerm = 0;
  #healUntil = 0;
  /** In order of index, hence of segment. */
  #runs: Run[] = [];

  /** Starts as a header says: with none of the entries before it. */
  static from(header: GroupHeader): JournalGroup {
    const group = new JournalGroup();
    group.#hardState = header.hardState;
    group.#mark = header.mark;
    group.#last = header.last;
    group.#lastTerm = header.lastTerm;
    group.#healUntil = header.healUntil;
    return group;
  }

  /** What is left when entries were lost: the state at the mark, and how far the log had reached. */
  static withoutEntries(header: GroupHeader, reached: number): JournalGroup {
    const { index: last, term: lastTerm } = header.mark;
    const healUntil = Math.max(header.healUntil, header.last, reached);
    return JournalGroup.from({ ...header, last, lastTerm, healUntil });
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  get mark(): SnapshotMark {
    return this.#mark;
  }

  get last(): number {
    return this.#last;
  }

  get lastTerm(): number {
    return this.#lastTerm;
  }

  get healUntil(): number {
    return this.#healUntil;
  }

  /** The oldest segment with an entry that this group still needs. */
  get oldestSegment(): number | undefined {
    return this.#runs[0]?.segment;
  }

  /** Why this write can not follow what is there, in words; `undefined` when it can. */
  objection(write: LogWrite): string | undefined {
    const { hardState, reset, entries } = write;
    if (hardState !== undefined && hardState.term < this.#hardState.term) {
      return `term ${hardState.term} after ${this.#hardState.term}`;
    }
    if (hardState !== undefined && hardState.term === this.#hardState.term) {
      const voted = this.#hardState.votedFor;
      if (voted !== undefined && hardState.votedFor !== voted) {
        return `the vote of term ${hardState.term} changes`;
      }
    }
    // A region's log may be replaced by a shorter one of a later epoch; a group's never gets shorter.
    const isEarlier = reset !== undefined && reset.index < this.#mark.index;
    if (isEarlier && reset.term <= this.#mark.term) {
      return `a reset to ${reset.index}, behind the snapshot at ${this.#mark.index}`;
    }
    const start = reset ?? this.#mark;
    const end = reset?.index ?? this.#last;
    const first = entries[0]?.index ?? start.index + 1;
    if (first <= start.index || first > end + 1) {
      return `an entry ${first} where ${start.index + 1} to ${end + 1} may be`;
    }
    const gap = entries.findIndex((entry, i) => entry.index !== first + i);
    return gap === -1 ? undefined : `no entry ${first + gap} within the write`;
  }

  /** Takes over what a later record says of a log that is the same. */
  remember({ hardState, mark, healUntil }: GroupHeader): void {
    this.#hardState = hardState;
    this.#healUntil = healUntil;
    this.compact(mark);
  }

  /** Takes over a write that met no objection and lies in `segment`. */
  apply(write: LogWrite, segment: number): void {
    const { hardState, reset, healUntil, entries } = write;
    if (hardState !== undefined) this.#hardState = hardState;
    if (healUntil !== undefined) this.#healUntil = healUntil;
    if (reset !== undefined) {
      this.#mark = reset;
      this.#last = reset.index;
      this.#lastTerm = reset.term;
      this.#runs = [];
    }
    const from = entries[0]?.index;
    if (from === undefined) return;
    const to = from + entries.length - 1;
    this.#cut(from);
    const end = this.#runs.at(-1);
    if (end?.segment === segment) this.#runs.pop();
    this.#runs.push({ segment, from: end?.segment === segment ? end.from : from, to });
    this.#last = to;
    this.#lastTerm = entries.at(-1)?.term ?? this.#lastTerm;
  }

  /** Entries up to the mark are no longer needed; a mark behind the present one changes nothing. */
  compact(mark: SnapshotMark): void {
    if (mark.index <= this.#mark.index) return;
    this.#mark = mark;
    this.#runs = this.#runs
      .filter((run) => run.to > mark.index)
      .map((run) => ({ ...run, from: Math.max(run.from, mark.index + 1) }));
  }

  /** Forgets everything from `index` on. */
  #cut(index: number): void {
    for (let run = this.#runs.at(-1); run !== undefined; run = this.#runs.at(-1)) {
      if (run.to < index) return;
      this.#runs.pop();
      if (run.from < index) this.#runs.push({ ...run, to: index - 1 });
    }
  }
}
