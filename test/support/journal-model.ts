// What a journal must remember, told in the plainest way, and random histories to feed both with.
import type { Random } from '../../src/base/random.ts';
import { nodeId } from '../../src/base/id.ts';
import type {
  Entry,
  HardState,
  LogWrite,
  Recovered,
  SnapshotMark,
} from '../../src/protocols/raft/messages.ts';
import { emptyRecovered } from '../../src/runtime/journal.ts';

const GROUPS = [1, 2, 3] as const;

export type Step =
  | { readonly kind: 'write'; readonly group: number; readonly write: LogWrite }
  | { readonly kind: 'mark'; readonly group: number; readonly mark: SnapshotMark };

/** State by group; never changed, only replaced. */
export type Model = ReadonlyMap<number, Recovered>;

export function modelAfter(model: Model, step: Step): Model {
  const { hardState, snapshot, entries } = model.get(step.group) ?? emptyRecovered();
  if (step.kind === 'mark') {
    const kept = entries.filter((entry) => entry.index > step.mark.index);
    const ahead = step.mark.index > snapshot.index;
    const after = { hardState, snapshot: ahead ? step.mark : snapshot, entries: kept };
    return new Map([...model, [step.group, after]]);
  }
  const { write } = step;
  const first = write.entries[0]?.index ?? Infinity;
  const before = write.reset === undefined ? entries : [];
  const after = {
    hardState: write.hardState ?? hardState,
    snapshot: write.reset ?? snapshot,
    entries: [...before.filter((entry) => entry.index < first), ...write.entries],
  };
  return new Map([...model, [step.group, after]]);
}

/** A step that a Raft group in this state could take. */
export function randomStep(model: Model, random: Random): Step {
  const group = random.pick(GROUPS) ?? 1;
  const { hardState, snapshot, entries } = model.get(group) ?? emptyRecovered();
  const last = snapshot.index + entries.length;
  if (entries.length > 0 && random.chance(1, 5)) {
    const mark = markAt(random.integer(snapshot.index, last), hardState.term);
    return { kind: 'mark', group, mark };
  }
  const reset = random.chance(1, 12) ? markAt(last + random.integer(0, 3), 7) : undefined;
  const start = reset?.index ?? snapshot.index;
  const first = random.integer(start + 1, (reset?.index ?? last) + 1);
  const count = random.integer(0, 4);
  const written = Array.from({ length: count }, (_, i) => entryAt(first + i, random));
  const next = random.chance(1, 3) ? laterThan(hardState, random) : undefined;
  const write: LogWrite = {
    ...(next === undefined ? {} : { hardState: next }),
    ...(reset === undefined ? {} : { reset }),
    entries: written,
  };
  return { kind: 'write', group, write };
}

/** For comparison and for messages: everything, in a fixed order. */
export function asText(model: Model): string {
  const groups = [...model].sort(([a], [b]) => a - b);
  return JSON.stringify(groups, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  );
}

function entryAt(index: number, random: Random): Entry {
  const length = random.chance(1, 10) ? random.integer(0, 1500) : random.integer(0, 60);
  const data = Uint8Array.from({ length }, () => random.integer(0, 255));
  return { index, term: 1, kind: 'command', timeMs: random.integer(0, 1e9), data };
}

function markAt(index: number, term: number): SnapshotMark {
  const incoming = [nodeId(1), nodeId(2), nodeId(3)];
  const membership = { incoming, outgoing: [], learners: [], retiring: [] };
  return { index, term, timeMs: index * 10, digest: index, membership };
}

function laterThan({ term, votedFor }: HardState, random: Random): HardState {
  const voter = nodeId(random.integer(1, 5));
  if (votedFor === undefined && random.chance(1, 2)) return { term, votedFor: voter };
  return { term: term + random.integer(1, 3), votedFor: random.pick([undefined, voter]) };
}
