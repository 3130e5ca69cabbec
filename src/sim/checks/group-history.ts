// What a group has decided so far, as the whole simulated world knows it: the judge of its members.
//
// `invariants.ts` keeps one per group. The first member that calls an entry committed, or applies it,
// makes it history; everyone else must agree with that, byte for byte.
import { crc32c } from '../../base/crc32c.ts';
import { isEqual } from '../../base/equal-bytes.ts';
import type { Entry } from '../../protocols/raft/messages.ts';
import type { AppliedEntry } from '../../protocols/state-machine.ts';
import {
  type CommandHead,
  decodeCommandHead,
  decodeReply,
  isSessionRefusal,
} from '../../wire/command.ts';
import { PerCommand } from './per-command.ts';
import type { Verdicts } from './violation.ts';

/** Terms of one run stay far below. */
const TERM_SPAN = 1_000_000;

export interface Decided {
  readonly entry: Entry;
  /** The term of whoever first called it committed: at least the one in which it was. */
  readonly committedIn: number;
  reply: Uint8Array | undefined;
  stateHash: number | undefined;
}

export class GroupHistory {
  readonly name: string;
  readonly #verdicts: Verdicts;
  readonly #decided: (Decided | undefined)[] = [];
  /** Checksums of all entries ever written, by index and term. */
  readonly #written = new Map<number, number>();
  /** Where a command of a session was applied. */
  readonly #applied = new PerCommand<number>();
  readonly #leaders = new Map<number, number>();
  committed = 0;

  constructor(name: string, verdicts: Verdicts) {
    this.name = name;
    this.#verdicts = verdicts;
  }

  at(index: number): Decided | undefined {
    return this.#decided[index];
  }

  /**
   * The newest entry up to `upTo` that a disk must have which holds the log of the leader of `term`: one that
   * was committed in that term or before, or that this leader wrote. The log may lack what an earlier term
   * wrote and a later one committed (thesis, figure 3.7). The same entry may be cut off a disk that has
   * followed a leader between the one that wrote it and the one that committed it.
   */
  inLogOf(term: number, o: { readonly upTo: number; readonly diskTerm: number }): Entry | undefined {
    for (let at = Math.min(o.upTo, this.committed); at > 0; at--) {
      const decided = this.#decided[at];
      if (decided === undefined) continue;
      const { entry, committedIn } = decided;
      if (committedIn <= term || (entry.term === term && o.diskTerm <= term)) return entry;
    }
    return undefined;
  }

  /** Where the command was applied, if it was. */
  appliedAt(session: number, number: number): number | undefined {
    return this.#applied.get({ session, number });
  }

  /** How often the leader changed. */
  get elections(): number {
    return this.#leaders.size;
  }

  /** A member leads `term`. */
  leads(node: number, term: number): void {
    const known = this.#leaders.get(term);
    if (known === node) return;
    if (known === undefined) this.#leaders.set(term, node);
    else this.#verdicts.broken('ES', `${this.name}: ${known} and ${node} both lead term ${term}`);
  }

  /** An entry reached a disk: two with the same index and term are the same. */
  written(entry: Entry): void {
    const key = entry.index * TERM_SPAN + entry.term;
    const sum = crc32c(entry.data, 0, entry.data.length, entry.timeMs | 0);
    const known = this.#written.get(key);
    if (known === undefined) this.#written.set(key, sum);
    else if (known !== sum) {
      this.#verdicts.broken('LM', `${this.name}: two entries ${entry.index} of term ${entry.term}`);
    }
  }

  /** A member calls the entry committed. True when that is news. */
  commits(by: { readonly node: number; readonly term: number }, entry: Entry): boolean {
    const known = this.#decided[entry.index];
    if (known !== undefined) {
      if (!isSame(known.entry, entry)) {
        const terms = `${known.entry.term} became ${entry.term} at ${by.node}`;
        this.#verdicts.broken('CI', `${this.name}: committed entry ${entry.index} of term ${terms}`);
      }
      return false;
    }
    const before = this.#decided[entry.index - 1];
    if (before !== undefined && entry.timeMs < before.entry.timeMs) {
      this.#verdicts.broken('TIME', `${this.name}: time runs back at ${entry.index}`);
    }
    this.#decided[entry.index] = {
      entry,
      committedIn: by.term,
      reply: undefined,
      stateHash: undefined,
    };
    this.committed = Math.max(this.committed, entry.index);
    return true;
  }

  /** A member applied an entry and answers so. True when it is the first one. */
  applies(node: number, applied: AppliedEntry, reply: Uint8Array): boolean {
    const { index } = applied;
    const decided = this.#decided[index];
    if (decided === undefined) {
      this.#verdicts.broken('SMS', `${this.name}: ${node} applied ${index}, which nobody committed`);
      return false;
    }
    const { entry } = decided;
    if (entry.timeMs !== applied.timeMs || !isEqual(entry.data, applied.command)) {
      this.#verdicts.broken('SMS', `${this.name}: ${node} applied another command at ${index}`);
    }
    if (decided.reply !== undefined) {
      if (isEqual(decided.reply, reply)) return false;
      this.#verdicts.broken('SMS', `${this.name}: ${node} gives another reply at ${index}`);
      return false;
    }
    decided.reply = reply;
    this.#once(applied, reply);
    return true;
  }

  /** The state of a member right after an entry. */
  hashes(node: number, index: number, stateHash: number): void {
    const decided = this.#decided[index];
    if (decided === undefined) return;
    decided.stateHash ??= stateHash;
    if (decided.stateHash !== stateHash) {
      this.#verdicts.broken('SMS', `${this.name}: ${node} has another state after ${index}`);
    }
  }

  #once({ index, command }: AppliedEntry, bytes: Uint8Array): void {
    const head = headOf(command);
    if (head === undefined || head.session === 0) return;
    const reply = decodeReply(bytes);
    if (reply.order !== index || isSessionRefusal(reply)) return;
    const known = this.#applied.get(head);
    if (known === undefined) this.#applied.set(head, index);
    else {
      const name = `${head.session}.${head.number}`;
      const places = `at ${known} and again at ${index}`;
      this.#verdicts.broken('EO', `${this.name}: command ${name} was applied ${places}`);
    }
  }
}

function headOf(command: Uint8Array): CommandHead | undefined {
  return command.length === 0 ? undefined : decodeCommandHead(command);
}

function isSame(a: Entry, b: Entry): boolean {
  return (
    a === b ||
    (a.term === b.term && a.timeMs === b.timeMs && a.kind === b.kind && isEqual(a.data, b.data))
  );
}
