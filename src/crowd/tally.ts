// How calls ended and how long they took, by call: since the beginning and in the latest window.
//
// Every call of every test player is recorded; `crowd.ts` takes a summary each second for the screen
// and one at the end for the report. Bounded by the number of calls that there are.
import type { Outcome } from '../base/errors.ts';
import type { OutcomeCounts } from '../wire/status.ts';
import { Histogram } from './histogram.ts';

export type OutcomeKind = Outcome<unknown>['kind'];

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** One call since the beginning, and its rate and latency in the latest window. */
export interface CallSummary extends OutcomeCounts, Latency {
  readonly call: string;
  readonly recent: Latency & { readonly perSecond: number };
}

/** The name of the summary of all calls together. */
export const ALL_CALLS = 'all calls';

export class Tally {
  readonly #calls = new Map<string, CallTally>();

  record(call: string, kind: OutcomeKind, durationMs: number): void {
    let tally = this.#calls.get(call);
    if (tally === undefined) {
      tally = new CallTally();
      this.#calls.set(call, tally);
    }
    tally.counts[kind] += 1;
    tally.window.record(durationMs);
  }

  /** How often a call ended so, since the beginning. */
  count(call: string, kind: OutcomeKind): number {
    return this.#calls.get(call)?.counts[kind] ?? 0;
  }

  /**
   * All calls together, then each by name. Ends the window that began `windowMs` ago, of which
   * `recent` speaks, and begins the next one.
   */
  summarize(windowMs: number): readonly CallSummary[] {
    const sum = new CallTally();
    const byName: CallSummary[] = [];
    for (const [call, tally] of [...this.#calls].sort(([a], [b]) => (a < b ? -1 : 1))) {
      sum.add(tally);
      byName.push(tally.summarize(call, windowMs));
    }
    return [sum.summarize(ALL_CALLS, windowMs), ...byName];
  }
}

class CallTally {
  readonly counts = { done: 0, rejected: 0, unavailable: 0, uncertain: 0 };
  /** Of windows that ended. */
  readonly before = new Histogram();
  readonly window = new Histogram();

  add(other: CallTally): void {
    for (const kind of ['done', 'rejected', 'unavailable', 'uncertain'] as const) {
      this.counts[kind] += other.counts[kind];
    }
    this.before.merge(other.before);
    this.window.merge(other.window);
  }

  summarize(call: string, windowMs: number): CallSummary {
    const perSecond = windowMs <= 0 ? 0 : (this.window.count * 1000) / windowMs;
    const recent = { perSecond, ...latencyOf(this.window) };
    this.before.merge(this.window);
    this.window.clear();
    return { call, ...this.counts, ...latencyOf(this.before), recent };
  }
}

function latencyOf(histogram: Histogram): Latency {
  return {
    p50Ms: histogram.quantileMs(0.5),
    p99Ms: histogram.quantileMs(0.99),
    maxMs: histogram.maxMs,
  };
}
