// Reading the journal back: what every group had on disk, or a clear refusal.
//
// Called once by `Journal.open`, before anything is written. Every batch was durable before the
// next was written; hence damage is the torn tail of a crash only in the last batch that was ever begun,
// which nobody was told about: it is dropped. Damage with anything later behind it is lost memory. The
// next record says what every group's term, vote and length were behind it: a group that it cost nothing
// goes on, another begins at its newest mark without entries and heals (`protocols/raft/healing.ts`).
// Where that can not be told, as when files are missing: `CorruptionError`. A whole record that can not be
// read is another program's: `ForeignDataError`.
// Limit: the very last batch, durable and then damaged, can not be told from a torn one.
// Source: Alagappan et al., "Protocol-Aware Recovery for Consensus-Based Storage" (FAST 2018).
import { CorruptionError } from '../base/errors.ts';
import type { Entry, LogWrite, Recovered } from '../protocols/raft/messages.ts';
import { type GroupHeader, JournalGroup } from './journal-group.ts';
import {
  type JournalItem,
  nextSector,
  readItems,
  recordAt,
  SECTOR_BYTES,
} from './journal-record.ts';
import type { ReadDisk } from './ports.ts';
import { understood } from './understood.ts';

export interface RecoveredJournal {
  readonly recovered: ReadonlyMap<number, Recovered>;
  readonly groups: Map<number, JournalGroup>;
  /** The segments that hold records, ascending and without a gap. */
  readonly segments: readonly number[];
  readonly nextBatch: number;
  /** Behind the last record: its file must end here before anything more is written. */
  readonly end: Place | undefined;
  /** Where a torn tail begins: at `end`, or at the start of a segment that has nothing else. */
  readonly torn: Place | undefined;
}

/** A byte in a segment's file. */
export interface Place {
  readonly segment: number;
  readonly offset: number;
}

const SEGMENT_NAME = /^journal-([0-9a-f]{16})\.log$/;

export function segmentName(segment: number): string {
  return `journal-${segment.toString(16).padStart(16, '0')}.log`;
}

/**
 * Throws `CorruptionError` when durable records are lost, and `ForeignDataError` for those of another
 * program; the text says where. Changes nothing.
 */
export function recoverJournal(disk: ReadDisk): RecoveredJournal {
  const files = segmentFiles(disk);
  const replay = new Replay(files[0] ?? 1);
  for (const segment of files) {
    const name = segmentName(segment);
    replay.read(segment, disk.read(name), disk.path(name));
  }
  return replay.finish();
}

class Replay {
  readonly #oldest: number;
  readonly #groups = new Map<number, JournalGroup>();
  readonly #entries = new Map<number, Entry[]>();
  readonly #segments: number[] = [];
  /** Undefined while the first record may bear any number, because older segments were removed. */
  #nextBatch: number | undefined;
  #end: Place | undefined;
  /** Where bytes begin that are no record, behind everything read so far. */
  #damage: Place | undefined;
  /** Groups whose entries can not be told until a header says that there are none. */
  readonly #lost = new Set<number>();

  constructor(oldest: number) {
    this.#oldest = oldest;
    if (oldest === 1) this.#nextBatch = 1;
  }

  read(segment: number, bytes: Uint8Array, path: string): void {
    let at: Place = { segment, offset: 0 };
    for (;;) {
      const record = recordAt(bytes, at.offset);
      if (record === undefined) {
        const offset = this.#laterRecord(bytes, at.offset);
        if (offset === undefined) break;
        this.#damage ??= at;
        at = { segment, offset };
        continue;
      }
      const isGap = this.#follow(record.batch, at);
      const items = understood(path, () => readItems(bytes, record));
      this.#items(items, at, isGap);
      at = { segment, offset: nextSector(record.end) };
    }
    if (at.offset > 0) {
      this.#segments.push(segment);
      this.#end = at;
    }
    if (!isZero(bytes, at.offset)) this.#judge(at);
  }

  finish(): RecoveredJournal {
    if (this.#nextBatch === undefined) {
      throw corruption(`${segmentName(this.#oldest)} has no header, and no older file is there`);
    }
    const recovered = new Map<number, Recovered>();
    for (const [number, { hardState, mark, last, healUntil }] of this.#groups) {
      const entries = this.#entriesOf(number);
      if (entries.length !== last - mark.index) {
        throw corruption(
          `${segmentName(this.#oldest - 1)} is missing: ` +
            `group ${number} needs its entries from ${mark.index + 1} on`,
        );
      }
      const healing = healUntil > 0 ? { healUntil } : {};
      recovered.set(number, { hardState, snapshot: mark, entries, ...healing });
    }
    return {
      recovered,
      groups: this.#groups,
      segments: this.#segments,
      nextBatch: this.#nextBatch,
      end: this.#end,
      torn: this.#damage,
    };
  }

  /** A batch that follows the last one proves that nothing is lost between them; else there is a gap. */
  #follow(batch: number, at: Place): boolean {
    const expected = this.#nextBatch;
    if (expected !== undefined && batch < expected) {
      throw damaged(this.#damage ?? at, `batch ${batch} is there where ${expected} was awaited`);
    }
    this.#nextBatch = batch + 1;
    this.#damage = undefined;
    return expected === undefined ? at.offset > 0 : batch > expected;
  }

  /** Bytes behind a file's last record: lost memory if anything later is there, else a tear. */
  #judge(at: Place): void {
    if (this.#damage !== undefined) throw damaged(this.#damage, 'a later file was begun');
    this.#damage = at;
  }

  /** Where the next record behind damage begins, if one does in this file. */
  #laterRecord(bytes: Uint8Array, from: number): number | undefined {
    const next = this.#nextBatch;
    for (let at = from + SECTOR_BYTES; at < bytes.length; at += SECTOR_BYTES) {
      const batch = recordAt(bytes, at)?.batch;
      if (batch === undefined) continue;
      // Each batch fills a sector or more: other numbers are users' bytes that look like a record.
      const batchMax = (next ?? batch) + (at - from) / SECTOR_BYTES;
      if (batch >= (next ?? batch) && batch <= batchMax) return at;
    }
    return undefined;
  }

  #items(items: readonly JournalItem[], at: Place, isGap: boolean): void {
    let mayBeHeader = true;
    for (const item of items) {
      if ((item.kind === 'header') !== mayBeHeader) throw damaged(at, 'headers open records');
      mayBeHeader = false;
      switch (item.kind) {
        case 'header':
          if (item.segment !== at.segment) throw damaged(at, `this is segment ${item.segment}`);
          for (const header of item.groups) {
            if (isGap || this.#lost.has(header.group)) this.#afterGap(header);
            else this.#header(header, at);
          }
          break;
        case 'mark':
          if (this.#lost.has(item.group)) break;
          this.#group(item.group).compact(item.mark);
          dropUpTo(this.#entriesOf(item.group), item.mark.index);
          break;
        case 'write':
          this.#write(item.group, item.write, at);
      }
    }
  }

  /** The oldest header opens the account; a later one must agree with what was read before it. */
  #header(header: GroupHeader, at: Place): void {
    const known = this.#groups.get(header.group);
    if (known === undefined && this.#isOpening(at)) {
      this.#groups.set(header.group, JournalGroup.from(header));
      return;
    }
    const { hardState, mark, last, lastTerm } = known ?? new JournalGroup();
    if (
      hardState.term !== header.hardState.term ||
      hardState.votedFor !== header.hardState.votedFor ||
      mark.index !== header.mark.index ||
      last !== header.last ||
      lastTerm !== header.lastTerm
    ) {
      throw damaged(at, `group ${header.group} is not as the files before say`);
    }
  }

  #isOpening({ segment, offset }: Place): boolean {
    return segment === this.#oldest && offset === 0;
  }

  /** What the records that were lost have changed, as the first one behind them tells it. */
  #afterGap(header: GroupHeader): void {
    const { group: number, mark, last, lastTerm } = header;
    const known = this.#groups.get(number) ?? new JournalGroup();
    const wasLost = this.#lost.has(number);
    if (!wasLost && known.last === last && known.lastTerm === lastTerm) {
      // Logs that end alike are alike (log matching).
      known.remember(header);
      dropUpTo(this.#entriesOf(number), mark.index);
      this.#groups.set(number, known);
      return;
    }
    this.#entries.set(number, []);
    if (last === mark.index) {
      // No entries are behind the mark, so none are missing.
      this.#lost.delete(number);
      this.#groups.set(number, JournalGroup.from(header));
    } else {
      this.#lost.add(number);
      const reached = Math.max(known.healUntil, known.last);
      this.#groups.set(number, JournalGroup.withoutEntries(header, reached));
    }
  }

  /** Of a group that lost entries only what was promised is kept: its vote, and how far it reached. */
  #writeOfLost(number: number, { hardState, entries }: LogWrite): void {
    const { hardState: known, mark, healUntil } = this.#group(number);
    const lastEntry = entries.at(-1);
    const header = {
      group: number,
      hardState: hardState ?? known,
      mark,
      last: mark.index,
      lastTerm: mark.term,
      healUntil,
    };
    this.#groups.set(number, JournalGroup.withoutEntries(header, lastEntry?.index ?? 0));
  }

  #write(number: number, write: LogWrite, at: Place): void {
    if (this.#lost.has(number) && write.reset === undefined) {
      this.#writeOfLost(number, write);
      return;
    }
    this.#lost.delete(number);
    const group = this.#group(number);
    const objection = group.objection(write);
    if (objection !== undefined) throw damaged(at, `group ${number} has ${objection}`);
    group.apply(write, at.segment);
    const entries = this.#entriesOf(number);
    if (write.reset !== undefined) entries.length = 0;
    const first = write.entries[0]?.index ?? Infinity;
    while ((entries.at(-1)?.index ?? 0) >= first) entries.pop();
    for (const entry of write.entries) entries.push(entry);
  }

  #group(number: number): JournalGroup {
    let group = this.#groups.get(number);
    if (group === undefined) this.#groups.set(number, (group = new JournalGroup()));
    return group;
  }

  #entriesOf(number: number): Entry[] {
    let entries = this.#entries.get(number);
    if (entries === undefined) this.#entries.set(number, (entries = []));
    return entries;
  }
}

function segmentFiles(disk: ReadDisk): readonly number[] {
  const files = disk
    .names()
    .flatMap((name) => SEGMENT_NAME.exec(name)?.[1] ?? [])
    .map((digits) => Number.parseInt(digits, 16))
    .sort((a, b) => a - b);
  files.forEach((segment, i) => {
    const before = files[i - 1] ?? segment - 1;
    if (segment !== before + 1) throw corruption(`${segmentName(before + 1)} is missing`);
  });
  return files;
}

function dropUpTo(entries: Entry[], index: number): void {
  const kept = entries.findIndex((entry) => entry.index > index);
  entries.splice(0, kept === -1 ? entries.length : kept);
}

function isZero(bytes: Uint8Array, from: number): boolean {
  for (let i = from; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

function damaged(at: Place, why: string): CorruptionError {
  return corruption(`${segmentName(at.segment)} is damaged at byte ${at.offset} (${why})`);
}

function corruption(fault: string): CorruptionError {
  return new CorruptionError(
    `${fault}: this copy must not vote; give its node a new identity with \`bluemarble replace NODE\``,
  );
}
