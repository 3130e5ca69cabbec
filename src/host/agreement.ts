// Whether the copies of a group or region hold the same state: equal hashes of it at equal places of the log.
//
// `watch.ts` feeds it every sample; the report asks at the end. A difference is never forgotten: two
// replicas that once differed at the same index have broken the promise, whatever came later. A copy that
// stands elsewhere in the log is not compared: it trails, and that breaks nothing.
import type { Topology } from '../services/topology/topology.ts';
import type { GroupAudit } from '../wire/status.ts';
import { nameOf, type Sample } from './view.ts';

/** Places of the log remembered for each group: replicas are told apart by at most a few seconds. */
const INDEXES_MAX = 256;

export interface ReplicaStanding {
  readonly group: string;
  /** The place of the log up to which the compared state goes. */
  readonly index: number;
  readonly stateHash: number;
  /** How many replicas stand there and were compared, and how many there are. */
  readonly compared: number;
  readonly members: number;
  /** How many answered from another place of the log. */
  readonly trailing: number;
  /** All compared ones hold the same state, and no two ever differed. */
  readonly isEqual: boolean;
}

interface Seen {
  readonly node: string;
  readonly hash: number;
}

export class Agreement {
  readonly #seen = new Map<string, Map<string, Seen>>();
  readonly #differing = new Set<string>();

  /** One sentence for each difference that was not known before. */
  note(sample: Sample): readonly string[] {
    const found: string[] = [];
    for (const [node, { groups }] of sample.audits) {
      for (const { group, applied, epoch = 0, stateHash } of groups) {
        const other = this.#remember(group, `${epoch} ${applied}`, { node, hash: stateHash });
        if (other.hash === stateHash || this.#differing.has(group)) continue;
        this.#differing.add(group);
        found.push(`${group}: ${node} and ${other.node} differ at index ${applied}`);
      }
    }
    return found;
  }

  /**
   * How each group, then each region stands in this sample: at the place of the log at which most of its
   * copies are, the newest such place where two are level.
   */
  standings(topology: Topology, sample: Sample): readonly ReplicaStanding[] {
    const regions = topology.regions.map(({ name, copies }) => ({ name, members: copies }));
    return [...topology.groups, ...regions].map(({ name: group, members }) => {
      const copies = members
        .map((id) => sample.audits.get(nameOf(topology, id)))
        .flatMap((audit) => audit?.groups.filter((each) => each.group === group) ?? []);
      const alike = largestAlike(copies);
      const [first] = alike;
      const areEqual = alike.every(({ stateHash }) => stateHash === first?.stateHash);
      return {
        group,
        index: first?.applied ?? 0,
        stateHash: first?.stateHash ?? 0,
        compared: alike.length,
        members: members.length,
        trailing: copies.length - alike.length,
        isEqual: areEqual && !this.#differing.has(group),
      };
    });
  }

  #remember(group: string, place: string, mine: Seen): Seen {
    let seen = this.#seen.get(group);
    if (seen === undefined) {
      seen = new Map();
      this.#seen.set(group, seen);
    }
    const known = seen.get(place);
    if (known !== undefined) return known;
    seen.set(place, mine);
    const oldest = seen.keys().next();
    if (seen.size > INDEXES_MAX && oldest.done !== true) seen.delete(oldest.value);
    return mine;
  }
}

/** Those of the copies that stand at the same place. */
function largestAlike(copies: readonly GroupAudit[]): readonly GroupAudit[] {
  const places = Map.groupBy(copies, ({ applied, epoch = 0 }) => `${epoch} ${applied}`);
  const newestFirst = (a: GroupAudit | undefined, b: GroupAudit | undefined): number =>
    (b?.epoch ?? 0) - (a?.epoch ?? 0) || (b?.applied ?? 0) - (a?.applied ?? 0);
  const [largest = []] = [...places.values()].sort(
    (a, b) => b.length - a.length || newestFirst(a[0], b[0]),
  );
  return largest;
}
