// A lock with fencing tokens, and the resource that it guards.
//
// `acquire` is answered with {token}: higher than every token before it; or rejected as `held`.
// `release` {token} is answered with nothing, or rejected as `not-held`. `write` {token, value} at the
// guarded resource is answered with nothing, or rejected as `stale-token`; `read` is answered with what
// was written last. The initial state of a lock is nothing, or {leases: true}: then its right ends by
// itself, so that another may acquire it while it seems held. The tokens must fence even so.
// An acquisition of unknown fate has a token that nobody knows; the lowest one possible stands for it.
import type { Operation } from '../history.ts';
import type { Action, Model, Part, Problem } from '../model.ts';
import {
  amountOf,
  canonical,
  fieldsOf,
  initialOf,
  noResult,
  Numbering,
  rejectionOf,
  refuse,
} from '../reading.ts';

interface Lock {
  readonly isHeld: boolean;
  /** The highest token that was given out. */
  readonly issued: number;
  /** The highest token that the resource was written with. */
  readonly seen: number;
  /** The number of the value that the resource has. */
  readonly value: number;
}

interface LockAction extends Action {
  readonly kind: 'acquire' | 'release' | 'write' | 'read' | 'held' | 'not-held' | 'stale-token';
  /** `undefined` when it is not known. */
  readonly token: number | undefined;
  readonly value: number;
}

export const lock: Model<Lock, LockAction> = {
  name: 'lock',
  functions: ['acquire', 'release', 'write', 'read'],
  open(part: Part): Problem<Lock, LockAction> {
    const values = new Numbering();
    const number = (value: unknown): number => values.of(canonical(value));
    const initial = fieldsOf('init', initialOf(part.initial, part.name) ?? {}, ['leases']);
    const { leases = false } = initial;
    if (typeof leases !== 'boolean') refuse('init', 'needs "leases", true or false');
    return {
      initial: { isHeld: false, issued: 0, seen: 0, value: number(null) },
      actions: part.operations.map((operation) => actionOf(operation, number)),
      sameness: equal,
      step: (state, action) => step(state, action, leases),
      describe({ isHeld, issued, seen, value }) {
        const holder = isHeld ? `held with token ${issued}` : `free, last token ${issued}`;
        return `${holder}; the resource has seen token ${seen} and holds ${values.text(value)}`;
      },
    };
  },
};

function step(state: Lock, action: LockAction, leases: boolean): Lock | undefined {
  const { isHeld, issued, seen } = state;
  const { kind, token, value } = action;
  switch (kind) {
    case 'acquire': {
      const next = token ?? issued + 1;
      const isFree = leases || !isHeld;
      return isFree && next > issued ? { ...state, isHeld: true, issued: next } : undefined;
    }
    case 'held':
      return isHeld ? state : undefined;
    case 'release':
      return isHeld && token === issued ? { ...state, isHeld: false } : undefined;
    case 'not-held':
      return leases || !isHeld || token !== issued ? state : undefined;
    case 'write': {
      const given = token ?? 0;
      return given >= seen && given <= issued ? { ...state, seen: given, value } : undefined;
    }
    case 'stale-token':
      return (token ?? 0) < issued ? state : undefined;
    case 'read':
      return state.value === value ? state : undefined;
  }
}

function actionOf(
  operation: Operation,
  number: (value: unknown) => number,
): LockAction | undefined {
  const { f, input, isKnown, rejected, result } = operation;
  if (f === 'acquire') {
    if (rejectionOf(operation, ['held']) !== undefined) {
      return { kind: 'held', changes: false, token: undefined, value: 0 };
    }
    const answer = isKnown ? fieldsOf(operation, result, ['token']) : undefined;
    const token = answer && amountOf(operation, answer['token'], 'a token as its answer');
    return { kind: 'acquire', changes: true, token, value: 0 };
  }
  if (f === 'read') {
    rejectionOf(operation, []);
    if (!isKnown) return undefined;
    return { kind: 'read', changes: false, token: undefined, value: number(result) };
  }
  noResult(operation);
  const fields = fieldsOf(operation, input, f === 'write' ? ['token', 'value'] : ['token']);
  const token = amountOf(operation, fields['token'], 'a token');
  const reason = f === 'write' ? 'stale-token' : 'not-held';
  rejectionOf(operation, [reason]);
  if (rejected !== undefined) return { kind: reason, changes: false, token, value: 0 };
  if (f === 'release') return { kind: 'release', changes: true, token, value: 0 };
  return { kind: 'write', changes: true, token, value: number(fields['value']) };
}

function equal(one: Lock, other: Lock): boolean {
  const isSameLock = one.isHeld === other.isHeld && one.issued === other.issued;
  return isSameLock && one.seen === other.seen && one.value === other.value;
}
