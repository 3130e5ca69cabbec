// What callers notice of an event: the time without an answer around it, kept over many events.
//
// `failover.ts` and `promotion.ts` measure by it. A list of times grows at its end and is in order.
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 10;

/** Times come again when, for `forMs`, none was more than `gapMs` after the one before. */
export interface Flow {
  readonly forMs: number;
  readonly gapMs: number;
}

/** Resolves when the event has shown and is over in every list, or after `msMax`. */
export async function flowing(
  lists: readonly (readonly number[])[],
  o: { readonly beganMs: number; readonly flow: Flow; readonly msMax: number },
): Promise<void> {
  while (performance.now() - o.beganMs < o.msMax) {
    await sleep(LOOK_EVERY_MS);
    const nowMs = performance.now();
    if (lists.every((times) => isFlowing(times, o, nowMs))) return;
  }
}

function isFlowing(
  times: readonly number[],
  { beganMs, flow }: { readonly beganMs: number; readonly flow: Flow },
  nowMs: number,
): boolean {
  const lately = times.filter((atMs) => atMs >= nowMs - flow.forMs);
  const first = lately[0] ?? nowMs;
  const isLong = first >= beganMs && nowMs - first >= flow.forMs - flow.gapMs;
  return isLong && longestGap(lately, nowMs) <= flow.gapMs;
}

/** The longest time without one that ended after the event. */
export function gapAround(times: readonly number[], beganMs: number): number {
  const before = times.findLast((atMs) => atMs < beganMs) ?? beganMs;
  return longestGap([before, ...times.filter((atMs) => atMs >= beganMs)], performance.now());
}

function longestGap(times: readonly number[], endMs: number): number {
  return Math.max(0, ...times.map((atMs, place) => (times[place + 1] ?? endMs) - atMs));
}

/** The causes that words name, all when they name none, and the file: a word with a dot in it. */
export function readWords<Cause extends { readonly name: string }>(
  words: readonly string[],
  causes: readonly Cause[],
): { readonly chosen: readonly Cause[]; readonly file: string | undefined } {
  const names = words.filter((word) => !word.includes('.'));
  const unknown = names.find((name) => !causes.some((cause) => cause.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no cause "${unknown}": name ${causes.map(({ name }) => name).join(', ')}`);
  }
  const chosen = causes.filter(({ name }) => names.length === 0 || names.includes(name));
  return { chosen, file: words.find((word) => word.includes('.')) };
}

type Figures = readonly number[];

/**
 * The figures of many events of one cause. With a file each event is a line of it, written at once, and
 * those that it held before count too: so many events can be taken in parts.
 */
export class Kept {
  readonly #file: string | undefined;
  readonly #cause: string;
  readonly #figures: Figures[] = [];

  constructor(file: string | undefined, cause: string) {
    this.#file = file;
    this.#cause = cause;
  }

  add(figures: Figures): void {
    this.#figures.push(figures);
    const words = [this.#cause, ...figures.map((figure) => figure.toFixed(1))];
    if (this.#file !== undefined) appendFileSync(this.#file, `${words.join(' ')}\n`);
  }

  all(): readonly Figures[] {
    if (this.#file === undefined) return this.#figures;
    const lines = readFileSync(this.#file, 'utf8').split('\n');
    return lines.flatMap((line) => {
      const [name, ...figures] = line.split(' ');
      return name === this.#cause ? [figures.map(Number)] : [];
    });
  }
}
