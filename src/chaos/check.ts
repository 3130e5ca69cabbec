// One thing that a drill looked at, and what came of it.
//
// `verdict.ts` and `own-checks.ts` make them, for people and for scripts.

export interface Check {
  readonly name: string;
  /** `unknown`: it could not be looked at. */
  readonly result: 'held' | 'broken' | 'unknown';
  readonly sentences: readonly string[];
}

export function check(name: string, broken: readonly string[]): Check {
  return { name, result: broken.length === 0 ? 'held' : 'broken', sentences: broken };
}
