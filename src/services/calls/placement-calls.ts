// The calls of `placement`, typed, for the two who speak to it: witnesses and the holders of copies.
//
// All go through `GroupCalls`, as every other call does. Repeats are harmless by the feature's own rules, so
// none of them carries a session.
import type { Outcome } from '../../base/errors.ts';
import { invariant } from '../../base/errors.ts';
import type { Group } from '../../runtime/group.ts';
import type { Shape } from '../../wire/call-shape.ts';
import { encodeCommand, encodeQuery } from '../../wire/command.ts';
import { encodeWith } from '../../wire/schema.ts';
import type { Asked, GroupCalls } from './group-calls.ts';

const NO_SESSION = { session: 0, sessionExpiresAtMs: 0, number: 0, answeredBelow: 0, player: 0 };

export class PlacementCalls {
  readonly #calls: GroupCalls;

  constructor(calls: GroupCalls) {
    this.#calls = calls;
  }

  /** Asks `placement.<name>`, whose shape must be this one; `settle` is called once. */
  ask<Args, Value>(
    name: string,
    shape: Shape<Args, Value>,
    args: Args,
    settle: (outcome: Outcome<Value>) => void,
  ): void {
    const call = this.#calls.find(`placement.${name}`);
    invariant(call !== undefined, `placement has a call ${name}`);
    const bytes = encodeWith(shape.args, args);
    const body =
      call.mode === 'query'
        ? encodeQuery({ player: 0, call: call.name, args: bytes })
        : encodeCommand({ ...NO_SESSION, call: call.name, args: bytes });
    this.#calls.ask({ call, value: shape.value, body, settle });
  }
}

/** Asks the member that is here first; one that does not lead leaves it to the route. */
export function localFirst(groups: ReadonlyMap<number, Group>, route: Asked): Asked {
  return {
    ask(ask) {
      const local = groups.get(ask.group);
      if (local === undefined) return route.ask(ask);
      const settle: Parameters<Group['propose']>[1] = (answer) => {
        if (answer.kind === 'moved') route.ask(ask);
        else ask.answer(answer);
      };
      if (ask.mode === 'command') local.propose(ask.body, settle);
      else local.query(ask.body, settle);
    },
  };
}
