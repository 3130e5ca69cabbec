// How a benchmark shows what it measured: minimum, median and maximum, as Markdown.
import { cpus } from 'node:os';

export type Row = Readonly<Record<string, string>>;

/** `min / median / max` of the runs. */
export function spread(runs: readonly number[]): string {
  const sorted = [...runs].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return [sorted[0] ?? Number.NaN, median, sorted.at(-1) ?? Number.NaN].map(show).join(' / ');
}

/** `min / median / p99 / max` of many events. */
export function tail(events: readonly number[]): string {
  const sorted = [...events].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
  return [sorted[0] ?? Number.NaN, at(0.5), at(0.99), sorted.at(-1) ?? Number.NaN].map(show).join(' / ');
}

function show(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

/** A Markdown table, preceded by the machine it was measured on and what its figures are. */
export function table(rows: readonly Row[], figures: string = 'min / median / max'): string {
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`;
  return (
    `${machine}; ${figures}\n\n` +
    line(columns) +
    line(columns.map(() => '---')) +
    rows.map((row) => line(columns.map((column) => row[column] ?? ''))).join('')
  );
}
