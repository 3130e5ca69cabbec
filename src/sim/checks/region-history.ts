// What a region's copies have on their disks, have applied and have answered, as the whole world saw it.
//
// `region-invariants.ts` feeds one per region; it judges what does not depend on who asks. Everything is
// taken from the disks' own syncs and from what leaves a copy, never from what a copy believes.
import { crc32c } from '../../base/crc32c.ts';
import { isEqual } from '../../base/equal-bytes.ts';
import { majority } from '../../base/quorum.ts';
import type { LogWrite } from '../../protocols/raft/messages.ts';
import type { Applied, Notice } from '../../protocols/state-machine.ts';
import { decodeCommandHead, decodeReply, isSessionRefusal } from '../../wire/command.ts';
import { type Job, job as jobSchema } from '../../wire/regional-calls.ts';
import type { LostRange } from '../../wire/status.ts';
import { EpochChain, NOWHERE, type Place } from './epoch-chain.ts';
import { PerCommand } from './per-command.ts';
import type { Verdicts } from './violation.ts';

/** Epochs of a run stay far below. */
const EPOCH_SPAN = 1_000_000;

/** What one copy has on its disk. */
export interface CopyDisk {
  promised: number;
  isBlank: boolean;
  last: Place;
  /** Ends of logs that were lost with a disk: they were there when they were counted. */
  readonly destroyed: Place[];
  /** What it has set aside. */
  readonly tails: LostRange[];
  /** Places of all states that it ever had in a checkpoint. */
  readonly checkpoints: Set<string>;
}

interface Written {
  readonly sum: number;
  readonly timeMs: number;
  readonly data: Uint8Array;
  reply: Uint8Array | undefined;
  /** What it told players of their jobs. */
  jobs: readonly Job[];
  stateHash: number | undefined;
}

/** Something was acknowledged, in the order of time. */
interface Acknowledged {
  readonly atUs: number;
  readonly sequence: number;
}

export class RegionHistory {
  readonly number: number;
  readonly name: string;
  readonly copies: readonly number[];
  readonly chain: EpochChain = new EpochChain();
  readonly disks: ReadonlyMap<number, CopyDisk>;
  /** What a majority holds, by the word of a primary that was found true. */
  committed: Place = NOWHERE;
  /** The highest epoch in which anything was answered. */
  servedEpoch = 0;
  readonly #verdicts: Verdicts;
  /** The newest place of each epoch that its primary called committed. */
  readonly #committedIn = new Map<number, Place>();
  readonly #written = new Map<number, Written>();
  readonly #primaries = new Map<number, number>();
  /** Where a command of a session was applied. */
  readonly #applied = new PerCommand<readonly Place[]>();
  readonly #quorum: Acknowledged[] = [];
  readonly #one = new Map<number, Acknowledged[]>();

  constructor(
    region: { readonly number: number; readonly name: string; readonly copies: readonly number[] },
    verdicts: Verdicts,
  ) {
    this.number = region.number;
    this.name = region.name;
    this.copies = region.copies;
    this.#verdicts = verdicts;
    this.disks = new Map(region.copies.map((node) => [node, newDisk()]));
  }

  /** How often a primary was appointed. */
  get appointments(): number {
    return this.#primaries.size;
  }

  hasLed(epoch: number): boolean {
    return this.#primaries.has(epoch);
  }

  at(place: Place): Written | undefined {
    return this.#written.get(keyOf(place));
  }

  /** Where the command was applied, if it was. */
  appliedAt(session: number, number: number): readonly Place[] {
    return this.#applied.get({ session, number }) ?? [];
  }

  /** A step of the journal is on the disk of a copy. */
  writes(node: number, { hardState, healUntil, reset, entries }: LogWrite): void {
    const disk = this.disks.get(node);
    if (disk === undefined) return;
    if (hardState !== undefined) {
      if (hardState.term < disk.promised) {
        this.#broken('MT', `${node} promised ${disk.promised}, and has ${hardState.term} on its disk`);
      }
      disk.promised = hardState.term;
    }
    if (healUntil !== undefined) disk.isBlank = healUntil > 0;
    const before = disk.last;
    if (reset !== undefined) {
      disk.last = { epoch: reset.term, sequence: reset.index };
      if (!disk.checkpoints.has(textOf(disk.last))) {
        this.#broken('CQ', `${node} begins its log anew at ${textOf(disk.last)}, which is in no checkpoint`);
      }
    }
    for (const { term, index, timeMs, data } of entries) {
      this.#entry(node, disk, { epoch: term, sequence: index, timeMs, data });
    }
    this.#isSetAside(node, disk, before);
  }

  /** A copy read its disk when its machine had died: what it found is what is durable. */
  found(node: number, last: Place, o: { readonly promised: number; readonly isBlank: boolean }): void {
    const disk = this.disks.get(node);
    if (disk === undefined) return;
    disk.promised = o.promised;
    disk.isBlank = o.isBlank;
    disk.last = last;
  }

  /** An entry that was read back: it may have become durable unseen. */
  reads(behind: number, entry: Place & { readonly timeMs: number; readonly data: Uint8Array }): void {
    if (!this.chain.follows(entry, behind)) {
      this.#broken('LM', `entry ${textOf(entry)} follows one of epoch ${behind}`);
    }
    this.#isSame(entry);
  }

  /** The disk of a copy is gone, or was set aside as damaged. */
  loses(node: number): void {
    const disk = this.disks.get(node);
    if (disk === undefined) return;
    disk.destroyed.push(disk.last);
    disk.last = NOWHERE;
    disk.promised = 0;
    disk.isBlank = true;
    disk.checkpoints.clear();
    disk.tails.length = 0;
  }

  get isIntact(): boolean {
    return [...this.disks.values()].every(({ isBlank }) => !isBlank);
  }

  /** A copy acts as primary. */
  leads(node: number, epoch: number): void {
    const known = this.#primaries.get(epoch);
    if (known === node) return;
    if (known !== undefined) {
      this.#broken('ES', `${known} and ${node} are both primary of epoch ${epoch}`);
      return;
    }
    this.#primaries.set(epoch, node);
    const last = this.disks.get(node)?.last ?? NOWHERE;
    const before = this.#committedBefore(epoch);
    if (this.chain.holds(last, before)) return;
    const what = `${node} is primary of epoch ${epoch} with a log up to ${textOf(last)}`;
    this.#broken('LC', `${what}, and a majority had ${textOf(before)}`);
  }

  /** Who hears of his appointment when a later epoch has begun needs nothing of that one. */
  #committedBefore(epoch: number): Place {
    let newest = NOWHERE;
    for (const place of this.#committedIn.values()) {
      if (place.epoch < epoch && place.sequence > newest.sequence) newest = place;
    }
    return newest;
  }

  /** A primary calls an entry of its epoch committed. */
  commits(node: number, place: Place): void {
    const { committed } = this;
    if (place.sequence <= committed.sequence) return;
    const holders = this.copies.filter((copy) => this.hadOnDisk(copy, place));
    if (holders.length < majority(this.copies.length)) {
      const disks = `it is on the disks of ${holders.join(', ') || 'nobody'}`;
      this.#broken('CQ', `${node} calls ${textOf(place)} committed, and ${disks}`);
    }
    if (!this.chain.holds(place, committed)) {
      this.#broken('CI', `${textOf(place)} is committed without ${textOf(committed)} before it`);
    }
    this.committed = place;
    this.#committedIn.set(place.epoch, place);
  }

  /** Whether a copy has, or had before its disk was lost, the entry. */
  hadOnDisk(node: number, place: Place): boolean {
    const disk = this.disks.get(node);
    if (disk === undefined) return false;
    return [disk.last, ...disk.destroyed].some((last) => this.chain.holds(last, place));
  }

  /** A primary answers something, and by that says that no later one does. */
  serves(node: number, epoch: number): void {
    if (epoch < this.servedEpoch) {
      const what = `${node} serves in epoch ${epoch}, and epoch ${this.servedEpoch} has answered`;
      this.#broken('STALE', what);
    }
    this.servedEpoch = Math.max(this.servedEpoch, epoch);
  }

  /** A copy applied the entry at this sequence of its log. */
  applies(
    node: number,
    { index, timeMs, command }: { index: number; timeMs: number; command: Uint8Array },
    { reply, notices }: Applied,
  ): void {
    const last = this.disks.get(node)?.last ?? NOWHERE;
    const epoch = this.chain.epochAt(last, index);
    const written = epoch === undefined ? undefined : this.at({ epoch, sequence: index });
    if (epoch === undefined || written === undefined) {
      this.#broken('ORD', `${node} applies ${index}, and its disk ends at ${textOf(last)}`);
      return;
    }
    if (written.timeMs !== timeMs || !isEqual(written.data, command)) {
      this.#broken('SMS', `${node} applies another command at ${index}`);
    }
    if (written.reply === undefined) {
      written.reply = reply;
      written.jobs = notices.flatMap((notice) => jobIn(notice) ?? []);
      this.#once({ epoch, sequence: index }, command, reply);
    } else if (!isEqual(written.reply, reply)) {
      this.#broken('SMS', `${node} gives another reply at ${epoch}/${index}`);
    }
  }

  /** What players were told of their jobs, by the log that all copies have by now. */
  *told(): Iterable<Job> {
    const [{ last } = { last: NOWHERE }] = this.disks.values();
    for (let sequence = 1; sequence <= last.sequence; sequence++) {
      const epoch = this.chain.epochAt(last, sequence) ?? 0;
      yield* this.at({ epoch, sequence })?.jobs ?? [];
    }
  }

  /** The whole state of a copy right after an entry. */
  hashes(node: number, sequence: number, stateHash: number): void {
    const last = this.disks.get(node)?.last ?? NOWHERE;
    const written = this.at({ epoch: this.chain.epochAt(last, sequence) ?? 0, sequence });
    if (written === undefined) return;
    written.stateHash ??= stateHash;
    if (written.stateHash !== stateHash) {
      this.#broken('SMS', `${node} has another state after ${sequence}`);
    }
  }

  acknowledged(level: 'one' | 'quorum', { epoch, sequence }: Place, atUs: number): void {
    let list = this.#quorum;
    if (level === 'one') {
      list = this.#one.get(epoch) ?? [];
      this.#one.set(epoch, list);
    }
    const highest = list.at(-1)?.sequence ?? 0;
    list.push({ atUs, sequence: Math.max(highest, sequence) });
  }

  /** The highest sequence that a majority was told of before a moment. */
  quorumBefore(atUs: number): number {
    return before(this.#quorum, atUs);
  }

  /** The same for what was told by the primary of an epoch alone. */
  oneBefore(epoch: number, atUs: number): number {
    return before(this.#one.get(epoch) ?? [], atUs);
  }

  #entry(
    node: number,
    disk: CopyDisk,
    entry: Place & { readonly timeMs: number; readonly data: Uint8Array },
  ): void {
    const { epoch, sequence } = entry;
    const behind = this.chain.epochAt(disk.last, sequence - 1);
    if (behind === undefined) {
      this.#broken('LM', `${node} has a gap before ${textOf(entry)}: its log ends at ${textOf(disk.last)}`);
      return;
    }
    if (!this.chain.follows(entry, behind)) {
      this.#broken('LM', `at ${node} entry ${textOf(entry)} follows one of epoch ${behind}`);
    }
    if (epoch > disk.promised) {
      this.#broken('MV', `${node} has ${textOf(entry)} on its disk, and promised ${disk.promised}`);
    }
    const timeBefore = this.at({ epoch: behind, sequence: sequence - 1 })?.timeMs ?? 0;
    if (entry.timeMs < timeBefore) this.#broken('TIME', `time runs back at ${textOf(entry)}`);
    this.#isSame(entry);
    disk.last = { epoch, sequence };
  }

  #isSame(entry: Place & { readonly timeMs: number; readonly data: Uint8Array }): void {
    const { timeMs, data } = entry;
    const sum = crc32c(data, 0, data.length, timeMs | 0);
    const known = this.at(entry);
    if (known === undefined) {
      const written = { sum, timeMs, data, reply: undefined, jobs: [], stateHash: undefined };
      this.#written.set(keyOf(entry), written);
    } else if (known.sum !== sum) this.#broken('LM', `two entries ${textOf(entry)}`);
  }

  /** What a log has lost was set aside before, from the very place at which it parted. */
  #isSetAside(node: number, disk: CopyDisk, before: Place): void {
    const from = this.chain.common(before, disk.last) + 1;
    if (from > before.sequence) return;
    const isKept = disk.tails.some(
      ({ fromSequence, toSequence, toEpoch }) =>
        fromSequence === from && toSequence >= before.sequence && toEpoch >= before.epoch,
    );
    if (isKept) return;
    const what = `${node} drops ${from} to ${textOf(before)} from its log, and has set aside`;
    const tails = disk.tails.map((tail) => `${tail.fromSequence} to ${tail.toEpoch}/${tail.toSequence}`);
    this.#broken('TAIL', `${what} ${tails.join(', ') || 'nothing'}`);
  }

  #once(place: Place, command: Uint8Array, bytes: Uint8Array): void {
    if (command.length === 0) return;
    const head = decodeCommandHead(command);
    if (head.session === 0) return;
    const reply = decodeReply(bytes);
    if (reply.order !== place.sequence || isSessionRefusal(reply)) return;
    const known = this.#applied.get(head) ?? [];
    const twice = known.find((former) => this.chain.holds(place, former));
    if (twice !== undefined) {
      const name = `${head.session}.${head.number}`;
      this.#broken('EO', `command ${name} was applied at ${textOf(twice)} and at ${textOf(place)}`);
    }
    this.#applied.set(head, [...known, place]);
  }

  #broken(invariant: Parameters<Verdicts['broken']>[0], what: string): void {
    this.#verdicts.broken(invariant, `${this.name}: ${what}`);
  }
}

export function textOf({ epoch, sequence }: Place): string {
  return `${epoch}/${sequence}`;
}

function newDisk(): CopyDisk {
  const none = { promised: 0, isBlank: true, last: NOWHERE };
  return { ...none, destroyed: [], tails: [], checkpoints: new Set() };
}

/** What a notice of crafting says; `undefined` for others. */
function jobIn({ push, value }: Notice): Job | undefined {
  return push === 'crafting' ? jobSchema.parse(value, 'job') : undefined;
}

function keyOf({ epoch, sequence }: Place): number {
  return sequence * EPOCH_SPAN + epoch;
}

/** The last that was acknowledged before the moment; the list is in the order of time. */
function before(list: readonly Acknowledged[], atUs: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.atUs ?? 0) < atUs) low = middle + 1;
    else high = middle;
  }
  return list[low - 1]?.sequence ?? 0;
}
