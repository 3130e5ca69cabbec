// Whether a global node may be relied upon: it knows the leaders, and has caught up with them.
//
// `global-node.ts` asks it whenever somebody wants to know.
import type { GroupStatus } from '../wire/status.ts';

/**
 * Ready means that every group knows its leader and has applied what was committed when it first knew
 * one: a node that has just restarted then answers as if it had never been away.
 */
export class Readiness {
  readonly #goals = new Map<string, number>();

  judge(statuses: readonly GroupStatus[]): boolean {
    let isReady = true;
    for (const { group, leader, commit, applied } of statuses) {
      if (leader !== undefined && !this.#goals.has(group)) this.#goals.set(group, commit);
      const goal = this.#goals.get(group);
      if (leader === undefined || goal === undefined || applied < goal) isReady = false;
    }
    return isReady;
  }
}
