// What placement remembers: each region's primary and the search for the next, and what witnesses said.
//
// `features/placement` changes it by commands, `succession` decides by it. Replicated: maps keep the order of
// insertion, which every replica shares, and so do the bytes.
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { CorruptionError } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import { majority } from '../../base/quorum.ts';
import {
  type NodeStanding,
  type OpinionOf,
  type PlacedRegion,
  type PlacementMap,
  placementState,
  type SoughtRegion,
  type Statement,
} from '../../wire/placement.ts';

export class Placement {
  /** Of the topology that was founded last. */
  version = 0;
  readonly regions: Map<number, SoughtRegion> = new Map();
  #witnesses: readonly NodeId[] = [];
  /** The latest of each witness. */
  readonly #statements = new Map<NodeId, Statement>();

  get witnesses(): readonly NodeId[] {
    return this.#witnesses;
  }

  /** Only these are witnesses from now on; what others said is forgotten. */
  setWitnesses(witnesses: readonly NodeId[]): void {
    this.#witnesses = witnesses;
    for (const witness of this.#statements.keys()) {
      if (!witnesses.includes(witness)) this.#statements.delete(witness);
    }
  }

  /** Takes in a statement unless a later one by the same witness is known. Returns the latest's number. */
  hear(statement: Statement): number {
    const known = this.#statements.get(statement.witness);
    if (known !== undefined && known.number >= statement.number) return known.number;
    this.#statements.set(statement.witness, statement);
    return statement.number;
  }

  /** Whether a majority of the witnesses say that the node's newest process failed. */
  hasFailed(node: NodeId): boolean {
    return this.standingOf(node).failedBy >= majority(this.#witnesses.length);
  }

  /**
   * What witnesses say of a node's newest process. Words about an older one count no more; those of
   * a witness that never heard any do.
   */
  standingOf(node: NodeId): NodeStanding {
    const words = this.#wordsOn(node);
    const incarnation = words.reduce((newest, word) => Math.max(newest, word.incarnation), 0);
    const current = words.filter((word) => word.incarnation === incarnation || word.incarnation === 0);
    return {
      node,
      incarnation,
      suspectedBy: current.filter(({ opinion }) => opinion !== 'trusted').length,
      failedBy: current.filter(({ opinion }) => opinion === 'failed').length,
    };
  }

  map(): PlacementMap {
    const nodes = new Set<NodeId>();
    for (const { opinions } of this.#statements.values()) {
      for (const { node } of opinions) nodes.add(node);
    }
    return {
      witnesses: this.#witnesses,
      nodes: [...nodes].sort((a, b) => a - b).map((node) => this.standingOf(node)),
      regions: [...this.regions.values()].map(placedRegion),
    };
  }

  save(writer: ByteWriter): void {
    placementState.encode(writer, {
      version: this.version,
      witnesses: this.#witnesses,
      statements: [...this.#statements.values()],
      regions: [...this.regions.values()],
    });
  }

  static load(reader: ByteReader): Placement {
    const saved = placementState.decode(reader);
    const state = new Placement();
    state.version = saved.version;
    state.#witnesses = saved.witnesses;
    for (const statement of saved.statements) state.#statements.set(statement.witness, statement);
    for (const region of saved.regions) state.regions.set(region.number, region);
    if (state.regions.size !== saved.regions.length) throw new CorruptionError('a region is saved twice');
    return state;
  }

  #wordsOn(node: NodeId): readonly OpinionOf[] {
    return [...this.#statements.values()].flatMap(({ opinions }) => {
      return opinions.filter((each) => each.node === node);
    });
  }
}

/** A region as everybody may know it. */
export function placedRegion({ search, ...region }: SoughtRegion): PlacedRegion {
  if (search === null) return { ...region, fence: null };
  const { epoch, cause, to, promises } = search;
  return { ...region, fence: { epoch, cause, to, promised: promises.map(({ node }) => node) } };
}
