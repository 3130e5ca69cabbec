// The workload `lin-kv`: a linearizable key-value store, kept by one Raft group over all nodes.
//
// `workloads.ts` lists it. Keys and values may be any JSON; they are equal when their texts are, and an
// object's text does not depend on the order of its fields.
// Invariants: an error that Maelstrom counts as definite is answered only for what did not and will not
// happen; a write whose fate is unknown is a `timeout`. A read that failed has changed nothing, ever.
import type { Outcome } from '../../base/errors.ts';
import { errorBody, fieldOf, type Fields } from '../../wire/maelstrom.ts';
import { casKey, keyValue, readKey, writeKey } from './key-value.ts';
import { SharedGroup } from './shared-group.ts';
import type { Handle, MaelstromDoors, Members, Workload } from './workload.ts';

type Failed = Exclude<Outcome<unknown>, { kind: 'done' }>;

export function openLinKv(members: Members, doors: MaelstromDoors): Workload {
  const group = new SharedGroup(keyValue, members, doors);
  const read: Handle = (request, answer) => {
    const args = readKey.args.parse(textsOf(request, 'key'), 'request');
    group.query('key-value.read', readKey, args, (outcome) => {
      if (outcome.kind !== 'done') answer(readError(outcome));
      else answer({ type: 'read_ok', value: JSON.parse(outcome.value.value) });
    });
  };
  const write: Handle = (request, answer) => {
    const args = writeKey.args.parse(textsOf(request, 'key', 'value'), 'request');
    group.command('key-value.write', writeKey, args, (outcome) => {
      answer(outcome.kind === 'done' ? { type: 'write_ok' } : changeError(outcome));
    });
  };
  const cas: Handle = (request, answer) => {
    const args = casKey.args.parse(textsOf(request, 'key', 'from', 'to'), 'request');
    group.command('key-value.cas', casKey, args, (outcome) => {
      answer(outcome.kind === 'done' ? { type: 'cas_ok' } : changeError(outcome));
    });
  };
  return {
    requests: new Map([
      ['read', read],
      ['write', write],
      ['cas', cas],
    ]),
    stop: () => group.stop(),
  };
}

function readError(outcome: Failed): Fields {
  if (outcome.kind === 'uncertain') return unavailable();
  return changeError(outcome);
}

function changeError(outcome: Failed): Fields {
  switch (outcome.kind) {
    case 'unavailable':
      return unavailable();
    case 'uncertain':
      return errorBody('timeout', 'no answer in time: it may have happened, or may yet happen');
    case 'rejected':
      return rejection(outcome.reason);
  }
}

function rejection(reason: string): Fields {
  switch (reason) {
    case 'absent':
      return errorBody('key-does-not-exist', 'the key was never written');
    case 'mismatch':
      return errorBody('precondition-failed', 'another value than "from" stands there');
    case 'full':
      return errorBody('temporarily-unavailable', 'the store takes no more');
    default:
      // A reason that is not the call's own says nothing about an earlier attempt.
      return errorBody('crash', `the group refused it: ${reason}`);
  }
}

function unavailable(): Fields {
  return errorBody('temporarily-unavailable', 'no majority of the nodes answered in time');
}

/** The named fields, each as the one text for all ways to write the same JSON. */
function textsOf(request: Fields, ...names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, canonical(fieldOf(request, name))]));
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(',')}}`;
}
