// One hop from a copy that is not the primary to the one that is: asks handed on, answers handed back.
//
// `global.ts` uses it on region nodes. A forwarded ask says so and is never handed on again, so that two
// copies which take each other for the primary make no circle: the asker is told who was thought to be it.
// Invariant: an ask is answered once. A command whose answer was lost may have happened.
import type { NodeId } from '../../base/id.ts';
import type { Clock } from '../../runtime/ports.ts';
import { encodePeerMessage, type GroupAnswer, type PeerMessage } from '../../wire/peer.ts';
import type { Outbox } from './outbox.ts';

type AskMessage = Extract<PeerMessage, { kind: 'ask' }>;

/** As many as one node may have under work; more are told where to ask. */
const FORWARDED_MAX = 20_000;
/** Longer than any asker waits. */
const WAIT_MS_MAX = 5_000;
const SWEEP_MS = 1_000;

interface Forwarded {
  readonly to: NodeId;
  readonly mode: AskMessage['mode'];
  readonly untilMs: number;
  answer(answer: GroupAnswer): void;
}

export class Forwarding {
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #open = new Map<number, Forwarded>();
  #nextNumber: number;
  #isSweeping = false;

  /** `firstNumber` as in `Route`, from another range. */
  constructor(o: { clock: Clock; outbox: Outbox; firstNumber: number }) {
    this.#clock = o.clock;
    this.#outbox = o.outbox;
    this.#nextNumber = o.firstNumber;
  }

  /** False when it can not be handed on; then nothing was sent, and nothing will be answered. */
  forward(to: NodeId, ask: AskMessage, answer: (answer: GroupAnswer) => void): boolean {
    if (ask.isForwarded === true || this.#open.size >= FORWARDED_MAX) return false;
    const number = this.#nextNumber++;
    if (!this.#outbox.send(to, encodePeerMessage({ ...ask, number, isForwarded: true }))) return false;
    const untilMs = this.#clock.monotonicMs() + WAIT_MS_MAX;
    this.#open.set(number, { to, mode: ask.mode, untilMs, answer });
    this.#sweepSoon();
    return true;
  }

  /** True when the answer was to something that was handed on here. */
  answered(from: NodeId, { number, answer }: Extract<PeerMessage, { kind: 'answer' }>): boolean {
    const forwarded = this.#open.get(number);
    if (forwarded?.to !== from) return false;
    this.#open.delete(number);
    forwarded.answer(answer);
    return true;
  }

  lost(node: NodeId): void {
    for (const [number, forwarded] of this.#open) {
      if (forwarded.to === node) this.#giveUp(number, forwarded);
    }
  }

  #giveUp(number: number, { mode, answer }: Forwarded): void {
    this.#open.delete(number);
    answer(mode === 'command' ? { kind: 'uncertain' } : { kind: 'moved', leader: undefined, term: 0 });
  }

  #sweepSoon(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#clock.wakeAt(this.#clock.monotonicMs() + SWEEP_MS, () => {
      this.#isSweeping = false;
      const nowMs = this.#clock.monotonicMs();
      for (const [number, forwarded] of this.#open) {
        if (nowMs >= forwarded.untilMs) this.#giveUp(number, forwarded);
      }
      if (this.#open.size > 0) this.#sweepSoon();
    });
  }
}
