// Where a region shall go back to, as an operator writes it: a place of its log, or a time.
//
// The CLI reads its option with it. What names no zone is UTC, as everything that is printed.
import type { RestoreTarget } from '../runtime/copy-restore.ts';

const PLACE = /^\d{1,15}$/;
const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?)?(Z|[+-]\d{2}:\d{2})?$/;

/** `undefined` for what is neither. */
export function parseRestoreTarget(text: string): RestoreTarget | undefined {
  if (PLACE.test(text)) return { kind: 'sequence', sequence: Number(text) };
  const [, clock, , , zone] = TIME.exec(text) ?? [];
  if (!TIME.test(text) || (clock === undefined && zone !== undefined)) return undefined;
  const ms = Date.parse(clock === undefined || zone !== undefined ? text : `${text}Z`);
  return Number.isFinite(ms) ? { kind: 'time', ms } : undefined;
}
