// How a node makes itself known to the other members before it speaks in their groups.
//
// `global-node.ts` owns one. A newborn node tells the others what it knows, itself included, again and
// again until enough of them have answered that they know it; from then on, and in any later process, it
// speaks at once. Whoever is told answers only what `asks` demands, so that two never talk in circles.
import { CorruptionError } from '../base/errors.ts';
import type { NodeId } from '../base/id.ts';
import { encodePeerMessage, type PeerMessage } from '../wire/peer.ts';
import type { NodeDoors, NodeSetting } from './node-role.ts';
import type { Outbox } from './calls/outbox.ts';
import { nodePlan } from './topology/topology.ts';

const ASK_EVERY_MS = 250;

export class Introduction {
  readonly #doors: NodeDoors;
  readonly #outbox: Outbox;
  /** For the operator who reads why this node must not go on. */
  readonly #name: string;
  #whenSettled: (() => void) | undefined;
  #isOver = false;

  constructor({ topology, node, doors }: NodeSetting, outbox: Outbox) {
    this.#doors = doors;
    this.#outbox = outbox;
    this.#name = nodePlan(topology, node).name;
  }

  /** `speak` is called once, as soon as this node may: at once unless it is newborn. */
  start(speak: () => void): void {
    if (this.#doors.incarnations.own.isSettled) {
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
    const { incarnations } = this.#doors;
    const heard = incarnations.hear(from, known);
    if (heard === 'stranger') {
      this.stop();
      this.#doors.fail(new CorruptionError(strangerSentence(this.#name)));
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
    const { clock, incarnations } = this.#doors;
    for (const other of incarnations.others) this.#tell(other, true);
    clock.wakeAt(clock.monotonicMs() + ASK_EVERY_MS, () => this.#ask());
  }

  #tell(to: NodeId, asks: boolean): void {
    const { incarnations } = this.#doors;
    if (this.#isOver || !incarnations.others.includes(to)) return;
    const known = incarnations.tell();
    this.#outbox.send(to, encodePeerMessage({ kind: 'incarnations', asks, known }));
  }
}

function strangerSentence(name: string): string {
  return (
    `The others know ${name} with another data folder than this one, which has forgotten what that one ` +
    `promised: give it its own folder back, or a new identity with \`bluemarble replace ${name}\`.`
  );
}
