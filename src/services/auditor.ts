// Counts a node's copies through for its operator: how far they are, their hash, and the features' books.
//
// `global-node.ts` owns one. It reads each copy as it stands, without asking the group, so that copies
// can be compared; comparing is the asker's business. Counting walks over whole states and holds the
// loop up meanwhile, so that the latest count is given again unless the operator wants a fresh one: a
// count that costs nothing is made anew each second, one that costs 100 ms every hundred seconds.
import { invariant } from '../base/errors.ts';
import type { Group } from '../runtime/group.ts';
import type { Clock } from '../runtime/ports.ts';
import { decodeReply, encodeQuery } from '../wire/command.ts';
import { decodeWith, encodeWith, nothing, type Schema } from '../wire/schema.ts';
import type { GroupAudit } from '../wire/status.ts';
import type { Feature } from '../world/feature.ts';

/** A count stays good for its cost in ms, squared, times this. */
const GOOD_FOR_MS = 10;

interface Book {
  readonly call: string;
  readonly value: Schema<unknown>;
}

interface Audited {
  readonly group: Group;
  readonly books: readonly Book[];
}

export class Auditor {
  readonly #clock: Clock;
  readonly #audited: Audited[] = [];
  #latest: readonly GroupAudit[] = [];
  #goodUntilMs: number = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(group: Group, features: readonly Feature[]): void {
    const books = features.flatMap((feature) =>
      Object.entries(feature.queries)
        .filter(([, { by, args }]) => by === 'operator' && args === nothing)
        .map(([name, { value }]) => ({ call: `${feature.name}.${name}`, value })),
    );
    this.#audited.push({ group, books });
  }

  /** The latest count, or a new one when the operator insists or it is not too dear by now. */
  audit(fresh: boolean): readonly GroupAudit[] {
    const beganMs = this.#clock.monotonicMs();
    if (!fresh && beganMs < this.#goodUntilMs) return this.#latest;
    this.#latest = this.#audited.map((audited) => count(audited));
    const costMs = this.#clock.monotonicMs() - beganMs;
    this.#goodUntilMs = beganMs + costMs * costMs * GOOD_FOR_MS;
    return this.#latest;
  }
}

function count({ group, books }: Audited): GroupAudit {
  const { applied, epoch, stateHash } = group.inspect();
  const facts: Record<string, unknown> = {};
  for (const book of books) facts[book.call] = read(group, book);
  return { group: group.name, applied, epoch, stateHash, facts };
}

function read(group: Group, { call, value }: Book): unknown {
  const args = encodeWith(nothing, null);
  const reply = decodeReply(group.read(encodeQuery({ player: 0, call, args })));
  invariant(reply.kind === 'done', `${call} counts and refuses nothing`);
  return decodeWith(value, reply.value);
}
