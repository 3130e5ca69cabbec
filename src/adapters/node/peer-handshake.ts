// How two nodes prove to each other who they are before a frame is accepted.
//
// `peers` runs one for each connection. The dialler says hello; the acceptor answers with its own
// hello and a proof; the dialler proves itself in turn. A proof is an HMAC-SHA256 under the world's
// key of both hellos (hence of both ids and both fresh nonces) and of the prover's role, so that
// neither an old conversation nor one's own words sent back will do.
// It shows who is at the other end; it hides nothing and does not seal what follows. Links between
// machines therefore belong on a network that strangers cannot write to.
// Layout: hello = "BMPL", u16 version, u32 from, u32 to, 32 bytes SHA-256 of the world's name, 16 bytes
// incarnation of the sender's data folder, u8 whether it is settled, 32 bytes nonce; proof = 32 bytes.
// Little-endian.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { invariant } from '../../base/errors.ts';
import { type NodeId, nodeId } from '../../base/id.ts';
import { type Claim, INCARNATION_BYTES } from '../../wire/incarnation.ts';

const MAGIC: Uint8Array = new TextEncoder().encode('BMPL');
const VERSION = 3;
const DIGEST_BYTES = 32;
const CLAIM_AT: number = 4 + 2 + 4 + 4 + DIGEST_BYTES;
const HELLO_BYTES: number = CLAIM_AT + INCARNATION_BYTES + 1 + DIGEST_BYTES;
const NO_FOLDER: Claim = { incarnation: '00'.repeat(INCARNATION_BYTES), isSettled: false };
const PROOF_DOMAIN = 'bluemarble peer 1\0';

/**
 * - `garbage`: not this protocol.
 * - `other-version`, `other-world`: one of us, yet not one we can speak with.
 * - `wrong-node`: an id the topology does not hold, our own, or not the one that was called.
 * - `wrong-key`: the proof does not fit the world's key.
 */
export type HandshakeRefusal =
  'garbage' | 'other-version' | 'other-world' | 'wrong-node' | 'wrong-key';

/** What to do after a chunk: send `reply` if there is one; `rest` are bytes after the handshake. */
export type HandshakeStep =
  | { readonly kind: 'pending'; readonly reply?: Uint8Array }
  | {
      readonly kind: 'proved';
      readonly node: NodeId;
      readonly claim: Claim;
      readonly rest: Uint8Array;
      readonly reply?: Uint8Array;
    }
  | { readonly kind: 'refused'; readonly cause: HandshakeRefusal };

export interface HandshakeOptions {
  readonly self: NodeId;
  readonly world: string;
  readonly key: Uint8Array;
  /** The folder that this node speaks for, where it has one. */
  readonly claim?: Claim;
  /** Whom the connection was dialled to; undefined for one that was accepted. */
  readonly dialled: NodeId | undefined;
  /** Whether the topology holds such a node. */
  knows(node: NodeId): boolean;
}

/** One side of one handshake. After `proved` or `refused` it is over. */
export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #world: Uint8Array;
  /** What the other side sent and is not yet read: never more than one chunk and a hello. */
  #held: Uint8Array = new Uint8Array(0);
  #ownHello: Uint8Array | undefined;
  #otherHello: Uint8Array | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#world = new Uint8Array(createHash('sha256').update(options.world).digest());
  }

  /** The dialler's first words. */
  hello(): Uint8Array {
    const { dialled } = this.#options;
    invariant(dialled !== undefined, 'only a dialler speaks first');
    this.#ownHello = this.#helloTo(dialled);
    return this.#ownHello;
  }

  receive(chunk: Uint8Array): HandshakeStep {
    this.#held = Buffer.concat([this.#held, chunk]);
    if (this.#otherHello === undefined) {
      if (!startsLikeHello(this.#held)) return { kind: 'refused', cause: 'garbage' };
      if (this.#held.length < HELLO_BYTES) return { kind: 'pending' };
      const hello = this.#take(HELLO_BYTES);
      const cause = this.#objection(hello);
      if (cause !== undefined) return { kind: 'refused', cause };
      this.#otherHello = hello;
      if (this.#options.dialled === undefined) {
        this.#ownHello = this.#helloTo(sender(hello));
        return { kind: 'pending', reply: Buffer.concat([this.#ownHello, this.#proof('acceptor')]) };
      }
    }
    if (this.#held.length < DIGEST_BYTES) return { kind: 'pending' };
    return this.#conclude(this.#otherHello);
  }

  #conclude(otherHello: Uint8Array): HandshakeStep {
    const dials = this.#options.dialled !== undefined;
    const expected = this.#proof(dials ? 'acceptor' : 'dialler');
    if (!timingSafeEqual(this.#take(DIGEST_BYTES), expected)) {
      return { kind: 'refused', cause: 'wrong-key' };
    }
    const [node, claim] = [sender(otherHello), claimOf(otherHello)];
    const proved = { kind: 'proved', node, claim, rest: this.#held } as const;
    return dials ? { ...proved, reply: this.#proof('dialler') } : proved;
  }

  #objection(hello: Uint8Array): HandshakeRefusal | undefined {
    const { self, dialled, knows } = this.#options;
    const reader = new ByteReader(hello, MAGIC.length);
    if (reader.u16() !== VERSION) return 'other-version';
    const from = nodeId(reader.u32());
    const to = reader.u32();
    if (!timingSafeEqual(reader.raw(DIGEST_BYTES), this.#world)) return 'other-world';
    if (from === self || to !== self || !knows(from)) return 'wrong-node';
    return dialled === undefined || dialled === from ? undefined : 'wrong-node';
  }

  #helloTo(node: NodeId): Uint8Array {
    const { incarnation, isSettled } = this.#options.claim ?? NO_FOLDER;
    return new ByteWriter(HELLO_BYTES)
      .raw(MAGIC)
      .u16(VERSION)
      .u32(this.#options.self)
      .u32(node)
      .raw(this.#world)
      .raw(Buffer.from(incarnation, 'hex'))
      .u8(isSettled ? 1 : 0)
      .raw(randomBytes(DIGEST_BYTES))
      .finish();
  }

  #proof(role: 'dialler' | 'acceptor'): Uint8Array {
    const dials = this.#options.dialled !== undefined;
    const [first, second] = dials
      ? [this.#ownHello, this.#otherHello]
      : [this.#otherHello, this.#ownHello];
    invariant(first !== undefined && second !== undefined, 'a proof covers both hellos');
    return createHmac('sha256', this.#options.key)
      .update(`${PROOF_DOMAIN}${role}\0`)
      .update(first)
      .update(second)
      .digest();
  }

  #take(count: number): Uint8Array {
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }
}

function startsLikeHello(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => i >= bytes.length || bytes[i] === byte);
}

function sender(hello: Uint8Array): NodeId {
  return nodeId(new ByteReader(hello, MAGIC.length + 2).u32());
}

function claimOf(bytes: Uint8Array): Claim {
  const reader = new ByteReader(bytes, CLAIM_AT);
  const incarnation = Buffer.from(reader.raw(INCARNATION_BYTES)).toString('hex');
  return { incarnation, isSettled: reader.u8() === 1 };
}
