// A log fed through fresh state machines, to be compared with what its copies answered.
//
// `own-truth.ts` calls it when a drill is over. One machine takes the log from its first entry to its last. A
// second one is saved and loaded again and again on its way, as copies are that crash and come back: what a
// feature forgets in between shows although no node of the drill happened to need a checkpoint.
import { isEqual } from '../base/equal-bytes.ts';
import type { StateMachine } from '../protocols/state-machine.ts';
import type { Tapped } from '../wire/tap.ts';

/** How often the second machine is saved and loaded, at even distances. */
const LOADS = 32;

export interface ReplayOptions {
  /** A new one each time it is called. */
  readonly machine: () => StateMachine;
  /** From the first on. */
  readonly entries: readonly Tapped[];
  /** Called with the state as it is once the entry is applied; first for what there is before any. */
  readonly applied: (query: (request: Uint8Array) => Uint8Array, index: number) => void;
}

export interface Replayed {
  /** The first entry that is answered otherwise by a machine of the same features. */
  readonly wrong: Wrong | undefined;
  /** The first one that is, once the state was saved and loaded. */
  readonly forgotten: Wrong | undefined;
  /** Why a state could not be taken over from its bytes, or was another one afterwards. */
  readonly unloadable: string | undefined;
}

export interface Wrong {
  readonly entry: Tapped;
  readonly reply: Uint8Array;
  /** Where it was saved and loaded last. */
  readonly loadedAt: number;
}

/** Whatever a feature throws here it would throw on each node: it is handed on. */
export function replay({ machine: make, entries, applied }: ReplayOptions): Replayed {
  const machine = make();
  let wrong: Wrong | undefined;
  applied((request) => machine.query(request, 0, 0), 0);
  for (const entry of entries) {
    const { index, timeMs } = entry;
    wrong ??= misapplied(machine, entry, 0);
    applied((request) => machine.query(request, index, timeMs), index);
  }
  if (wrong !== undefined) return { wrong, forgotten: undefined, unloadable: undefined };
  return { wrong, ...replayWithLoads(make, entries) };
}

function replayWithLoads(
  make: () => StateMachine,
  entries: readonly Tapped[],
): Pick<Replayed, 'forgotten' | 'unloadable'> {
  const distance = Math.ceil(entries.length / LOADS);
  let machine = make();
  let loadedAt = 0;
  for (const [at, entry] of entries.entries()) {
    const forgotten = misapplied(machine, entry, loadedAt);
    if (forgotten !== undefined) return { forgotten, unloadable: undefined };
    if (at % distance !== 0) continue;
    loadedAt = entry.index;
    const saved = machine.snapshot();
    machine = make();
    const unloadable = notTaken(machine, saved);
    if (unloadable === undefined) continue;
    return { forgotten: undefined, unloadable: `the state after ${loadedAt} ${unloadable}` };
  }
  return { forgotten: undefined, unloadable: undefined };
}

function misapplied(machine: StateMachine, entry: Tapped, loadedAt: number): Wrong | undefined {
  const { index, timeMs, applied } = entry;
  if (applied === undefined) return undefined;
  const { reply } = machine.apply({ index, timeMs, command: applied.command });
  return isEqual(reply, applied.reply) ? undefined : { entry, reply, loadedAt };
}

function notTaken(machine: StateMachine, saved: Uint8Array): string | undefined {
  try {
    machine.restore(saved);
  } catch (cause) {
    return `can not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
  return isEqual(machine.snapshot(), saved) ? undefined : 'is other bytes once it was saved and loaded';
}
