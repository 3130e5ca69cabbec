// How a node makes itself known to the other members before it speaks in their groups.
//
// `global-node.ts` owns one. A newborn node tells the others what it knows, itself included, again and
// again until enough of them have answered that they know it; from then on, and in any later process, it
// speaks at once. Whoever is told answers only what `asks` demands, so that two never talk in circles.
import { CorruptionError } from '../base/errors.ts';
import type { NodeId } from '../base/id.ts';
import type { Clock } from '../runtime/ports.ts';
import { encodePeerMessage, type PeerMessage } from '../wire/peer.ts';
import type { Incarnations } from './incarnations.ts';
import type { Outbox } from './outbox.ts';

const ASK_EVERY_MS = 250;

export interface IntroductionOptions {
  /** For the operator who reads why this node must not go on. */
  readonly name: string;
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly incarnations: Incarnations;
  fail(cause: unknown): void;
}

export class Introduction {
  readonly #o: IntroductionOptions;
  #whenSettled: (() => void) | undefined;
  #isOver = false;

  constructor(options: IntroductionOptions) {
    this.#o = options;
  }

  /** `speak` is called once, as soon as this node may: at once unless it is newborn. */
  start(speak: () => void): void {
    if (this.#o.incarnations.own.isSettled) {
      speak();
      return;
    }
    this.#whenSettled = speak;
    this.#ask();
  }

  stop(): void {
    this.#isOver = true;
    this.#whenSettled = undefined;
  }

  up(node: NodeId): void {
    this.#tell(node, this.#whenSettled !== undefined);
  }

  received(from: NodeId, { asks, known }: Extract<PeerMessage, { kind: 'incarnations' }>): void {
    const { incarnations, name, fail } = this.#o;
    const heard = incarnations.hear(from, known);
    if (heard === 'stranger') {
      this.stop();
      fail(new CorruptionError(strangerSentence(name)));
      return;
    }
    if (asks) this.#tell(from, false);
    if (heard !== 'settled') return;
    this.#whenSettled?.();
    this.#whenSettled = undefined;
    for (const other of incarnations.others) this.#tell(other, false);
  }

  #ask(): void {
    if (this.#isOver || this.#whenSettled === undefined) return;
    const { clock, incarnations } = this.#o;
    for (const other of incarnations.others) this.#tell(other, true);
    clock.wakeAt(clock.monotonicMs() + ASK_EVERY_MS, () => this.#ask());
  }

  #tell(to: NodeId, asks: boolean): void {
    if (this.#isOver || !this.#o.incarnations.others.includes(to)) return;
    const known = this.#o.incarnations.tell();
    this.#o.outbox.send(to, encodePeerMessage({ kind: 'incarnations', asks, known }));
  }
}

function strangerSentence(name: string): string {
  return (
    `The others know ${name} with another data folder than this one, which has forgotten what that one ` +
    `promised: give it its own folder back, or a new identity with \`bluemarble replace ${name}\`.`
  );
}
