// Sessions: no reading of a region comes from a state behind what its reader did and saw there, or names.
//
// `regional` hands in what was answered, in the order of the answers. A state is told by the epoch of the
// primary and the place in its log; where a promotion has cost a place, the log of the next epoch answers.
// A reading that may be old is held to what was done and seen over its own link: only its gateway knows that.
import type { Operation } from '../history.ts';
import { boundOf, linkOf, type Place, regionOf, stateOf } from './calls.ts';
import type { Findings } from './findings.ts';

export class Sessions {
  readonly #findings: Findings;
  /** The newest state that each has to do with, by player and region; and the same of each of his links. */
  readonly #newest = new Map<string, Place>();
  readonly #ofLinks = new Map<string, Place>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  did(operation: Operation): void {
    this.#saw(operation, stateOf(operation));
  }

  read(operation: Operation): void {
    const state = stateOf(operation);
    if (state === undefined) return;
    const { msOld, place: named } = boundOf(operation);
    const mayBeOld = msOld !== undefined;
    const newest = mayBeOld ? this.#ofLinks.get(linkKeyOf(operation)) : this.#newest.get(keyOf(operation));
    for (const [what, place] of [['names', named], ['knows', newest]] as const) {
      if (place === undefined || !isBehind(state, place)) continue;
      const { process, returnedLine } = operation;
      this.#findings.unseen.add(
        `line ${returnedLine}: ${process} reads ${textOf(state)} of ${regionOf(operation)}, ` +
          `and ${what} ${textOf(place)}`,
      );
    }
    this.#saw(operation, state);
  }

  #saw(operation: Operation, state: Place | undefined): void {
    if (state === undefined) return;
    note(this.#newest, keyOf(operation), state);
    note(this.#ofLinks, linkKeyOf(operation), state);
  }
}

function note(places: Map<string, Place>, key: string, place: Place): void {
  const newest = places.get(key);
  if (newest === undefined || isBehind(newest, place)) places.set(key, place);
}

function isBehind(one: Place, other: Place): boolean {
  return one.epoch === other.epoch ? one.order < other.order : one.epoch < other.epoch;
}

function textOf({ epoch, order }: Place): string {
  return `place ${order} of epoch ${epoch}`;
}

function keyOf(operation: Operation): string {
  return `${operation.process}\n${regionOf(operation)}`;
}

function linkKeyOf(operation: Operation): string {
  return `${keyOf(operation)}\n${JSON.stringify(linkOf(operation))}`;
}
