// What clients were told, held against what the groups decided.
//
// `workload.ts` reports every ask and every answer. A decided answer must be the reply that stands in
// the group's history at its order, for this very command; nothing that was answered before a call began
// may come after it in the log; what was refused as `unavailable` each time was never applied.
import { isEqual } from '../../base/equal-bytes.ts';
import { decodeReply, isSessionRefusal, type Reply } from '../../wire/command.ts';
import type { AckLevel } from '../../wire/levels.ts';
import type { Place } from './epoch-chain.ts';
import type { GroupHistory } from './group-history.ts';
import type { Verdicts } from './violation.ts';

/** What a call of a region has besides. */
export interface RegionalPart {
  readonly regionName: string;
  /** Whose session asks. */
  readonly client: number;
  /** What its frame asks for, and what that comes to. */
  readonly ack: AckLevel | undefined;
  readonly level: AckLevel;
  /** Of a query whose player allows it to be old. */
  readonly msOld: number | undefined;
  /** Where the first decided answer stands. */
  answeredAt: Place | undefined;
}

/** One command or query of a client, however often it is asked. */
export interface Call {
  /** The number of the group, or of the region. */
  readonly group: number;
  readonly regional: RegionalPart | undefined;
  readonly mode: 'command' | 'query';
  readonly name: string;
  readonly body: Uint8Array;
  /** 0 without a session. */
  readonly session: number;
  readonly number: number;
  /** The highest order that any client knew of in this group when the call began. */
  readonly notBefore: number;
  /** An ask of it ended without a decision: it may be applied. */
  mayHappen: boolean;
  /** The first decided answer. */
  answer: Uint8Array | undefined;
}

export class Truth {
  readonly #histories: ReadonlyMap<number, GroupHistory>;
  readonly #verdicts: Verdicts;
  readonly #known = new Map<number, number>();
  readonly #refused: Call[] = [];
  decided = 0;
  unavailable = 0;
  uncertain = 0;

  constructor(histories: ReadonlyMap<number, GroupHistory>, verdicts: Verdicts) {
    this.#histories = histories;
    this.#verdicts = verdicts;
  }

  /** The highest order that anybody was told of in the group. */
  known(group: number): number {
    return this.#known.get(group) ?? 0;
  }

  /** A decided answer. Returns it decoded. */
  answered(call: Call, bytes: Uint8Array): Reply {
    const reply = decodeReply(bytes);
    this.decided += 1;
    const { order } = reply;
    if (order < call.notBefore) {
      const what = `${call.name} has order ${order}, and ${call.notBefore} was known before it began`;
      this.#verdicts.broken('LIN', what);
    }
    if (call.mode === 'command') this.#isDecided(call, bytes, reply);
    this.#known.set(call.group, Math.max(this.known(call.group), order));
    return reply;
  }

  /** The client gives up a call of which every ask was refused. */
  neverHappens(call: Call): void {
    if (call.session > 0 && !call.mayHappen) this.#refused.push(call);
  }

  /** When all is over. */
  finish(): void {
    for (const { group, session, number, name, mayHappen, answer } of this.#refused) {
      // A copy of it may have been under way when it was given up.
      if (mayHappen || answer !== undefined) continue;
      const index = this.#histories.get(group)?.appliedAt(session, number);
      if (index === undefined) continue;
      const what = `${name} (${session}.${number}) was unavailable, and is applied at ${index}`;
      this.#verdicts.broken('TRUTH', what);
    }
  }

  #isDecided(call: Call, bytes: Uint8Array, reply: Reply): void {
    const story = `${call.name} (${call.session}.${call.number}) answered with order ${reply.order}`;
    const decided = this.#histories.get(call.group)?.at(reply.order);
    if (decided?.reply === undefined || !isEqual(decided.reply, bytes)) {
      this.#verdicts.broken('TRUTH', `${story}, which the log does not say`);
    } else if (!isEqual(decided.entry.data, call.body)) {
      this.#verdicts.broken('TRUTH', `${story}, which is another command`);
    }
    // A refusal by the session, or of a command without one, may differ from the first answer. It tells
    // nothing of former attempts: one of a copy asked at another gateway may have been applied.
    const isRefused = isSessionRefusal(reply);
    if (isRefused) call.mayHappen = true;
    if (call.session === 0 || isRefused) return;
    call.answer ??= bytes;
    if (!isEqual(call.answer, bytes)) {
      this.#verdicts.broken('EO', `${story}, and was answered otherwise before`);
    }
  }
}
