// Password hashes and signatures from Node's crypto, behind the `Secrets` port.
//
// Gateways use it for log-ins and session tokens. Argon2id (RFC 9106) runs in Node's thread pool,
// which also serves the file system, hence few at a time. A hash names its own parameters, so that
// they can be raised without locking anyone out.
// Layout of a hash: u8 format, u32 memory (KiB), u32 passes, u8 lanes, salt, tag. Little-endian.
import { argon2, createHmac, randomFillSync, timingSafeEqual } from 'node:crypto';

import { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { BusyError } from '../../base/errors.ts';
import type { Secrets } from '../../runtime/ports.ts';

const FORMAT_ARGON2ID = 1;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
const HASH_BYTES: number = 1 + 4 + 4 + 1 + SALT_BYTES + TAG_BYTES;
/** OWASP's recommendation for argon2id: about 45 ms on one core. */
const COST: Cost = { memoryKib: 19 * 1024, passes: 2, lanes: 1 };
/** A stored hash may ask for more than ours, yet not for the whole machine. */
const MEMORY_KIB_MAX: number = 256 * 1024;
const PASSES_MAX = 16;
const LANES_MAX = 16;

/** Half of the thread pool's four: file work must go on. */
const RUNNING_MAX = 2;
/** About three seconds of work on one core: whoever would wait longer is told so at once. */
const WAITING_MAX = 128;

const SIGNATURE_BYTES = 16;
/** Keeps these signatures apart from everything else that the world's key proves. */
const SIGNATURE_DOMAIN = 'bluemarble signature 1\0';

interface Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/**
 * `hashPassword` and `verifyPassword` reject with `BusyError` when 128 others wait. Passwords are
 * equal when their NFC forms are, whatever device typed them. `verifyPassword` is false for bytes
 * that are no hash of ours.
 */
export function openSecrets(key: Uint8Array): Secrets {
  const line = new Line(RUNNING_MAX, WAITING_MAX);
  return {
    async hashPassword(password) {
      const salt = randomFillSync(new Uint8Array(SALT_BYTES));
      const tag = await line.run(() => argon2id(password, salt, COST));
      return new ByteWriter(HASH_BYTES)
        .u8(FORMAT_ARGON2ID)
        .u32(COST.memoryKib)
        .u32(COST.passes)
        .u8(COST.lanes)
        .raw(salt)
        .raw(tag)
        .finish();
    },
    async verifyPassword(password, hash) {
      if (hash.length !== HASH_BYTES) return false;
      const reader = new ByteReader(hash);
      if (reader.u8() !== FORMAT_ARGON2ID) return false;
      const cost = { memoryKib: reader.u32(), passes: reader.u32(), lanes: reader.u8() };
      if (!affordable(cost)) return false;
      const salt = reader.raw(SALT_BYTES);
      const tag = reader.raw(TAG_BYTES);
      return timingSafeEqual(await line.run(() => argon2id(password, salt, cost)), tag);
    },
    sign: (bytes) => signature(key, bytes),
    verify: (bytes, tag) =>
      tag.length === SIGNATURE_BYTES && timingSafeEqual(signature(key, bytes), tag),
  };
}

function affordable(cost: Cost): boolean {
  const { memoryKib, passes, lanes } = cost;
  if (lanes < 1 || lanes > LANES_MAX || passes < 1 || passes > PASSES_MAX) return false;
  return memoryKib >= 8 * lanes && memoryKib <= MEMORY_KIB_MAX;
}

function argon2id(password: string, nonce: Uint8Array, cost: Cost): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const parameters = {
    message: password.normalize('NFC'),
    nonce,
    memory: cost.memoryKib,
    passes: cost.passes,
    parallelism: cost.lanes,
    tagLength: TAG_BYTES,
  };
  argon2('argon2id', parameters, (cause, tag) => {
    if (cause === null) resolve(tag);
    else reject(cause);
  });
  return promise;
}

function signature(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const full = createHmac('sha256', key).update(SIGNATURE_DOMAIN).update(bytes).digest();
  return new Uint8Array(full.subarray(0, SIGNATURE_BYTES));
}

/** Runs slow work a few at a time, first come first served, and turns away what would wait long. */
class Line {
  readonly #runningMax: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(runningMax: number, waitingMax: number) {
    this.#runningMax = runningMax;
    this.#waitingMax = waitingMax;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#runningMax) {
      if (this.#waiting.length >= this.#waitingMax) {
        throw new BusyError(`${this.#waitingMax} password checks wait already`);
      }
      // Whoever ends hands its place on, so the count stays as it is.
      await new Promise<void>((called) => this.#waiting.push(called));
    } else {
      this.#running += 1;
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
