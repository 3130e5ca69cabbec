import assert from 'node:assert/strict';
import test from 'node:test';
import { type NodeId, nodeId } from '../../../src/base/id.ts';
import { majority } from '../../../src/base/quorum.ts';
import { Random } from '../../../src/base/random.ts';
import type { CopyPromise, Position, SoughtRegion } from '../../../src/wire/placement.ts';
import { promised, search, succeeded } from '../../../src/world/placement/succession.ts';

const STEPS = 300;
const SEEDS = 400;

interface Entry {
  readonly epoch: number;
  readonly id: number;
}

interface Copy {
  readonly node: NodeId;
  log: Entry[];
  /** It refuses everything of lower epochs. */
  promised: number;
  isBlank: boolean;
  isUp: boolean;
}

type Choose = typeof succeeded;

/** A region whose copies, primary and placement do anything they may, in any order. */
class Drill {
  readonly random: Random;
  readonly copies: Copy[];
  region: SoughtRegion;
  /** Ids of entries that a majority of the copies had on disk. */
  readonly acknowledged = new Set<number>();
  readonly #choose: Choose;
  readonly #underway: CopyPromise[] = [];
  #nextId = 1;
  appointments = 0;

  constructor(seed: number, choose: Choose) {
    this.random = new Random(`succession ${seed}`);
    this.#choose = choose;
    const nodes = Array.from({ length: this.random.chance(1, 2) ? 3 : 5 }, (_, n) => nodeId(6 + n));
    this.copies = nodes.map((node) => {
      return { node, log: [], promised: 1, isBlank: false, isUp: true };
    });
    const [primary = nodeId(0)] = nodes;
    const start = { epoch: 0, sequence: 0 };
    const first = { number: 1, copies: nodes, epoch: 1, primary, start, isBegun: false, search: null };
    this.region = { ...first, appointments: [] };
  }

  step(): void {
    const copy = this.random.pick(this.copies) as Copy;
    switch (this.random.integer(0, 9)) {
      case 0:
      case 1:
        return this.#append();
      case 2:
      case 3:
      case 4:
        return this.#replicate(copy);
      case 5:
        copy.isUp = !copy.isUp;
        return;
      case 6:
        return this.#wipe(copy);
      case 7:
        return this.#seek(copy);
      default:
        return this.#promise(copy);
    }
  }

  #append(): void {
    const primary = this.#primary();
    if (primary === undefined) return;
    primary.log.push({ epoch: this.region.epoch, id: this.#nextId++ });
    this.#acknowledge();
  }

  #replicate(copy: Copy): void {
    const primary = this.#primary();
    if (primary === undefined || copy === primary || !copy.isUp) return;
    // A blank copy may have forgotten a promise: it asks placement before it takes anything.
    if (copy.promised > this.region.epoch || (copy.isBlank && this.region.search !== null)) return;
    // What is brought level takes the whole log; else a few entries more than both share.
    let shared = 0;
    while (shared < copy.log.length && copy.log[shared]?.id === primary.log[shared]?.id) shared += 1;
    const reach = copy.isBlank ? primary.log.length : shared + this.random.integer(0, 3);
    copy.log = primary.log.slice(0, reach);
    copy.isBlank = false;
    copy.promised = this.region.epoch;
    this.#acknowledge();
  }

  /** Loses its disk; never while another one is blank, for then no majority survives. */
  #wipe(copy: Copy): void {
    if (this.copies.some(({ isBlank }) => isBlank)) return;
    copy.log = [];
    copy.promised = 0;
    copy.isBlank = true;
  }

  #seek(wanted: Copy): void {
    if (this.region.search !== null) return;
    const isMove = this.random.chance(1, 3) && wanted.node !== this.region.primary;
    const { node: to } = wanted;
    this.region = search(this.region, isMove ? { cause: 'moved', to } : { cause: 'failed', to: null }, 0);
  }

  /** A copy promises, or an earlier promise arrives late or again. */
  #promise(copy: Copy): void {
    const sought = this.region.search;
    if (sought === null) return;
    const isLate = this.random.chance(1, 4);
    const promise = isLate ? this.random.pick(this.#underway) : this.#promiseOf(copy, sought.epoch);
    if (promise === undefined || promise.epoch !== sought.epoch) return;
    this.region = promised(this.region, promise);
    const isDown = (node: NodeId): boolean => !this.#copy(node).isUp;
    const next = this.#choose(this.region, isDown, this.random.chance(1, 8) ? 10_000 : 0);
    if (next === undefined) return;
    this.region = next;
    this.appointments += 1;
    const heir = this.#copy(next.primary);
    // Its disk was lost after it promised: it says so, and another one is sought.
    if (heir.isBlank) this.region = search(next, { cause: 'failed', to: null }, 0);
    if (heir.isBlank) return;
    const held = new Set(heir.log.slice(0, next.start.sequence).map(({ id }) => id));
    for (const id of this.acknowledged) {
      assert.ok(held.has(id), `entry ${id} was acknowledged, and the primary of ${next.epoch} lacks it`);
    }
  }

  #promiseOf(copy: Copy, epoch: number): CopyPromise | undefined {
    if (!copy.isUp) return undefined;
    copy.promised = Math.max(copy.promised, epoch);
    const last = lastOf(copy);
    const { node, isBlank } = copy;
    const promise = { region: 1, epoch, node, last, isBlank, heard: last };
    this.#underway.push(promise);
    return promise;
  }

  /** Who may append now. */
  #primary(): Copy | undefined {
    const copy = this.#copy(this.region.primary);
    const isPrimary = copy.isUp && !copy.isBlank && copy.promised <= this.region.epoch;
    return isPrimary ? copy : undefined;
  }

  #acknowledge(): void {
    const { log } = this.#copy(this.region.primary);
    for (const { id, epoch } of log) {
      const holders = this.copies.filter((copy) => !copy.isBlank && copy.log.some((one) => one.id === id));
      // An entry of an earlier epoch is safe with the first of this one.
      if (epoch === this.region.epoch && holders.length >= majority(this.copies.length)) {
        this.acknowledged.add(id);
      }
    }
  }

  #copy(node: NodeId): Copy {
    return this.copies.find((each) => each.node === node) as Copy;
  }
}

function lastOf({ log }: Copy): Position {
  return { epoch: log.at(-1)?.epoch ?? 0, sequence: log.length };
}

test('nothing that a majority of the copies had on disk is lost by any succession', () => {
  let appointments = 0;
  let acknowledged = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const drill = new Drill(seed, succeeded);
    for (let step = 0; step < STEPS; step++) drill.step();
    appointments += drill.appointments;
    acknowledged += drill.acknowledged.size;
  }
  assert.ok(appointments > SEEDS && acknowledged > SEEDS, 'the drill does what it is for');
});

test('the drill finds a choice that takes the first who promised', () => {
  const hasty: Choose = (region, hasFailed, nowMs) => {
    const [first, ...others] = region.search?.promises ?? [];
    if (region.search === null || first === undefined || others.length === 0) return undefined;
    const alone = { ...region, search: { ...region.search, cause: 'forced', to: first.node } } as const;
    return succeeded(alone, hasFailed, nowMs);
  };
  assert.throws(() => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const drill = new Drill(seed, hasty);
      for (let step = 0; step < STEPS; step++) drill.step();
    }
  }, /was acknowledged/);
});

test('a blank copy counts beside the primary of the newest epoch, which has all there may be', () => {
  const [first, second, third] = [nodeId(6), nodeId(7), nodeId(8)];
  const copies = [first, second, third];
  const start = { epoch: 2, sequence: 40 };
  const standing = { number: 1, copies, epoch: 3, primary: second, start, isBegun: true, appointments: [] };
  const sought = search({ ...standing, search: null }, { cause: 'failed', to: null }, 0);
  const word = (node: NodeId, last: Position | undefined): CopyPromise => {
    const nothing = { epoch: 0, sequence: 0 };
    const isBlank = last === undefined;
    return { region: 1, epoch: 4, node, last: last ?? nothing, isBlank, heard: nothing };
  };
  const among = (words: readonly CopyPromise[], failed?: NodeId): NodeId | undefined =>
    succeeded(words.reduce(promised, sought), (node) => node === failed, 0)?.primary;
  const full = { epoch: 3, sequence: 57 };
  assert.equal(among([word(second, full), word(first, undefined)]), second);
  assert.equal(among([word(second, start), word(third, undefined)]), second, 'its opening never came');
  assert.equal(among([word(second, full)]), undefined, 'alone it is no majority');
  const [blank, lagging] = [word(second, undefined), word(first, full)];
  assert.equal(among([blank, lagging, word(third, undefined)]), undefined, 'it may have had more');
  assert.equal(among([word(second, full), word(first, undefined)], second), undefined, 'it has failed');
  const older = word(second, { epoch: 2, sequence: 39 });
  assert.equal(among([older, word(first, undefined)]), undefined, 'less than it began with');
});
