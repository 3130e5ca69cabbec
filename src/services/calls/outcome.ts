// What an answer of a group or region means to who asked.
//
// `group-calls.ts` reads answers with it, and the members of a Maelstrom run.
import { InvalidInputError, type Outcome } from '../../base/errors.ts';
import { decodeReply } from '../../wire/command.ts';
import { decodeWith, type Schema } from '../../wire/schema.ts';
import type { RouteAnswer } from './route.ts';

/** An answer that can not be read counts as one that was not received; `unreadable` hears why. */
export function outcomeOf<Value>(
  answer: RouteAnswer,
  value: Schema<Value>,
  unreadable: (cause: string) => void = () => {},
): Outcome<Value> {
  if (answer.kind !== 'answered') return answer;
  try {
    const reply = decodeReply(answer.reply);
    if (reply.kind === 'rejected') return reply;
    return { kind: 'done', order: reply.order, value: decodeWith(value, reply.value) };
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    unreadable(cause.message);
    return { kind: 'uncertain' };
  }
}
