// Placement as its witnesses, copies and operators ask it: one copy of its log, calls by name.
import assert from 'node:assert/strict';
import { type NodeId, nodeId } from '../../src/base/id.ts';
import { type CopyPromise, type PlacedRegion, type Position, readMap } from '../../src/wire/placement.ts';
import { placement } from '../../src/world/features/placement.ts';
import { AskedGroup, reasonOf } from './asked-group.ts';

export const WITNESSES: readonly number[] = [1, 2, 3, 4, 5];
export const EU = 103;
export const ASIA = 104;
/** The copies of `eu`: nodes 8, 9 and 6; of `asia`: 9, 6 and 7. */
export const REGIONS: readonly { readonly number: number; readonly copies: readonly number[] }[] = [
  { number: EU, copies: [8, 9, 6] },
  { number: ASIA, copies: [9, 6, 7] },
];

export type Word = 'trusted' | 'suspected' | 'failed';

/** Placement as its witnesses and copies ask it. */
export class Placed {
  readonly group: AskedGroup = new AskedGroup([placement]);
  #number = 0;
  readonly #minds = new Map<number, Map<number, object>>();

  constructor() {
    this.ask('found', { version: 0, witnesses: WITNESSES, regions: REGIONS });
    const empty = { last: at(0, 0), epoch: 2, isBlank: true };
    for (const { number, copies } of REGIONS) {
      for (const node of copies.slice(0, 2)) this.promise(node, empty.last, { ...empty, region: number });
    }
  }

  ask(call: string, args: unknown): string {
    return reasonOf(this.group.serve(`placement.${call}`, args));
  }

  /** Each of these witnesses changes its mind about one node. */
  say(witnesses: readonly number[], node: number, word: Word, incarnation: number = 1): void {
    for (const witness of witnesses) {
      const mind = this.#minds.get(witness) ?? new Map<number, object>();
      this.#minds.set(witness, mind.set(node, { node, incarnation, opinion: word }));
      this.ask('observe', { witness, number: ++this.#number, opinions: [...mind.values()] });
    }
  }

  promise(node: number, last: Position, o: Partial<CopyPromise> = {}): string {
    const { region = EU, epoch = 3, isBlank = false, heard = last } = o;
    return this.ask('promise', { region, epoch, node, last, isBlank, heard });
  }

  region(number: number = EU): PlacedRegion {
    const answer = this.group.query(0, 'placement.map');
    assert.equal(answer.kind, 'done');
    const { regions } = readMap.value.parse(answer.kind === 'done' && answer.value, 'map');
    const found = regions.find((each) => each.number === number);
    assert.ok(found !== undefined);
    return found;
  }

  /** Who is primary of which epoch, and which epoch copies are asked to promise. */
  get eu(): { readonly primary: NodeId; readonly epoch: number; readonly fenced: number | undefined } {
    const { primary, epoch, fence } = this.region();
    return { primary, epoch, fenced: fence?.epoch };
  }
}

export const at = (sequence: number, epoch: number = 1): Position => ({ epoch, sequence });
export const headed = (primary: number, epoch: number, fenced?: number): Placed['eu'] => {
  return { primary: nodeId(primary), epoch, fenced };
};
