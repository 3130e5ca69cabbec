// A node of a Maelstrom run: it waits to be told who it is, then serves one workload.
//
// `cli/maelstrom` makes one and hands it what the harness asks. Every request that can be answered gets
// one answer; none of them, however wrong, ends the process.
// Invariant: an error that Maelstrom counts as definite is answered only when nothing happened.
import { InvalidInputError } from '../../base/errors.ts';
import { type NodeId, nodeId } from '../../base/id.ts';
import { errorBody, fieldOf, type Fields, type MaelstromBody } from '../../wire/maelstrom.ts';
import { distinct, list, text } from '../../wire/schema.ts';
import type { AnswerRequest, MaelstromDoors, Members, OpenWorkload, Workload } from './workload.ts';

const NODES_MAX = 64;
/** A node's name is also the name of its folder. */
const nodeName = text(1, 64, /^[A-Za-z0-9_-]+$/, 'A-Z a-z 0-9 _ -');
const nodeNames = distinct(list(nodeName, NODES_MAX));

export class MaelstromNode {
  readonly #open: OpenWorkload;
  readonly #doors: MaelstromDoors;
  #workload: Workload | undefined;

  constructor(open: OpenWorkload, doors: MaelstromDoors) {
    this.#open = open;
    this.#doors = doors;
  }

  /** Calls `answer` once, perhaps later. Throws only what opening the node's storage throws. */
  asked(request: MaelstromBody, answer: AnswerRequest): void {
    try {
      if (request.type === 'init') answer(this.#init(request.fields));
      else this.#serve(request, answer);
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      answer(errorBody('malformed-request', cause.message));
    }
  }

  async stop(): Promise<void> {
    await this.#workload?.stop();
  }

  #init(request: Fields): Fields {
    const members = membersOf(request);
    if (this.#workload !== undefined) {
      return errorBody('precondition-failed', 'this node was told before who it is');
    }
    this.#workload = this.#open(members, this.#doors);
    this.#doors.named(members.names.get(members.self) ?? '');
    return { type: 'init_ok' };
  }

  #serve({ type, fields }: MaelstromBody, answer: AnswerRequest): void {
    if (this.#workload === undefined) {
      answer(errorBody('temporarily-unavailable', 'this node waits for "init"'));
      return;
    }
    const { requests } = this.#workload;
    const handle = requests.get(type);
    if (handle !== undefined) handle(fields, answer);
    else answer(errorBody('not-supported', `known are ${[...requests.keys()].join(', ')}`));
  }
}

/** Numbers the nodes in the order of their names, so that all agree whatever order they are told. */
function membersOf(request: Fields): Members {
  const own = nodeName.parse(fieldOf(request, 'node_id'), 'node_id');
  const names = [...nodeNames.parse(fieldOf(request, 'node_ids'), 'node_ids')].sort();
  if (!names.includes(own)) throw new InvalidInputError('node_ids must name node_id, too');
  return {
    self: nodeId(names.indexOf(own) + 1),
    names: new Map<NodeId, string>(names.map((name, place) => [nodeId(place + 1), name])),
  };
}
