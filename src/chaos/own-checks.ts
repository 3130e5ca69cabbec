// What a drill says of a studio's own features, besides the history of their players.
//
// `verdict.ts` adds it to the verdict. Pure.
import { check, type Check } from './check.ts';
import type { OwnTruth } from './own-truth.ts';

export interface OwnFindings {
  readonly truth: OwnTruth;
  /** How many calls of each feature were decided. */
  readonly decided: ReadonlyMap<string, number>;
  /** What `drawDeed` drew that nobody can do. */
  readonly fault: string | undefined;
}

export function ownChecks({ truth, decided, fault }: OwnFindings): readonly Check[] {
  const { unknown, differing, wrong, forgotten } = truth;
  // What is not known of a log may be broken, for all that one can tell.
  const known = (name: string, broken: readonly string[]): Check => {
    if (broken.length > 0 || unknown.length === 0) return check(name, broken);
    return { name, result: 'unknown', sentences: unknown };
  };
  return [
    wereAsked(decided, fault),
    check('all nodes make the same of what your features are asked', differing),
    known('your features answer the same when their logs are replayed', wrong),
    known('your features forget nothing when they are saved and loaded', forgotten),
  ];
}

/** A feature that nobody asked anything has kept every promise. */
function wereAsked(decided: ReadonlyMap<string, number>, fault: string | undefined): Check {
  const name = 'your features were asked';
  const silent = [...decided].filter(([, count]) => count === 0).map(([feature]) => feature);
  const missing = [
    ...(fault === undefined ? [] : [fault]),
    ...silent.map((feature) => `nobody was answered anything by ${feature}`),
  ];
  if (missing.length > 0) return { name, result: 'unknown', sentences: missing };
  const counts = [...decided].map(([feature, count]) => `${feature} ${count} decided calls`);
  return { name, result: 'held', sentences: counts };
}
