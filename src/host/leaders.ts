// Who led which group when: counts the changes and says them in words.
//
// `watch.ts` feeds it every sample. A first leader is no change; a group without one is told once.
import { leaderStatus, type Sample } from './view.ts';

interface Known {
  leader: string | undefined;
  term: number;
  isLeaderless: boolean;
}

export class Leaders {
  readonly #known = new Map<string, Known>();
  #changes = 0;

  /** How often a group got another leader, or the same one in a new term. */
  get changes(): number {
    return this.#changes;
  }

  /** What happened to the groups since the sample before, one sentence each. */
  note(groups: readonly string[], sample: Sample): readonly string[] {
    const events: string[] = [];
    for (const group of groups) {
      const event = this.#noteGroup(group, sample);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  #noteGroup(group: string, sample: Sample): string | undefined {
    const now = leaderStatus(sample, group);
    const known = this.#known.get(group) ?? { leader: undefined, term: 0, isLeaderless: false };
    this.#known.set(group, known);
    if (now === undefined) {
      if (known.leader === undefined || known.isLeaderless) return undefined;
      known.isLeaderless = true;
      return `${group}: nobody leads (last was ${known.leader} in term ${known.term})`;
    }
    const { leader, term, isLeaderless } = known;
    if (now.status.term < term) return undefined;
    known.leader = now.node;
    known.term = now.status.term;
    known.isLeaderless = false;
    if (leader === undefined) return undefined;
    if (now.status.term === term) {
      return isLeaderless ? `${group}: ${now.node} leads again in term ${term}` : undefined;
    }
    this.#changes += 1;
    return `${group}: ${now.node} leads in term ${now.status.term} (before: ${leader}, ${term})`;
  }
}
