// How the calls of a drill went over time: outcomes and latencies in even spans.
//
// `contender.ts` adds each call, `picture.ts` draws the spans. Bounded: a span keeps a histogram, not calls.
import { Histogram } from '../crowd/histogram.ts';
import type { OutcomeKind } from '../crowd/tally.ts';
import type { OutcomeCounts } from '../wire/status.ts';

export const SPAN_MS = 250;
/** Two hours; later calls count to the last span. */
const SPANS_MAX = 28_800;

export interface Span {
  readonly atMs: number;
  readonly counts: OutcomeCounts;
  /** Of calls that ended in this span; none ended: `undefined`. */
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number } | undefined;
}

export interface Totals {
  readonly counts: OutcomeCounts;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

interface Growing {
  readonly counts: { done: number; rejected: number; unavailable: number; uncertain: number };
  readonly histogram: Histogram;
}

export class Timeline {
  readonly #sinceBeginMs: () => number;
  readonly #spans: Growing[] = [];

  constructor(sinceBeginMs: () => number) {
    this.#sinceBeginMs = sinceBeginMs;
  }

  /** A call that ended now. */
  add(kind: OutcomeKind, durationMs: number): void {
    const place = Math.min(SPANS_MAX - 1, Math.max(0, Math.floor(this.#sinceBeginMs() / SPAN_MS)));
    while (this.#spans.length <= place) {
      const counts = { done: 0, rejected: 0, unavailable: 0, uncertain: 0 };
      this.#spans.push({ counts, histogram: new Histogram() });
    }
    const span = this.#spans[place];
    if (span === undefined) return;
    span.counts[kind] += 1;
    span.histogram.record(durationMs);
  }

  get spans(): readonly Span[] {
    return this.#spans.map(({ counts, histogram }, place) => ({
      atMs: place * SPAN_MS,
      counts,
      latency:
        histogram.count === 0
          ? undefined
          : {
              p50Ms: histogram.quantileMs(0.5),
              p99Ms: histogram.quantileMs(0.99),
              maxMs: histogram.maxMs,
            },
    }));
  }

  /** All calls together. */
  get totals(): Totals {
    const counts = { done: 0, rejected: 0, unavailable: 0, uncertain: 0 };
    const all = new Histogram();
    for (const span of this.#spans) {
      for (const kind of ['done', 'rejected', 'unavailable', 'uncertain'] as const) {
        counts[kind] += span.counts[kind];
      }
      all.merge(span.histogram);
    }
    return { counts, p50Ms: all.quantileMs(0.5), p99Ms: all.quantileMs(0.99), maxMs: all.maxMs };
  }
}
