// Rare items: what workshops take out of holdings and put into them, each once.
//
// `regional` hands in what was asked and answered, in time. What a player has in the end is what he had, less
// what his jobs took, and what they made. It can be told where no job waits for an answer of the economy.
import type { Operation } from '../history.ts';
import { Sentences } from '../invariants.ts';
import { amountOf, listOf } from '../reading.ts';
import { answered, type JobShown, jobsShown, regionOf } from './calls.ts';

const WAITING: ReadonlySet<string> = new Set(['claiming', 'delivering']);
const TAKEN: ReadonlySet<string> = new Set(['working', 'delivering', 'made']);

interface Owner {
  /** What he had at first; `undefined`: that is not told yet. */
  before: readonly number[] | undefined;
  /** What he had when he looked last; `undefined` when a job may have waited then. */
  after: readonly number[] | undefined;
  readonly consumed: Set<number>;
  readonly made: Set<number>;
  /** Made before it was told what he had. */
  readonly madeBefore: Set<number>;
  /** Regions in which a job of his may wait. */
  readonly waiting: Set<string>;
}

export interface RareVerdict {
  readonly broken: readonly string[];
  readonly open: readonly string[];
  readonly made: number;
}

export class RareItems {
  readonly #owners = new Map<string, Owner>();
  /** Which job took, or made, an item. */
  readonly #takenBy = new Map<number, string>();
  readonly #madeBy = new Map<number, string>();
  readonly #broken = new Sentences();

  /** A start or collection that happened, or may have. */
  asked(operation: Operation): void {
    const owner = this.#ownerOf(operation);
    owner.waiting.add(regionOf(operation));
    owner.after = undefined;
  }

  looked(operation: Operation): void {
    const owner = this.#ownerOf(operation);
    const region = regionOf(operation);
    const jobs = jobsShown(operation);
    if (jobs.some(({ state }) => WAITING.has(state))) owner.waiting.add(region);
    else owner.waiting.delete(region);
    for (const job of jobs) this.#enter(owner, job, `job ${job.job} of ${operation.process} in ${region}`);
  }

  held(operation: Operation): void {
    const owner = this.#ownerOf(operation);
    const items = listOf(operation, answered(operation, 'items'), 'items').map((item) => {
      return amountOf(operation, item, 'an item');
    });
    owner.before ??= items;
    owner.after = owner.waiting.size === 0 ? items : undefined;
  }

  finish(): RareVerdict {
    const open: string[] = [];
    let count = 0;
    for (const [player, { before, after, consumed, made }] of this.#owners) {
      count += made.size;
      if (before === undefined || after === undefined) {
        open.push(`what ${player} has in the end, when none of his jobs waits, was not read`);
        continue;
      }
      const wanted = [...before.filter((item) => !consumed.has(item)), ...made];
      if (textOf(wanted) === textOf(after)) continue;
      this.#broken.add(`${player} has ${textOf(after)}, by his workshop it is ${textOf(wanted)}`);
    }
    return { broken: this.#broken.list, open, made: count };
  }

  #enter(owner: Owner, { state, item, made }: JobShown, job: string): void {
    if (item > 0 && TAKEN.has(state)) {
      owner.consumed.add(item);
      this.#once(this.#takenBy, item, job, 'taken');
    }
    if (made === 0) return;
    this.#once(this.#madeBy, made, job, 'made');
    if (owner.before === undefined) owner.madeBefore.add(made);
    else if (!owner.madeBefore.has(made)) owner.made.add(made);
  }

  #once(jobs: Map<number, string>, item: number, job: string, done: string): void {
    const other = jobs.get(item) ?? job;
    jobs.set(item, other);
    if (other !== job) this.#broken.add(`item ${item} was ${done} by ${other} and by ${job}`);
  }

  #ownerOf({ process }: Operation): Owner {
    const owner = this.#owners.get(process) ?? {
      before: undefined,
      after: undefined,
      consumed: new Set(),
      made: new Set(),
      madeBefore: new Set(),
      waiting: new Set(),
    };
    this.#owners.set(process, owner);
    return owner;
  }
}

function textOf(items: readonly number[]): string {
  return items.toSorted((a, b) => a - b).join(' ');
}
