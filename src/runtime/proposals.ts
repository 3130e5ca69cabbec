// Commands that a region's primary has in its log and not yet answered: each waits for its own level.
//
// `replica-set.ts` owns one per copy. Bounded by the caller; who has waited too long is told that the
// outcome is uncertain, since the command is in the log and may still reach its level.
// Invariant: a caller is answered once.
import type { Position } from '../protocols/primary/messages.ts';
import type { AckLevel } from '../wire/levels.ts';
import type { GroupAnswer } from '../wire/peer.ts';

/** Longer than any asker waits: whoever asked has given up by then. */
const WAIT_MS_MAX = 10_000;

interface Waiting {
  readonly position: Position;
  readonly sinceMs: number;
  readonly answer: (answer: GroupAnswer) => void;
  /** Known once the command is applied. */
  reply: Uint8Array | undefined;
}

export class Proposals {
  /** Each in the order of the log. */
  readonly #byLevel: Readonly<Record<AckLevel, Waiting[]>> = { one: [], quorum: [], all: [] };
  readonly #bySequence = new Map<number, Waiting>();

  get size(): number {
    return this.#bySequence.size;
  }

  add(
    level: AckLevel,
    o: { readonly position: Position; readonly sinceMs: number; answer(answer: GroupAnswer): void },
  ): void {
    const waiting: Waiting = { ...o, answer: (answer) => o.answer(answer), reply: undefined };
    this.#byLevel[level].push(waiting);
    this.#bySequence.set(o.position.sequence, waiting);
  }

  applied(sequence: number, reply: Uint8Array): void {
    const waiting = this.#bySequence.get(sequence);
    if (waiting !== undefined) waiting.reply = reply;
  }

  /** Answers what has been applied and has reached its level. */
  settle(reached: (level: AckLevel) => number): void {
    for (const level of ['one', 'quorum', 'all'] as const) {
      const queue = this.#byLevel[level];
      const upTo = reached(level);
      let settled = 0;
      for (const { position, reply, answer } of queue) {
        if (position.sequence > upTo || reply === undefined) break;
        settled += 1;
        this.#bySequence.delete(position.sequence);
        answer({ kind: 'answered', reply, epoch: position.epoch });
      }
      if (settled > 0) queue.splice(0, settled);
    }
  }

  /** Those who have waited too long learn that nobody knows. */
  expire(nowMs: number): void {
    for (const queue of Object.values(this.#byLevel)) {
      while (queue[0] !== undefined && nowMs - queue[0].sinceMs >= WAIT_MS_MAX) {
        const oldest = queue.shift();
        if (oldest === undefined) break;
        this.#bySequence.delete(oldest.position.sequence);
        oldest.answer({ kind: 'uncertain' });
      }
    }
  }

  /** Another is primary: what was proposed here may be in its log, or lost. */
  abandon(): void {
    for (const queue of Object.values(this.#byLevel)) {
      for (const { answer } of queue.splice(0)) answer({ kind: 'uncertain' });
    }
    this.#bySequence.clear();
  }
}
