// A state machine that somebody watches: in all else it is the one that is watched.
//
// The checkers of groups and of regions hand them to the shipped drivers.
import { restoredInSlices, slicesOf, type StateMachine } from '../../protocols/state-machine.ts';

export function watchedMachine(
  machine: StateMachine,
  watch: Pick<StateMachine, 'apply'> & Partial<Pick<StateMachine, 'query'>>,
): StateMachine {
  return {
    query: (request, index, timeMs) => machine.query(request, index, timeMs),
    snapshot: () => machine.snapshot(),
    slices: () => slicesOf(machine),
    restore: (snapshot) => machine.restore(snapshot),
    restoreInSlices: (snapshot) => restoredInSlices(machine, snapshot),
    ...watch,
  };
}
