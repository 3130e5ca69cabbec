// A node's ear for gateways: takes asks to the groups and copies it holds, and sends the answers back.
//
// The roles of `node.ts` hand in the `ask` messages. What groups and regions have to tell players goes to
// every region node, since only gateways know who is connected where; so does the news that this node was
// elected.
import type { NodeId } from '../base/id.ts';
import type { Notice } from '../protocols/state-machine.ts';
import type { Group } from '../runtime/group.ts';
import { encodePeerMessage, type GroupAnswer, type PeerMessage } from '../wire/peer.ts';
import type { Forwarding } from './calls/forwarding.ts';
import type { Outbox } from './calls/outbox.ts';

/** Asks of one node that are under work; as many as its route may have open altogether. */
const ASKS_PER_NODE_MAX = 20_000;
const BUSY_RETRY_MS = 100;

type AskMessage = Extract<PeerMessage, { kind: 'ask' }>;

export class Global {
  readonly #groups: ReadonlyMap<number, Group>;
  readonly #outbox: Outbox;
  readonly #regionNodes: readonly NodeId[];
  readonly #readHere: ReadonlySet<number>;
  readonly #forwarding: Forwarding | undefined;
  readonly #changed: (group: number) => void;
  readonly #inWork = new Map<NodeId, number>();

  constructor(o: {
    groups: ReadonlyMap<number, Group>;
    outbox: Outbox;
    regionNodes: readonly NodeId[];
    /** Groups whose queries are answered here, whoever leads. */
    readHere?: ReadonlySet<number>;
    /** Given where asks for another copy are handed on to it. */
    forwarding?: Forwarding;
    /** A command of the group was answered here. */
    changed?: (group: number) => void;
  }) {
    this.#groups = o.groups;
    this.#outbox = o.outbox;
    this.#regionNodes = o.regionNodes;
    this.#readHere = o.readHere ?? new Set();
    this.#forwarding = o.forwarding;
    this.#changed = o.changed ?? (() => {});
  }

  /** Every ask gets one answer while the link stands, also one for a group that is not here. */
  asked(from: NodeId, message: AskMessage): void {
    const group = this.#groups.get(message.group);
    const inWork = this.#inWork.get(from) ?? 0;
    if (group === undefined) {
      this.#answer(from, message.number, { kind: 'moved', leader: undefined, term: 0 });
      return;
    }
    if (inWork >= ASKS_PER_NODE_MAX) {
      const busy = { kind: 'unavailable', retryAfterMs: BUSY_RETRY_MS } as const;
      this.#answer(from, message.number, busy);
      return;
    }
    this.#inWork.set(from, inWork + 1);
    const end = (answer: GroupAnswer): void => {
      this.#inWork.set(from, (this.#inWork.get(from) ?? 0) - 1);
      this.#answer(from, message.number, answer);
      if (message.mode === 'command') this.#changed(message.group);
    };
    const answer = (answer: GroupAnswer): void => {
      if (answer.kind !== 'moved' || !this.#handOn(answer.leader, message, end)) end(answer);
    };
    if (message.mode === 'command') group.propose(message.body, answer, message.level);
    else {
      const at = this.#readHere.has(message.group) ? 'here' : message.bound;
      group.query(message.body, answer, at);
    }
  }

  /** Tells players, at most once each: a region node without a link misses it. */
  tell(notices: readonly Notice[]): void {
    for (const { player, region, push, value } of notices) {
      const frame = encodePeerMessage({
        kind: 'notice',
        player,
        ...(region === undefined ? {} : { region }),
        push,
        value: JSON.stringify(value) ?? 'null',
      });
      for (const node of this.#regionNodes) this.#outbox.send(node, frame);
    }
  }

  /** Tells every gateway, so that what it asks of another is asked here at once. */
  elected(group: number, term: number): void {
    for (const node of this.#regionNodes) this.#tellLeads(node, group, term);
  }

  /** A link stands again: the gateway may have missed an election. */
  up(node: NodeId): void {
    if (!this.#regionNodes.includes(node)) return;
    for (const [number, group] of this.#groups) {
      const status = group.status();
      if (status.role === 'leader') this.#tellLeads(node, number, status.term);
    }
  }

  #tellLeads(node: NodeId, group: number, term: number): void {
    this.#outbox.send(node, encodePeerMessage({ kind: 'leads', group, term }));
  }

  #handOn(to: NodeId | undefined, ask: AskMessage, answer: (answer: GroupAnswer) => void): boolean {
    return to !== undefined && this.#forwarding?.forward(to, ask, answer) === true;
  }

  #answer(to: NodeId, number: number, answer: GroupAnswer): void {
    this.#outbox.send(to, encodePeerMessage({ kind: 'answer', number, answer }));
  }
}
