// What a region lost with a primary, as one of its copies still had it: set aside in a file, and counted.
//
// `replica-set.ts` keeps one per copy. A tail is set aside before the log is cut, so that nothing which
// was acknowledged to anybody disappears without a trace; the file's name says which entries it holds.
// A file is: entries as the journal writes them, one after the other, and a CRC-32C of all that.
import { ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import type { LostTail } from '../protocols/primary/messages.ts';
import type { LostRange } from '../wire/status.ts';
import type { Disk } from './ports.ts';

const NAME = /^lost-(\d+)-(\d+)-(\d+)-(\d+)\.bin$/;

export class LostTails {
  readonly #disk: Disk;
  readonly #ranges: LostRange[];

  constructor(disk: Disk) {
    this.#disk = disk;
    this.#ranges = disk.names().flatMap((name) => rangeOf(name) ?? []);
    this.#ranges.sort((a, b) => a.toEpoch - b.toEpoch || a.toSequence - b.toSequence);
  }

  /** In the order in which they were lost. */
  get ranges(): readonly LostRange[] {
    return this.#ranges;
  }

  /** Durable when this returns. The same tail, lost again after a crash, counts once. */
  setAside({ from, to, entries }: LostTail): void {
    const range: LostRange = {
      fromEpoch: from.epoch,
      fromSequence: from.sequence,
      toEpoch: to.epoch,
      toSequence: to.sequence,
    };
    const name = nameOf(range);
    const writer = new ByteWriter(1024);
    for (const { epoch, sequence, timeMs, data } of entries) {
      writer.varint(epoch).varint(sequence).varint(timeMs).bytes(data);
    }
    const sum = crc32c(writer.view());
    this.#disk.publish(name, [writer.u32(sum).finish()]);
    if (!this.#ranges.some((known) => nameOf(known) === name)) this.#ranges.push(range);
  }
}

function nameOf({ fromEpoch, fromSequence, toEpoch, toSequence }: LostRange): string {
  return `lost-${fromEpoch}-${fromSequence}-${toEpoch}-${toSequence}.bin`;
}

function rangeOf(name: string): LostRange | undefined {
  const found = NAME.exec(name)?.slice(1).map(Number);
  if (found === undefined) return undefined;
  const [fromEpoch = 0, fromSequence = 0, toEpoch = 0, toSequence = 0] = found;
  return { fromEpoch, fromSequence, toEpoch, toSequence };
}
