// The calls that a client can make by name: the stock world's, and those of a studio's features.
//
// `index.ts` makes the table once, `client.ts` looks each call up. Accounts and positions are not in it: they
// have methods of their own.
import { InvalidInputError } from '../base/errors.ts';
import type { OwnCall, OwnCalls } from '../wire/own-calls.ts';
import { CALL_NAME_MAX, callClass, isRegional } from '../wire/player.ts';

export type KnownCalls = ReadonlyMap<string, OwnCall>;

/** Throws `InvalidInputError` for calls that no gateway could tell from others, or would take. */
export function knownCalls(own: OwnCalls): KnownCalls {
  const known = new Map<string, OwnCall>();
  for (const [name, kind] of Object.entries(callClass)) {
    if (kind === 'command' || kind === 'query') known.set(name, { kind, isRegional: isRegional(name) });
  }
  for (const [name, call] of Object.entries(own)) {
    if (Object.hasOwn(callClass, name)) {
      throw new InvalidInputError(`"${name}" is a call of the stock world: leave it out of calls`);
    }
    if (name.length > CALL_NAME_MAX) {
      throw new InvalidInputError(`"${name}" is longer than the ${CALL_NAME_MAX} characters of a call`);
    }
    known.set(name, checked(name, call));
  }
  return known;
}

/** A table that was read from JSON may be anything. */
function checked(name: string, { kind, isRegional: regional }: OwnCall): OwnCall {
  if ((kind === 'command' || kind === 'query') && typeof regional === 'boolean') {
    return { kind, isRegional: regional };
  }
  throw new InvalidInputError(`"${name}" needs a kind, command or query, and isRegional, true or false`);
}
