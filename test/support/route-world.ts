// A gateway's route and the members of a group that it asks, in virtual time, for tests.
import { type NodeId, nodeId } from '../../src/base/id.ts';
import type { Peers } from '../../src/runtime/ports.ts';
import { Outbox } from '../../src/services/calls/outbox.ts';
import { Route, type RouteAnswer } from '../../src/services/calls/route.ts';
import type { GroupPlan } from '../../src/services/topology/topology.ts';
import type { ReadBound } from '../../src/wire/levels.ts';
import { decodePeerMessage, encodePeerMessage, type GroupAnswer } from '../../src/wire/peer.ts';
import { MemoryNetwork } from './memory-peers.ts';
import { VirtualClock } from './virtual-clock.ts';

export const GATEWAY: NodeId = nodeId(9);
export const MEMBERS: readonly NodeId[] = [1, 2, 3].map(nodeId);
export const GROUP: GroupPlan = {
  number: 2,
  name: 'economy',
  members: MEMBERS,
  features: [],
  reads: 'leader',
};
export const BODY: Uint8Array = Uint8Array.of(7, 7);

/** What a member of the group does with an ask; `undefined` keeps silent. */
type Conduct = (body: Uint8Array, asked: number) => GroupAnswer | undefined;

/** A gateway's route and three members whose conduct the test decides. */
export class RouteWorld {
  readonly clock: VirtualClock = new VirtualClock();
  readonly network: MemoryNetwork = new MemoryNetwork(this.clock);
  readonly conduct: Map<NodeId, Conduct> = new Map();
  /** Who was asked, in order. */
  readonly asked: NodeId[] = [];
  /** Whom a majority of the witnesses doubts. */
  readonly doubted: Set<NodeId> = new Set();
  readonly ends: Map<NodeId, Peers> = new Map();
  readonly route: Route;
  readonly #replies: (() => void)[] = [];

  /** `reads`: who of the group's members answers queries. */
  constructor(reads: 'leader' | 'any' = 'leader') {
    for (const member of MEMBERS) this.#addMember(member);
    const { clock } = this;
    const peers = this.network.join(GATEWAY);
    this.route = new Route({
      clock,
      peers,
      outbox: new Outbox(clock, peers),
      groups: [{ ...GROUP, reads }],
      isDoubted: (node) => this.doubted.has(node),
      firstNumber: 1_000,
    });
    peers.listen({
      received: (from, frame) => {
        const message = decodePeerMessage(frame);
        if (message.kind === 'answer') this.route.answered(from, message);
        else if (message.kind === 'leads') this.route.led(from, message);
      },
      up: () => {},
      lost: (node) => this.route.lost(node),
    });
  }

  /** A first ask has found out who leads. */
  static askedOnce(leader: NodeId): RouteWorld {
    const world = new RouteWorld();
    world.lead(leader);
    world.ask();
    world.clock.advance(10);
    return world;
  }

  /** Reads what any copy may serve that is new enough. */
  read(bound: ReadBound): RouteAnswer[] {
    const answers: RouteAnswer[] = [];
    const answer = (given: RouteAnswer): void => void answers.push(given);
    this.route.ask({ group: GROUP.number, mode: 'query', body: BODY, bound, deadlineMs: 3_000, answer });
    return answers;
  }

  ask(deadlineMs: number = 3_000, mode: 'command' | 'query' = 'command'): RouteAnswer[] {
    const answers: RouteAnswer[] = [];
    this.route.ask({
      group: GROUP.number,
      mode,
      body: BODY,
      deadlineMs,
      answer: (answer) => answers.push(answer),
    });
    return answers;
  }

  /** Sends the answers that were held back. */
  release(): void {
    for (const reply of this.#replies.splice(0)) reply();
  }

  /** Answers of a member that are only sent when the test says so. */
  holdBack(member: NodeId, answer: GroupAnswer): void {
    const end = this.ends.get(member);
    this.conduct.set(member, (_, number) => {
      this.#replies.push(() => {
        end?.send(GATEWAY, encodePeerMessage({ kind: 'answer', number, answer }));
        end?.flush();
      });
      return undefined;
    });
  }

  /** The member answers `ms` after it was asked, as one that must ask its followers first. */
  answerAfter(member: NodeId, ms: number): void {
    const end = this.ends.get(member);
    this.conduct.set(member, (_, number) => {
      this.clock.wakeAt(this.clock.monotonicMs() + ms, () => {
        const answer = answeredBy(member);
        end?.send(GATEWAY, encodePeerMessage({ kind: 'answer', number, answer }));
        end?.flush();
      });
      return undefined;
    });
  }

  /** A member tells the gateway that it was elected. */
  announce(member: NodeId, term: number): void {
    const end = this.ends.get(member);
    end?.send(GATEWAY, encodePeerMessage({ kind: 'leads', group: GROUP.number, term }));
    end?.flush();
  }

  #addMember(member: NodeId): void {
    const end = this.network.join(member);
    this.ends.set(member, end);
    end.listen({
      received: (from, frame) => {
        const message = decodePeerMessage(frame);
        if (message.kind !== 'ask') return;
        this.asked.push(member);
        const answer = this.conduct.get(member)?.(message.body, message.number);
        if (answer === undefined) return;
        end.send(from, encodePeerMessage({ kind: 'answer', number: message.number, answer }));
        end.flush();
      },
      up: () => {},
      lost: () => {},
    });
  }

  /** The named member leads; the others know it. */
  lead(leader: NodeId): void {
    for (const member of MEMBERS) {
      const answer: GroupAnswer =
        member === leader ? answeredBy(member) : { kind: 'moved', leader, term: 1 };
      this.conduct.set(member, () => answer);
    }
  }

  /** Nobody leads. */
  headless(): void {
    for (const member of MEMBERS) {
      this.conduct.set(member, () => ({ kind: 'moved', leader: undefined, term: 1 }));
    }
  }
}

export function answeredBy(member: NodeId): GroupAnswer {
  return { kind: 'answered', reply: Uint8Array.of(member) };
}
