// Who is met under which data folder: a node whose folder was wiped is refused under its old id.
//
// A member that lost its disk has forgotten what it promised. Were it let in again under its id, its vote and
// that of a member which missed an entry could make a majority that knows nothing of what was committed. So
// each folder is given a random word at birth, its incarnation, and the others write down which one an id was
// first met with. The handshake between nodes asks `admits`, `introduction.ts` carries the rest.
// 1. A newborn node says nothing in its groups before a majority of the other members of each has written its
//    incarnation down; then it is settled. Of two majorities of the same others, one member is in both: so at
//    most one incarnation of an id is ever settled.
// 2. What is written down never changes, save that a settled incarnation takes the place of one that is not.
// 3. Whoever is confirmed by others has heard by the same words whom they know: the memory outlives those who
//    are replaced.
// Limit: an old copy of the same folder that is put back has its incarnation, and is not told apart.
// Nodes without a group are not remembered: a copy of a region that lost its disk says so itself, and
// `docs/regions.md` tells why that is enough there.
import { CorruptionError, InvalidInputError, invariant } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import type { Entropy } from '../../runtime/ports.ts';
import { type Claim, INCARNATION_BYTES, type KnownNode, knownNodes } from '../../wire/incarnation.ts';
import { encodePeerMessage } from '../../wire/peer.ts';
import type { Topology } from './topology.ts';

/** Where a node keeps what it knows, itself included. */
export interface IncarnationStore {
  /** What `keep` was given last, as JSON; `undefined` in a fresh folder. */
  found(): unknown;
  /** Durable when it returns. */
  keep(known: readonly KnownNode[]): void;
}

export interface IncarnationOptions {
  readonly topology: Topology;
  readonly self: NodeId;
  readonly store: IncarnationStore;
  readonly entropy: Entropy;
}

export class Incarnations {
  readonly #self: NodeId;
  readonly #store: IncarnationStore;
  /** Other members of each group that this node is a member of. */
  readonly #companies: readonly (readonly NodeId[])[];
  /** Who keeps promises: nobody else is remembered. */
  readonly #members: ReadonlySet<NodeId>;
  readonly #known: Map<NodeId, KnownNode>;
  readonly #confirmed = new Set<NodeId>();
  #isKept = true;

  /** Throws `CorruptionError` when what was kept can not be read. */
  constructor({ topology, self, store, entropy }: IncarnationOptions) {
    this.#self = self;
    this.#store = store;
    const groups = topology.groups.map(({ members }) => members);
    this.#members = new Set(groups.flat());
    this.#companies = groups
      .filter((members) => members.includes(self))
      .map((members) => members.filter((node) => node !== self));
    this.#known = new Map(foundIn(store).map((known) => [known.node, known]));
    if (this.#known.has(self)) return;
    this.#learn({ node: self, incarnation: hexOf(entropy.bytes(INCARNATION_BYTES)), isSettled: false });
    this.#settleIfConfirmed();
    this.#keep();
  }

  get own(): Claim {
    const own = this.#known.get(this.#self);
    invariant(own !== undefined, 'a node knows itself from its first moment');
    return own;
  }

  /** The other members that are to confirm this node. */
  get others(): readonly NodeId[] {
    return [...new Set(this.#companies.flat())];
  }

  /** Whether a node that proved who it is may be heard: not with another folder than it was met with. */
  admits(node: NodeId, claim: Claim): boolean {
    if (!this.#members.has(node)) return true;
    return this.#learn({ node, incarnation: claim.incarnation, isSettled: claim.isSettled });
  }

  /** All that is known here, written down before it is told. */
  tell(): readonly KnownNode[] {
    this.#keep();
    return [...this.#known.values()];
  }

  /** What is told to whoever is not admitted: he finds in it as whom he is known. */
  refusal(): Uint8Array {
    return encodePeerMessage({ kind: 'incarnations', asks: false, known: this.tell() });
  }

  /**
   * What another member tells of all that it knows. `stranger`: it knows this node with another folder, so
   * that this one must not go on. `settled`: by this word enough others know it.
   */
  hear(from: NodeId, told: readonly KnownNode[]): 'stranger' | 'settled' | 'heard' {
    for (const known of told) {
      if (known.node !== this.#self && this.#members.has(known.node)) this.#learn(known);
    }
    const { incarnation, isSettled } = this.own;
    const me = told.find(({ node }) => node === this.#self);
    if (me === undefined) return 'heard';
    if (me.incarnation !== incarnation) return isSettled && !me.isSettled ? 'heard' : 'stranger';
    this.#confirmed.add(from);
    if (isSettled || !this.#settleIfConfirmed()) return 'heard';
    this.#keep();
    return 'settled';
  }

  #settleIfConfirmed(): boolean {
    const isKnown = this.#companies.every((others) => {
      return 2 * others.filter((node) => this.#confirmed.has(node)).length > others.length;
    });
    if (isKnown) this.#learn({ ...this.own, node: this.#self, isSettled: true });
    return isKnown;
  }

  /** False when the node is known with another folder. */
  #learn(told: KnownNode): boolean {
    const known = this.#known.get(told.node);
    const isOther = known !== undefined && known.incarnation !== told.incarnation;
    const isNew = known === undefined || (told.isSettled && !known.isSettled);
    if (isNew) {
      this.#known.set(told.node, told);
      this.#isKept = false;
    }
    return isNew || !isOther;
  }

  #keep(): void {
    if (this.#isKept) return;
    this.#store.keep([...this.#known.values()]);
    this.#isKept = true;
  }
}

function foundIn(store: IncarnationStore): readonly KnownNode[] {
  const found = store.found();
  if (found === undefined) return [];
  try {
    return knownNodes.parse(found, 'incarnations');
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    throw new CorruptionError(`the incarnations can not be read: ${cause.message}`);
  }
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
