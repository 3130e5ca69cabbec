// When something happened elsewhere, by one's own clock, out of stamps that took who knows how long.
//
// The region reads its players' stamps by it, and the client the region's. Of all messages the fastest
// tells the most about the difference of two clocks (Cristian 1989; NTP's clock filter): whatever came
// later than that one was on its way for longer by so much.
// Invariants: (1) the answer is never after now, and at most `LATE_MS_MAX` before, whatever a stamp
// claims; (2) clocks may drift by up to `DRIFT_PPM` against each other, and stamps wrap at 32 bits.

/** More lateness than this is not believed: a stamp is the sender's own word. */
export const LATE_MS_MAX = 500;
/** Quartz strays by some ten millionths; ten times as much costs a millisecond in two seconds. */
const DRIFT_PPM = 500;

export class RemoteClock {
  /** The least of own time minus stamp so far, in the circle of 32 bits, and when it was seen. */
  #leastMs = 0;
  #leastAtMs: number | undefined;

  /** Own time (whole milliseconds) of what was stamped `stampMs` and came at `nowMs`. */
  localMs(stampMs: number, nowMs: number): number {
    const differenceMs = (nowMs - stampMs) | 0;
    const agoMs = nowMs - (this.#leastAtMs ?? nowMs);
    const lateMs = (differenceMs - this.#leastMs - Math.floor((agoMs * DRIFT_PPM) / 1_000_000)) | 0;
    const isFirst = this.#leastAtMs === undefined;
    if (!isFirst && lateMs > 0 && lateMs <= LATE_MS_MAX) return nowMs - lateMs;
    // Faster than any before, or so late that its clock must have been set: from now on by this one.
    this.#leastMs = differenceMs;
    this.#leastAtMs = nowMs;
    return nowMs;
  }
}
