// Which epoch each entry of a region's log is of, kept as the first entry of each epoch.
//
// `log.ts` owns one. Since an epoch has one primary, two logs that have the same epoch at a sequence are
// the same up to there, so that two lists of runs tell at once how far two logs agree, also where both
// have become checkpoints since.
// Source: Kafka KIP-101 and KIP-279 (leader epoch cache); log matching as in Raft (thesis), section 3.5.
import { invariant } from '../../base/errors.ts';
import { type EpochRun, RUNS_MAX } from './messages.ts';

export class Epochs {
  #runs: EpochRun[];

  constructor(runs: readonly EpochRun[] = []) {
    this.#runs = [...runs];
  }

  /** `undefined` for what is too old to be known; 0 at sequence 0, where every log is the same. */
  epochAt(sequence: number): number | undefined {
    return sequence === 0 ? 0 : runAt(this.#runs, sequence)?.epoch;
  }

  appended(epoch: number, sequence: number): void {
    const newest = this.#runs.at(-1);
    invariant(newest === undefined || epoch >= newest.epoch, 'epochs never fall along the log');
    if (newest?.epoch === epoch) return;
    this.#runs.push({ epoch, first: sequence });
    if (this.#runs.length > RUNS_MAX) this.#runs.shift();
  }

  /** Forgets everything from `sequence` on. */
  cut(sequence: number): void {
    while ((this.#runs.at(-1)?.first ?? 0) >= sequence) this.#runs.pop();
  }

  /** As they were when `sequence` was the last. */
  upTo(sequence: number): readonly EpochRun[] {
    return this.#runs.filter(({ first }) => first <= sequence);
  }

  /** How far this log up to `last` and another one are the same; 0 also when that can not be told. */
  common(last: number, other: { readonly last: number; readonly runs: readonly EpochRun[] }): number {
    let sequence = Math.min(last, other.last);
    while (sequence > 0) {
      const [own, theirs] = [runAt(this.#runs, sequence), runAt(other.runs, sequence)];
      if (own === undefined || theirs === undefined) return 0;
      if (own.epoch === theirs.epoch) return sequence;
      // Within both runs the epochs differ all along.
      sequence = Math.max(own.first, theirs.first) - 1;
    }
    return 0;
  }
}

function runAt(runs: readonly EpochRun[], sequence: number): EpochRun | undefined {
  return runs.findLast(({ first }) => first <= sequence);
}
