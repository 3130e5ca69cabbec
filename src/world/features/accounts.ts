// Accounts: who a player is, how he proves it, and the sessions in which he acts.
//
// The log-in service asks; players never do so directly. Passwords stay outside: what is stored is a
// hash that the service made and will check.
// Promise: linearizable. Invariants: a log-in name belongs to one player for ever; players are
// numbered from 1 without gaps; a session's id is the place in this log that opened it, hence unique.
import { type ByteReader, ByteWriter } from '../../base/bytes.ts';
import { CorruptionError, type Decision, done, rejected } from '../../base/errors.ts';
import { firstOf, loadedInSlices, type Loading, savedInSlices, type Slices } from '../../base/slices.ts';
import {
  openSession,
  type OpenedSession,
  readCredential,
  registerAccount,
  type RegisterAccount,
} from '../../wire/calls.ts';
import { command, type CommandContext, type Feature, query } from '../feature.ts';

/** From the log-in by the log's time; then the player logs in again. */
export const SESSION_OPEN_MS: number = 24 * 60 * 60 * 1000;
/** Below what a `Map` can hold; one more is refused as `world-full`. */
const ACCOUNTS_MAX = 10_000_000;

interface Account {
  readonly player: number;
  readonly name: string;
  readonly credential: Uint8Array;
  readonly nonce: string;
}

export class Accounts {
  /** In order of registration: the player's number is his place, from 1. */
  readonly #byName = new Map<string, Account>();
  readonly #accountsMax: number;

  constructor(accountsMax: number = ACCOUNTS_MAX) {
    this.#accountsMax = accountsMax;
  }

  find(name: string): Account | undefined {
    return this.#byName.get(name);
  }

  knows(player: number): boolean {
    return player <= this.#byName.size;
  }

  /** `undefined` when the world is full. The name must be free. */
  add({ name, credential, nonce }: RegisterAccount): Account | undefined {
    if (this.#byName.size >= this.#accountsMax) return undefined;
    const account = { player: this.#byName.size + 1, name, credential, nonce };
    this.#byName.set(name, account);
    return account;
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#byName.size);
    for (const account of this.#byName.values()) saveAccount(writer, account);
  }

  /** Accounts are only ever added. */
  slices(): Slices {
    const { size } = this.#byName;
    const head = new ByteWriter().varint(size);
    return savedInSlices(head, firstOf(this.#byName.values(), size), saveAccount);
  }

  static *load(reader: ByteReader): Loading<Accounts> {
    const accounts = new Accounts();
    yield* loadedInSlices(reader, reader.varint(), () => {
      const name = reader.text();
      if (accounts.find(name) !== undefined) throw new CorruptionError(`${name} is saved twice`);
      accounts.add({ name, credential: reader.bytes(), nonce: reader.text() });
    });
    return accounts;
  }
}

export const accounts: Feature<Accounts> = {
  name: 'accounts',
  promise: 'linearizable',
  version: 1,
  needs: [],
  commands: {
    register: command('service', registerAccount, applyRegister),
    openSession: command('service', openSession, applyOpenSession),
  },
  queries: {
    readCredential: query('service', readCredential, (state: Accounts, { name }) => {
      const account = state.find(name);
      if (account === undefined) return rejected('no-such-account');
      return done({ player: account.player, credential: account.credential });
    }),
  },
  create: () => new Accounts(),
  advance() {},
  save: (state, writer) => state.save(writer),
  load: (reader) => Accounts.load(reader),
  slices: (state) => state.slices(),
};

function saveAccount(writer: ByteWriter, { name, credential, nonce }: Account): void {
  writer.text(name).bytes(credential).text(nonce);
}

/** The same nonce is the same registration, whose first answer was lost: it opens a new session. */
function applyRegister(
  state: Accounts,
  args: RegisterAccount,
  context: CommandContext,
): Decision<OpenedSession, 'name-taken' | 'world-full'> {
  const known = state.find(args.name);
  if (known !== undefined && known.nonce !== args.nonce) return rejected('name-taken');
  const account = known ?? state.add(args);
  if (account === undefined) return rejected('world-full');
  return done(sessionOf(account.player, context));
}

function applyOpenSession(
  state: Accounts,
  { player }: { readonly player: number },
  context: CommandContext,
): Decision<OpenedSession, 'no-such-account'> {
  return state.knows(player) ? done(sessionOf(player, context)) : rejected('no-such-account');
}

function sessionOf(player: number, { order, nowMs }: CommandContext): OpenedSession {
  return { player, session: order, expiresAtMs: nowMs + SESSION_OPEN_MS };
}
