// What players are to be told, held until a majority of a region's copies has the entry that says so.
//
// `replica-set.ts` owns one per copy. A notice is told at most once: what waits when another becomes
// primary, or is too much, is not told.
import type { Notice } from '../protocols/state-machine.ts';

/** Entries with notices that wait; of more the oldest are forgotten. */
const HELD_MAX = 10_000;

export class HeldNotices {
  #held: { readonly sequence: number; readonly notices: readonly Notice[] }[] = [];

  /** In the order of the log. */
  hold(sequence: number, notices: readonly Notice[]): void {
    if (notices.length === 0) return;
    this.#held.push({ sequence, notices });
    if (this.#held.length > HELD_MAX) this.#held.shift();
  }

  /** Lets go of everything up to the committed sequence. */
  tell(committed: number, tell: (notices: readonly Notice[]) => void): void {
    let told = 0;
    for (const { sequence, notices } of this.#held) {
      if (sequence > committed) break;
      tell(notices);
      told += 1;
    }
    if (told > 0) this.#held.splice(0, told);
  }

  forget(): void {
    this.#held = [];
  }
}
