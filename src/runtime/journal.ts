// The journal: everything durable that the groups of one process write, in one stream of batches.
//
// `turn.ts` stages each group's writes and flushes once: ONE write and ONE sync for all groups make
// many small commits cheap. While a sync is under way, further writes gather and go together
// afterwards; they are bounded by what the groups may leave uncommitted.
// Invariants:
//  J1 a batch is written only when the one before is durable, so a crash can tear only the last;
//  J2 every batch opens with the state of every group, so what is older may go, and damage to one batch
//     hides no vote and no length of a log;
//  J3 a segment goes when no group needs an entry in it and the present one's header is durable;
//  J4 after a start, writing goes on in a new segment, and only when the torn tail is cut off.
// Files are zero-filled before use: a sync of a growing file takes twice as long.
import { ByteWriter } from '../base/bytes.ts';
import { invariant } from '../base/errors.ts';
import type { LogWrite, Recovered, SnapshotMark } from '../protocols/raft/messages.ts';
import { HARD_STATE_NONE, JournalGroup, MARK_NONE } from './journal-group.ts';
import { type JournalItem, nextSector, writeRecord } from './journal-record.ts';
import { type RecoveredJournal, recoverJournal, segmentName } from './journal-recovery.ts';
import type { Disk, DiskFile } from './ports.ts';

const SEGMENT_BYTES: number = 16 * 1024 * 1024;
/** A group that makes the journal longer than this should save a checkpoint. */
export const SEGMENTS_HELD_MAX = 8;
/** A writer that one huge batch has grown beyond this is not kept. */
const WRITER_BYTES_MAX: number = 1024 * 1024;

/** What a group finds that was never here: no term, no vote, an empty log. */
export function emptyRecovered(): Recovered {
  return { hardState: HARD_STATE_NONE, snapshot: MARK_NONE, entries: [] };
}

export class Journal {
  readonly #disk: Disk;
  readonly #segmentBytes: number;
  readonly #groups: Map<number, JournalGroup>;
  /** All segments up to the present one, ascending and without a gap. */
  #segments: readonly number[];
  #segment: number;
  #file: DiskFile;
  #offset = 0;
  #nextBatch: number;
  #writer: ByteWriter = new ByteWriter(4096);
  #staged: JournalItem[] = [];
  #waiting: (() => void)[] = [];
  #following: 'none' | 'preparing' | 'ready' = 'none';
  /** What was written last is not yet durable. */
  #syncing = false;
  #pumping = false;

  /**
   * Reads what is there, cuts off a torn tail and opens a new segment. `recovered` lacks groups
   * that never wrote. Throws as `recoverJournal` does.
   */
  static open(
    disk: Disk,
    options: { readonly segmentBytes?: number } = {},
  ): { readonly journal: Journal; readonly recovered: ReadonlyMap<number, Recovered> } {
    const found = recoverJournal(disk);
    const journal = new Journal(disk, options.segmentBytes ?? SEGMENT_BYTES, found);
    return { journal, recovered: found.recovered };
  }

  private constructor(disk: Disk, segmentBytes: number, found: RecoveredJournal) {
    this.#disk = disk;
    this.#segmentBytes = segmentBytes;
    this.#groups = found.groups;
    this.#nextBatch = found.nextBatch;
    this.#settle(found);
    this.#segment = (found.segments.at(-1) ?? 0) + 1;
    this.#segments = [...found.segments, this.#segment];
    this.#file = disk.open(segmentName(this.#segment), segmentBytes);
  }

  /**
   * Groups that hold back the removal of old segments and should save a checkpoint and `compact`,
   * so that the journal stays bounded even where one group is much slower than the others.
   */
  get holdingBack(): readonly number[] {
    const segmentMin = this.#segment - SEGMENTS_HELD_MAX + 1;
    const holding: number[] = [];
    for (const [number, { oldestSegment = segmentMin }] of this.#groups) {
      if (oldestSegment < segmentMin) holding.push(number);
    }
    return holding;
  }

  /** Remembers a group's write for the next flush. The entries' bytes must not change any more. */
  stage(group: number, write: LogWrite): void {
    this.#staged.push({ kind: 'write', group, write });
  }

  /**
   * With the next flush, entries up to `mark.index` are no longer needed on disk: a durable
   * checkpoint at or after the mark exists. Whole segments that nobody needs are removed then.
   */
  compact(group: number, mark: SnapshotMark): void {
    this.#staged.push({ kind: 'mark', group, mark });
  }

  /**
   * Makes everything staged so far durable, then calls `durable`, perhaps before it returns. The
   * callbacks come in the order of the flushes.
   */
  flush(durable: () => void): void {
    this.#waiting.push(durable);
    this.#pump();
  }

  close(): void {
    this.#file.close();
  }

  /** Cuts the old journal off behind its last record, on the disk itself. */
  #settle({ end, torn }: RecoveredJournal): void {
    if (torn?.offset === 0) {
      // At once, not removed and made again: the segment after it may already be prepared.
      this.#disk.publish(segmentName(torn.segment), [new Uint8Array(this.#segmentBytes)]);
    }
    if (end === undefined) return;
    const file = this.#disk.open(segmentName(end.segment), 0);
    file.truncate(end.offset);
    // The sync is for the records too: a killed process may have written and never synced them.
    this.#syncing = true;
    file.sync(() => {
      file.close();
      this.#syncing = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#syncing && this.#waiting.length > 0) {
      const written = this.#staged.length > 0;
      if (written && !this.#write()) break;
      const callbacks = this.#waiting;
      this.#waiting = [];
      if (!written) {
        this.#answer(callbacks);
        continue;
      }
      this.#syncing = true;
      this.#file.sync(() => {
        this.#syncing = false;
        this.#answer(callbacks);
        this.#removeUnneeded();
        this.#pump();
      });
    }
    this.#pumping = false;
  }

  #answer(callbacks: readonly (() => void)[]): void {
    const pumping = this.#pumping;
    // Callbacks flush anew; what they flush must not be called back before the rest of these.
    this.#pumping = true;
    for (const durable of callbacks) durable();
    this.#pumping = pumping;
  }

  /** Writes what is staged as one batch; false when the next segment's file is not yet ready. */
  #write(): boolean {
    let length = this.#encode();
    if (this.#offset > 0 && this.#offset + length > this.#segmentBytes) {
      if (!this.#rotate()) return false;
      length = this.#encode();
    }
    for (const item of this.#staged) this.#apply(item);
    this.#staged = [];
    this.#file.write(this.#writer.view(), this.#offset);
    this.#offset = nextSector(this.#offset + length);
    this.#nextBatch += 1;
    if (length > WRITER_BYTES_MAX) this.#writer = new ByteWriter(4096);
    if (this.#offset > this.#segmentBytes / 2) this.#prepareFollowing();
    return true;
  }

  #encode(): number {
    writeRecord(this.#writer.reset(), this.#nextBatch, [this.#header(), ...this.#staged]);
    return this.#writer.length;
  }

  #header(): JournalItem {
    const groups = [...this.#groups].map(([group, state]) => {
      const { hardState, mark, last, lastTerm, healUntil } = state;
      return { group, hardState, mark, last, lastTerm, healUntil };
    });
    return { kind: 'header', segment: this.#segment, groups };
  }

  #apply(item: JournalItem): void {
    if (item.kind === 'header') return;
    let group = this.#groups.get(item.group);
    if (group === undefined) this.#groups.set(item.group, (group = new JournalGroup()));
    if (item.kind === 'mark') {
      invariant(item.mark.index <= group.last, 'a log is compacted no further than it reaches');
      group.compact(item.mark);
      return;
    }
    const objection = group.objection(item.write);
    invariant(objection === undefined, `group ${item.group} must not write ${objection}`);
    group.apply(item.write, this.#segment);
  }

  #prepareFollowing(): void {
    if (this.#following !== 'none') return;
    this.#following = 'preparing';
    this.#disk.prepare(segmentName(this.#segment + 1), this.#segmentBytes, () => {
      this.#following = 'ready';
      this.#pump();
    });
  }

  #rotate(): boolean {
    this.#prepareFollowing();
    if (this.#following !== 'ready') return false;
    this.#following = 'none';
    this.#file.close();
    this.#segment += 1;
    this.#segments = [...this.#segments, this.#segment];
    this.#file = this.#disk.open(segmentName(this.#segment), this.#segmentBytes);
    this.#offset = 0;
    return true;
  }

  #removeUnneeded(): void {
    if (this.#segments.length === 1) return;
    let needed = this.#segment;
    for (const group of this.#groups.values()) {
      needed = Math.min(needed, group.oldestSegment ?? needed);
    }
    // Oldest first, each for good before the next: a crash leaves no gap in the sequence.
    for (const segment of this.#segments) {
      if (segment < needed) this.#disk.remove(segmentName(segment));
    }
    this.#segments = this.#segments.filter((segment) => segment >= needed);
  }
}
