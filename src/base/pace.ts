// How often somebody may do something: once every so long for ever, and so many times at once.
//
// Chat holds players to a pace by the log's time, the gateway by its own clock, before a call costs the
// log an entry. Whoever counts keeps one number, `paidAtMs`: when all that was done will have been paid
// for, at one per `everyMs`. Once that is in the past, it is as good as nothing.
// Source: the generic cell rate algorithm, as virtual scheduling (ITU-T I.371, annex A).

export interface Pace {
  readonly everyMs: number;
  readonly burst: number;
}

/** How long it is too early to do it once more; 0 when it may be done now. */
export function earlyMs({ everyMs, burst }: Pace, paidAtMs: number, nowMs: number): number {
  return Math.max(0, paidAtMs - everyMs * (burst - 1) - nowMs);
}

/** The new `paidAtMs` of who does it once more now. */
export function paidAfter({ everyMs }: Pace, paidAtMs: number, nowMs: number): number {
  return Math.max(paidAtMs, nowMs) + everyMs;
}
