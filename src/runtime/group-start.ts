// Where a group begins after a start: the newest good checkpoint, and the journal after it.
//
// `turn.ts` calls it once per group. The journal keeps everything since the checkpoint before the newest
// one, so one damaged checkpoint costs only replay. A checkpoint may also be ahead of the journal: the
// process died between receiving a snapshot and noting it.
// Source: catalogue rows 40 to 45.
import { CorruptionError } from '../base/errors.ts';
import type {
  Entry,
  HardState,
  Recovered,
  Snapshot,
  SnapshotMark,
} from '../protocols/raft/messages.ts';
import type { Checkpoints } from './checkpoints.ts';
import { emptyRecovered, type Journal } from './journal.ts';

export interface StartingPoint {
  readonly recovered: Recovered;
  readonly snapshot: Snapshot | undefined;
}

/** Throws `CorruptionError` when what is stored does not give the state back, or `ForeignDataError`. */
export function startingPoint(
  group: { readonly number: number; readonly name: string },
  stored: {
    readonly journal: Journal;
    readonly checkpoints: Checkpoints;
    readonly recovered: ReadonlyMap<number, Recovered>;
  },
): StartingPoint {
  const found = stored.recovered.get(group.number) ?? emptyRecovered();
  const snapshot = stored.checkpoints.usable(group.name, found.snapshot);
  if (snapshot === undefined) {
    if (found.snapshot.index === 0) return { recovered: found, snapshot };
    throw new CorruptionError(
      `group ${group.name} has no undamaged checkpoint at or after entry ${found.snapshot.index}: ` +
        'this copy must not vote; give its node a new identity with `bluemarble replace NODE`',
    );
  }
  const { state: _, ...mark } = snapshot;
  const entries = following(found, mark);
  const hardState = upTo(found.hardState, mark);
  if (!holds(found, mark)) {
    // The journal does not reach the checkpoint: it must begin anew there before anything is appended.
    stored.journal.stage(group.number, { hardState, reset: mark, entries });
    stored.journal.flush(() => {});
  }
  const { healUntil = 0 } = found;
  return { recovered: { hardState, snapshot: mark, entries, healUntil }, snapshot };
}

/**
 * A received checkpoint may be durable before the term in which it came. Nobody was told of a vote in
 * such a term, since votes are told only when the journal has them: it is still free.
 */
function upTo(hardState: HardState, mark: SnapshotMark): HardState {
  return hardState.term >= mark.term ? hardState : { term: mark.term, votedFor: undefined };
}

/** The journal's entries after the checkpoint, if they are of the same log. */
function following(found: Recovered, mark: SnapshotMark): readonly Entry[] {
  return holds(found, mark) ? found.entries.filter((entry) => entry.index > mark.index) : [];
}

function holds(found: Recovered, mark: SnapshotMark): boolean {
  if (found.snapshot.index === mark.index) return found.snapshot.term === mark.term;
  return found.entries.some((entry) => entry.index === mark.index && entry.term === mark.term);
}
