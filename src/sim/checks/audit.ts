// The books, looked at after every entry: gold and items are what was given to players, no more, no less.
//
// `run.ts` makes one per run and has it called for each entry that is applied for the first time. Only the
// stock world has books; others have their own invariants to bring.
import type { StateMachine } from '../../protocols/state-machine.ts';
import { audit, type Audit } from '../../wire/calls.ts';
import { decodeReply, encodeQuery } from '../../wire/command.ts';
import { decodeWith, encodeWith } from '../../wire/schema.ts';
import { FIRST_GOLD, FIRST_ITEMS } from '../../world/features/holdings.ts';
import type { Verdicts } from './violation.ts';

const ASK: Uint8Array = encodeQuery({
  player: 0,
  call: 'holdings.audit',
  args: encodeWith(audit.args, null),
});

/** Checks the state right after entry `index`, and returns it in numbers. */
export function checkBooks(
  machine: StateMachine,
  index: number,
  verdicts: Verdicts,
): Audit | undefined {
  const reply = decodeReply(machine.query(ASK, index, 0));
  if (reply.kind !== 'done') return undefined;
  const books = decodeWith(audit.value, reply.value);
  if (!isBalanced(books)) {
    verdicts.broken('GOLD', `the books do not balance after ${index}: ${JSON.stringify(books)}`);
  }
  return books;
}

/** Each item that was made took the place of one that was consumed. */
function isBalanced(books: Audit): boolean {
  const made = books.itemsMinted - books.players * FIRST_ITEMS.length;
  return (
    made >= 0 &&
    made <= books.itemsConsumed &&
    books.goldMinted === books.players * FIRST_GOLD &&
    books.goldMinted === books.goldHeld + books.goldLocked &&
    books.itemsMinted === books.itemsHeld + books.itemsLocked + books.itemsConsumed
  );
}
