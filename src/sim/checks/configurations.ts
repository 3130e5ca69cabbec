// Who votes in a group, as its configuration entries say, and whether these follow each other as they must.
//
// `invariants.ts` keeps one per group and feeds it each configuration entry that stands in a log: what
// members believe of their membership is not asked. Majorities are then counted by what is known here.
// Source: Raft (thesis), sections 4.1 and 4.3; catalogue rows 35 to 38.
import type { NodeId } from '../../base/id.ts';
import type { Voters } from '../../base/quorum.ts';
import { decodeMembership } from '../../protocols/raft/entry-codec.ts';
import type { Entry, Membership } from '../../protocols/raft/messages.ts';
import type { RaftNode } from '../../protocols/raft/node.ts';
import type { GroupHistory } from './group-history.ts';
import type { Verdicts } from './violation.ts';

interface Configuration {
  readonly index: number;
  readonly term: number;
  readonly membership: Membership;
}

export class Configurations {
  readonly #history: GroupHistory;
  readonly #verdicts: Verdicts;
  /** All that was ever named, by rising index; several of one index are of different terms. */
  readonly #known: Configuration[];

  constructor(founders: readonly NodeId[], history: GroupHistory, verdicts: Verdicts) {
    this.#history = history;
    this.#verdicts = verdicts;
    const membership = { incoming: founders, outgoing: [], learners: [], retiring: [] };
    this.#known = [{ index: 0, term: 0, membership }];
  }

  /** Who votes by the newest configuration in a member's log at or before `upTo`. */
  votersOf(node: RaftNode, upTo: number): Voters {
    return this.#newestIn(node, upTo).membership;
  }

  /** Takes in what a member's log names that nobody has named so far. Returns that, oldest first. */
  learn(node: RaftNode): readonly Entry[] {
    const news: Entry[] = [];
    const { base, last } = node;
    for (let index = last; index > base; index--) {
      const entry = node.entryAt(index);
      if (entry?.kind !== 'configuration') continue;
      if (!this.written(entry)) break;
      news.unshift(entry);
    }
    return news;
  }

  /** A configuration entry reached a disk. Returns whether it is new. */
  written({ index, term, data }: Entry): boolean {
    if (this.#known.some((known) => known.index === index && known.term === term)) return false;
    const place = this.#known.findLastIndex((known) => known.index <= index) + 1;
    this.#known.splice(place, 0, { index, term, membership: decodeMembership(data) });
    return true;
  }

  /** A member's log names these, and all that it has committed is known: each must be a step that may be. */
  check(news: readonly Entry[], node: RaftNode): void {
    for (const entry of news) this.#follows(entry, this.#newestIn(node, entry.index - 1));
  }

  #newestIn(node: RaftNode, upTo: number): Configuration {
    const found = this.#known.findLast(({ index, term }) => {
      if (index > upTo) return false;
      const held = node.entryAt(index)?.term ?? this.#compactedTerm(node, index);
      return held === term;
    });
    return found ?? (this.#known[0] as Configuration);
  }

  /** What a snapshot stands for was committed. */
  #compactedTerm(node: RaftNode, index: number): number | undefined {
    const isCompacted = index > 0 && index <= node.base;
    return isCompacted ? this.#history.at(index)?.entry.term : index === 0 ? 0 : undefined;
  }

  #follows({ index, term, data }: Entry, before: Configuration): void {
    const now = decodeMembership(data);
    const { committed, name } = this.#history;
    const say = (what: string): void => {
      this.#verdicts.broken('CFG', `${name}: the members of entry ${index} in term ${term} ${what}`);
    };
    const decided = this.#history.at(before.index)?.entry.term ?? 0;
    if (before.index > committed || decided !== before.term) {
      say(`follow those of ${before.index}, which is not committed`);
    }
    // Whoever changes members has committed an entry of its own term before.
    if ((this.#history.at(Math.min(committed, index - 1))?.entry.term ?? 0) < term) {
      say('are named before anything of that term is committed');
    }
    if (!isStep(before.membership, now)) say('are no single step from those before');
  }
}

/**
 * Whether a majority of each set is so. Counted here once more: a fault in `base/quorum.ts` must not hide
 * itself.
 */
export function haveMajorities(
  { incoming, outgoing }: Voters,
  isSo: (node: NodeId) => boolean,
): boolean {
  return [incoming, outgoing].every((set) => set.length === 0 || 2 * set.filter(isSo).length > set.length);
}

/** Either both old and new voters decide from now on, or only who decided before, or the new ones alone. */
function isStep(before: Membership, now: Membership): boolean {
  if (now.outgoing.length === 0) return areSame(now.incoming, before.incoming);
  return before.outgoing.length === 0 && areSame(now.outgoing, before.incoming);
}

function areSame(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((node) => b.includes(node));
}
