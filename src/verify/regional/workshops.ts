// Workshops: what was begun or gathered there stays until its owner takes it away or uses it, and no longer.
//
// `regional` hands in what was asked and answered, in time. A workshop is changed by its owner alone, whose
// calls follow each other, so that each look is judged by what he did before. What the economy answers adds
// to a stock and never takes from it.
// Invariant: where a start is of unknown fate, it may take from the stock at any later time, or never: the
// stock of that workshop is not judged any more.
import type { Operation } from '../history.ts';
import { amountOf, listOf, nameOf, objectOf } from '../reading.ts';
import { answered, asked, jobsShown, levelOf, placeOf, regionOf } from './calls.ts';
import type { Acknowledged, Findings } from './findings.ts';

interface Material extends Acknowledged {
  readonly atLeast: number;
}

interface Workshop {
  readonly jobs: Map<number, Acknowledged>;
  /** Jobs that he took away, each with that. */
  readonly taken: Map<number, Acknowledged>;
  /** By kind, as it was told last. */
  readonly stock: Map<string, Material>;
  isStockOpen: boolean;
}

const NO_SUCH_JOB = 'no-such-job';
/** What is collected in any other state is off the list. */
const DELIVERING = 'delivering';

export class Workshops {
  readonly #findings: Findings;
  readonly #workshops = new Map<string, Workshop>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** A start or collection that happened, or may have. */
  asked(operation: Operation): void {
    if (operation.rejected !== undefined) return;
    const workshop = this.#workshopOf(operation);
    if (operation.f === 'crafting.collect') return void workshop.jobs.delete(jobAsked(operation));
    workshop.stock.clear();
    if (!operation.isKnown) workshop.isStockOpen = true;
  }

  started(operation: Operation): void {
    const job = amountOf(operation, answered(operation, 'job'), 'a job');
    const what = `job ${job} of ${operation.process}`;
    const { jobs, taken } = this.#workshopOf(operation);
    jobs.set(job, acknowledged(operation, what));
    // Where a promotion cost the one that was taken, its place is free for another.
    taken.delete(job);
  }

  collected(operation: Operation): void {
    if (answered(operation, 'state') === DELIVERING) return;
    const job = jobAsked(operation);
    const what = `collection of job ${job} of ${operation.process}`;
    this.#workshopOf(operation).taken.set(job, acknowledged(operation, what));
  }

  gathered(operation: Operation): void {
    const { stock, isStockOpen } = this.#workshopOf(operation);
    if (isStockOpen) return;
    const kind = nameOf(operation, asked(operation, 'material'), 'a material');
    const atLeast = amountOf(operation, answered(operation, 'count'), 'a count');
    const what = `${kind} of ${operation.process}, at least ${atLeast}`;
    stock.set(kind, { ...acknowledged(operation, what), atLeast });
  }

  /** A job that he asked for and that is said not to be there. */
  refused(operation: Operation): void {
    if (operation.rejected !== NO_SUCH_JOB) return;
    const job = this.#workshopOf(operation).jobs.get(jobAsked(operation));
    if (job !== undefined) this.#miss(job, operation);
  }

  looked(operation: Operation): void {
    const { jobs, taken, stock } = this.#workshopOf(operation);
    const shown = new Set(jobsShown(operation).map(({ job }) => job));
    for (const [number, job] of jobs) {
      if (!shown.has(number)) this.#miss(job, operation);
    }
    for (const number of shown) {
      const collection = taken.get(number);
      if (collection !== undefined) this.#miss(collection, operation);
    }
    const counts = countsShown(operation);
    for (const [kind, material] of stock) {
      if ((counts.get(kind) ?? 0) < material.atLeast) this.#miss(material, operation);
    }
  }

  #miss(missed: Acknowledged, { process }: Operation): void {
    this.#findings.miss(missed, this.#findings.unseen, (what) => `${process} was not shown his ${what}`);
  }

  #workshopOf(operation: Operation): Workshop {
    const key = `${operation.process}\n${regionOf(operation)}`;
    const workshop = this.#workshops.get(key) ?? newWorkshop();
    this.#workshops.set(key, workshop);
    return workshop;
  }
}

function newWorkshop(): Workshop {
  return { jobs: new Map(), taken: new Map(), stock: new Map(), isStockOpen: false };
}

function acknowledged(operation: Operation, what: string): Acknowledged {
  return { what, region: regionOf(operation), place: placeOf(operation), level: levelOf(operation) };
}

function jobAsked(operation: Operation): number {
  return amountOf(operation, asked(operation, 'job'), 'a job');
}

function countsShown(operation: Operation): ReadonlyMap<string, number> {
  const materials = listOf(operation, answered(operation, 'materials'), 'materials').map((value) => {
    const { kind, count } = objectOf(operation, value, 'a material');
    return [nameOf(operation, kind, 'a kind'), amountOf(operation, count, 'a count')] as const;
  });
  return new Map(materials);
}
