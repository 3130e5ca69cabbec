// What must hold of a region's copies at every moment, whatever happens to them.
//
// `region-cluster.ts` calls it after every step. It keeps its own account of all logs, out of what the
// copies hand to their disks, and asks the cores for nothing that it can know by itself.
import assert from 'node:assert/strict';
import type { NodeId } from '../../src/base/id.ts';
import type { CopyWrite, LostTail } from '../../src/protocols/primary/messages.ts';
import type { Bound } from '../../src/protocols/primary/reads.ts';
import type { Member } from './region-cluster.ts';

interface Acknowledged {
  readonly epoch: number;
  readonly sequence: number;
  readonly atMs: number;
}

export class RegionRules {
  readonly #size: number;
  readonly #primaries = new Map<number, NodeId>();
  /** The epochs of a primary's log, by sequence, as it was when its epoch began. */
  readonly #chosen = new Map<number, readonly number[]>();
  readonly #entries = new Map<string, string>();
  /** The epochs of each copy's log in memory, by sequence from 1. */
  readonly #logs = new Map<NodeId, number[]>();
  readonly #promised = new Map<NodeId, number>();
  readonly #quorum: Acknowledged[] = [];
  /** Acknowledged by one copy, by epoch. */
  readonly #one = new Map<number, Acknowledged>();
  #committed = 0;
  lostEntries = 0;

  constructor(size: number) {
    this.#size = size;
  }

  get acknowledged(): number {
    return this.#quorum.length;
  }

  /** Before the disk has it: what a copy's log in memory is now. */
  wrote({ id, copy }: Member, { entries, reset }: CopyWrite): void {
    const log = this.#log(id);
    if (reset !== undefined) {
      log.length = 0;
      for (let sequence = 1; sequence <= reset.sequence; sequence++) {
        log.push(copy.epochAt(sequence) ?? 0);
      }
    }
    const first = entries[0];
    if (first !== undefined) log.length = first.sequence - 1;
    for (const { epoch } of entries) log.push(epoch);
  }

  /** What a disk has: an entry that never left its primary may be another after a crash. */
  stored({ entries }: CopyWrite): void {
    for (const { epoch, sequence, data } of entries) {
      const name = `${epoch}/${sequence}`;
      const text = new TextDecoder().decode(data);
      assert.equal(this.#entries.get(name) ?? text, text, `entry ${name} is the same on all copies`);
      this.#entries.set(name, text);
    }
  }

  restarted({ id, copy, stored }: Member): void {
    // What it had not on its disk it had told to nobody.
    if (this.#promised.has(id)) this.#promised.set(id, stored.promised);
    const known = stored.state?.mark.sequence ?? 0;
    const log = this.#log(id);
    log.length = 0;
    for (let sequence = 1; sequence <= known; sequence++) log.push(copy.epochAt(sequence) ?? 0);
    for (const { epoch } of stored.entries) log.push(epoch);
  }

  wiped({ id }: Member): void {
    this.#promised.delete(id);
  }

  /** The lost tail is all that this log has and the primary's has not, and nothing else. */
  lost({ id, copy }: Member, { from, to, entries }: LostTail): void {
    const log = this.#log(id);
    const epoch = copy.status.promised;
    const chosen = this.#chosen.get(epoch);
    assert.ok(chosen, `a tail is lost to the primary of epoch ${epoch}`);
    const theirs = (sequence: number): number =>
      sequence <= chosen.length ? (chosen[sequence - 1] ?? 0) : epoch;
    const differs = log.findIndex((own, i) => own !== theirs(i + 1)) + 1;
    assert.deepEqual([from.sequence, to.sequence], [differs, log.length], 'the tail is exact');
    assert.equal(entries.at(-1)?.sequence ?? to.sequence, to.sequence);
    this.lostEntries += to.sequence - from.sequence + 1;
  }

  /** Within one millisecond nobody can tell what came first. */
  served({ applied, copy }: Member, bound: Bound, askedMs: number): void {
    const epoch = copy.status.promised;
    const reached = applied.length;
    if (bound.kind === 'atLeast') {
      const isThere = applied[bound.sequence - 1]?.epoch === bound.epoch;
      assert.ok(isThere || copy.isPrimary, 'a known place is in what is read');
    }
    const sinceMs = askedMs - (bound.kind === 'atMostMsOld' ? bound.ms : 0);
    if (bound.kind === 'atLeast') return;
    for (const { sequence, atMs } of this.#quorum) {
      if (atMs < sinceMs) assert.ok(sequence <= reached, `entry ${sequence} is in what is read`);
    }
    const one = this.#one.get(epoch);
    if (one !== undefined && one.atMs < sinceMs) assert.ok(one.sequence <= reached, 'as new as told');
  }

  check({ id, copy, applied }: Member, nowMs: number): void {
    const { promised, last, isServing } = copy.status;
    assert.ok(promised >= (this.#promised.get(id) ?? 0), 'a promise never falls');
    this.#promised.set(id, promised);
    if (!copy.isPrimary) return;
    const former = this.#primaries.get(promised);
    assert.ok(former === undefined || former === id, `one primary in epoch ${promised}`);
    if (former === undefined) this.#begun(id, promised, last.sequence);
    if (!isServing) return;
    const quorum = Math.min(copy.reached('quorum'), applied.length);
    for (; this.#committed < quorum; this.#committed++) {
      const sequence = this.#committed + 1;
      const epoch = copy.epochAt(sequence) ?? 0;
      this.#quorum.push({ epoch, sequence, atMs: nowMs });
    }
    const one = Math.min(copy.reached('one'), applied.length);
    this.#one.set(promised, { epoch: promised, sequence: one, atMs: nowMs });
  }

  /** Nothing that was acknowledged at a quorum is missing where the next primary begins. */
  #begun(id: NodeId, epoch: number, last: number): void {
    this.#primaries.set(epoch, id);
    const log = this.#log(id).slice(0, last);
    const own = log.indexOf(epoch);
    const chosen = own === -1 ? log : log.slice(0, own);
    this.#chosen.set(epoch, chosen);
    for (const known of this.#quorum) {
      assert.equal(
        chosen[known.sequence - 1],
        known.epoch,
        `entry ${known.epoch}/${known.sequence} is in the log of the primary of epoch ${epoch} ` +
          `(of ${this.#size} copies)`,
      );
    }
  }

  #log(id: NodeId): number[] {
    let log = this.#logs.get(id);
    if (log === undefined) this.#logs.set(id, (log = []));
    return log;
  }
}
