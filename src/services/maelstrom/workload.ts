// What a Maelstrom workload is, and the doors that it is given.
//
// `maelstrom-node.ts` opens one when the harness has said who the nodes are, and hands it the requests.
import type { NodeId } from '../../base/id.ts';
import type { Clock, Entropy, Logger, Peers } from '../../runtime/ports.ts';
import type { Fields } from '../../wire/maelstrom.ts';
import type { Storage } from '../node-role.ts';

/** The nodes of a run, numbered alike on all of them. */
export interface Members {
  readonly self: NodeId;
  readonly names: ReadonlyMap<NodeId, string>;
}

export interface MaelstromDoors {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly logger: Logger;
  /** Told once, when the node knows who it is: what comes for others is not for it. */
  named(name: string): void;
  /** Asked once, by workloads whose nodes speak to each other. A node is linked to itself, too. */
  openPeers(members: Members): Peers;
  /** Asked once, by workloads that remember. May throw: the process then ends. */
  openStorage(members: Members): Storage;
  /** The node can not keep its promises any more: the process must end. */
  fail(cause: unknown): void;
}

/** The body of a reply, or of an error. */
export type AnswerRequest = (body: Fields) => void;

/** Calls `answer` once. May throw `InvalidInputError` instead: the request is then malformed. */
export type Handle = (request: Fields, answer: AnswerRequest) => void;

export interface Workload {
  /** By the type of the request. */
  readonly requests: ReadonlyMap<string, Handle>;
  /** Leaves in order. */
  stop(): Promise<void>;
}

export type OpenWorkload = (members: Members, doors: MaelstromDoors) => Workload;
