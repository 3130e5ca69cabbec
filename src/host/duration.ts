// Spans of time as people write and read them: `500ms`, `30s`, `5m`, `2h`.
//
// The CLI reads its options with it, the screen and the report write with it.

/** The longest that a timer of this runtime can wait, about 24 days. */
const DURATION_MS_MAX = 2_147_483_647;
const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** Milliseconds, at least 1; `undefined` when the text is no such span or beyond 24 days. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
  const unitMs = UNITS_MS.get(match?.[2] ?? '');
  if (unitMs === undefined) return undefined;
  const durationMs = Math.round(Number(match?.[1]) * unitMs);
  return durationMs >= 1 && durationMs <= DURATION_MS_MAX ? durationMs : undefined;
}

/** As `parseDuration` reads it again: `300s`, `1500ms`. */
export function spanOf(durationMs: number): string {
  return durationMs % 1_000 === 0 ? `${durationMs / 1_000}s` : `${durationMs}ms`;
}

/** `2.1 s` below a minute, `4 min 05 s` below an hour, `1 h 04 min` above. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${twoDigits(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
