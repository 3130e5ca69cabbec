// How long calls took: a histogram of fixed size whose answers are at most about 3 % too high.
//
// `tally.ts` keeps one per call. Log-linear buckets: below 64 microseconds one bucket each, above that
// 32 buckets for every doubling, up to about 35 minutes; what is longer counts as the longest.
// Source: the layout of HdrHistogram (Tene), with five significant bits.

const LINEAR_BUCKETS = 64;
const STEPS_PER_DOUBLING = 32;
const HIGHEST_BIT = 30;
const BUCKETS: number = LINEAR_BUCKETS + (HIGHEST_BIT - 5) * STEPS_PER_DOUBLING;
const MICROSECONDS_MAX: number = 2 ** (HIGHEST_BIT + 1) - 1;

export class Histogram {
  readonly #counts: Uint32Array = new Uint32Array(BUCKETS);
  #count = 0;
  #maxMicroseconds = 0;

  /** How many durations were recorded. */
  get count(): number {
    return this.#count;
  }

  /** The longest duration, exact to the microsecond; 0 when nothing was recorded. */
  get maxMs(): number {
    return this.#maxMicroseconds / 1000;
  }

  record(durationMs: number): void {
    const microseconds = Math.min(Math.max(0, Math.round(durationMs * 1000)), MICROSECONDS_MAX);
    const bucket = bucketOf(microseconds);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#maxMicroseconds = Math.max(this.#maxMicroseconds, microseconds);
  }

  /** Adds everything that `other` recorded. */
  merge(other: Histogram): void {
    other.#counts.forEach((count, bucket) => {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    });
    this.#count += other.#count;
    this.#maxMicroseconds = Math.max(this.#maxMicroseconds, other.#maxMicroseconds);
  }

  /**
   * The duration in milliseconds that `share` (0 to 1) of all recorded ones did not exceed: the upper
   * edge of its bucket, but never more than the longest. 0 when nothing was recorded.
   */
  quantileMs(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= wanted) return Math.min(upperEdge(bucket), this.#maxMicroseconds) / 1000;
    }
    return this.maxMs;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#maxMicroseconds = 0;
  }
}

function bucketOf(microseconds: number): number {
  if (microseconds < LINEAR_BUCKETS) return microseconds;
  const bit = 31 - Math.clz32(microseconds);
  const step = (microseconds >>> (bit - 5)) - STEPS_PER_DOUBLING;
  return LINEAR_BUCKETS + (bit - 6) * STEPS_PER_DOUBLING + step;
}

function upperEdge(bucket: number): number {
  if (bucket < LINEAR_BUCKETS) return bucket;
  const bit = 6 + Math.floor((bucket - LINEAR_BUCKETS) / STEPS_PER_DOUBLING);
  const step = (bucket - LINEAR_BUCKETS) % STEPS_PER_DOUBLING;
  return (STEPS_PER_DOUBLING + step + 1) * 2 ** (bit - 5) - 1;
}
