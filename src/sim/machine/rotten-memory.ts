// A state machine whose memory can rot: what it holds is no more what the log says, and no reply shows it.
//
// `global-host.ts` wraps the machine of each member in one; `rot-drill.ts` lets one rot. What it answers
// stays right: only the bytes of its whole state are others, by one bit.
import { restoredInSlices, slicesOf, type StateMachine } from '../../protocols/state-machine.ts';

/** No run decides as much as lies between two hashes that are shipped. */
export const SIM_HASH_EVERY = 16;

export function rottenMemory(machine: StateMachine, isRotten: () => boolean): StateMachine {
  return {
    apply: (entry) => machine.apply(entry),
    query: (request, index, timeMs) => machine.query(request, index, timeMs),
    snapshot: () => (isRotten() ? flipped(machine.snapshot()) : machine.snapshot()),
    *slices() {
      const parts = yield* slicesOf(machine);
      return isRotten() ? parts.map((part, place) => (place === 0 ? flipped(part) : part)) : parts;
    },
    restore: (snapshot) => machine.restore(snapshot),
    restoreInSlices: (snapshot) => restoredInSlices(machine, snapshot),
  };
}

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, place) => (place === bytes.length - 1 ? byte ^ 1 : byte));
}
