// Client sessions: a command is applied at most once, and a repeat gets the first answer.
//
// `world/group-machine` wraps the machine that holds the features. The table of sessions is replicated
// state: it is in every snapshot, and sessions end by the log's time, so that all replicas agree on
// what was applied before. A machine without it would apply a command again whose answer was lost.
// 1. A number of a session reaches the inner machine at most once, ever: while its answer is
//    remembered the repeat gets that, later it is refused, and an expired session is always refused.
// 2. Numbers may come in any order within the window; `answeredBelow` only grows.
// 3. What is remembered is bounded per session (window) and altogether (bytes, sessions).
// Source: Ongaro's thesis, section 6.3, with a window instead of one outstanding command.
import { BeforeImages } from '../base/before-images.ts';
import { ByteReader, ByteWriter, copyOf } from '../base/bytes.ts';
import { CorruptionError } from '../base/errors.ts';
import { atOnce, loadedInSlices, type Loading, savedInSlices, type Slices } from '../base/slices.ts';
import {
  type Applied,
  type AppliedEntry,
  restoredInSlices,
  slicesOf,
  type StateMachine,
} from './state-machine.ts';

/** Numbers at or beyond the lowest unanswered one plus this are refused: `too-many-outstanding`. */
const OUTSTANDING_MAX = 256;
/** Sessions in one group: one more is refused as `too-many-sessions` until others end. */
const SESSIONS_MAX = 100_000;
/**
 * Remembered answers of all sessions. Beyond it a session may have one at a time: a client that asks
 * one thing after another notices nothing, one that hoards is refused as `too-many-outstanding`.
 */
const REMEMBERED_BYTES_MAX: number = 64 * 1024 * 1024;
/** About what the engine spends on an answer besides its bytes. */
const ANSWER_OVERHEAD_BYTES = 256;
const FORMAT = 1;
/** Commands are numbered from 1. */
const NO_MORE_ANSWERS = 0;

/** Session 0 is no session: such commands pass through and must be harmless when repeated. */
export interface SessionHead {
  readonly session: number;
  readonly sessionExpiresAtMs: number;
  readonly number: number;
  /** Every lower number has had its answer, by the client's word. */
  readonly answeredBelow: number;
}

/**
 * - `session-expired`: the session's time is over by the log's time; it was not applied now.
 * - `session-mismatch`: the session is known with another end than this.
 * - `already-answered`: below `answeredBelow`; the answer was given and is forgotten.
 * - `too-many-outstanding`, `too-many-sessions`: not applied; the same number may be asked again.
 */
export type SessionRefusal =
  | 'session-expired'
  | 'session-mismatch'
  | 'already-answered'
  | 'too-many-outstanding'
  | 'too-many-sessions';

export interface SessionOptions {
  /** `undefined` for bytes that are no command: the inner machine then refuses them. */
  head(command: Uint8Array): SessionHead | undefined;
  /** The reply bytes of a refusal. */
  refuse(reason: SessionRefusal, entry: AppliedEntry): Uint8Array;
  readonly sessionsMax?: number;
  readonly rememberedBytesMax?: number;
}

/** The inner machine, to which each command of a session comes at most once. */
export function exactlyOnce(inner: StateMachine, options: SessionOptions): StateMachine {
  return new ExactlyOnce(inner, options);
}

/** A chain: most sessions have one answer, and an array around each would be dear to save. */
interface Answer {
  readonly number: number;
  readonly reply: Uint8Array;
  readonly next: Answer | undefined;
}

interface Session {
  readonly id: number;
  readonly expiresAtMs: number;
  answeredBelow: number;
  /** The first of the remembered answers; their order is state like they are. */
  answers: Answer | undefined;
}

class ExactlyOnce implements StateMachine {
  readonly #inner: StateMachine;
  readonly #options: SessionOptions;
  readonly #sessionsMax: number;
  readonly #rememberedBytesMax: number;
  #table = new SessionTable();
  #snapshotBytes = 0;

  constructor(inner: StateMachine, options: SessionOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#sessionsMax = options.sessionsMax ?? SESSIONS_MAX;
    this.#rememberedBytesMax = options.rememberedBytesMax ?? REMEMBERED_BYTES_MAX;
  }

  apply(entry: AppliedEntry): Applied {
    this.#table.expire(entry.timeMs);
    const head = this.#options.head(entry.command);
    if (head === undefined || head.session === 0) return this.#inner.apply(entry);
    const session = this.#admit(head, entry.timeMs);
    if (typeof session === 'string') return this.#refuse(session, entry);
    const remembered = answerTo(session, head.number);
    if (remembered !== undefined) return { reply: remembered.reply, notices: [] };
    const refusal = this.#place(session, head);
    if (refusal !== undefined) return this.#refuse(refusal, entry);
    const applied = this.#inner.apply(entry);
    this.#table.remember(session, head.number, applied.reply);
    return applied;
  }

  query(request: Uint8Array, index: number, timeMs: number): Uint8Array {
    return this.#inner.query(request, index, timeMs);
  }

  snapshot(): Uint8Array {
    const inner = this.#inner.snapshot();
    const writer = new ByteWriter(this.#snapshotBytes + inner.length + 1024).u8(FORMAT);
    this.#table.save(writer);
    this.#snapshotBytes = writer.length;
    return writer.raw(inner).finish();
  }

  *slices(): Slices {
    const inner = slicesOf(this.#inner);
    let step = inner.next();
    const own = yield* this.#table.slices();
    for (; step.done !== true; step = inner.next()) yield undefined;
    return [...own, ...step.value];
  }

  restore(snapshot: Uint8Array): void {
    atOnce(this.restoreInSlices(snapshot));
  }

  *restoreInSlices(snapshot: Uint8Array): Loading<undefined> {
    const reader = new ByteReader(snapshot);
    const format = reader.u8();
    if (format !== FORMAT) throw new CorruptionError(`sessions are saved in format ${format}`);
    const table = yield* SessionTable.load(reader);
    // Both change in one step, the inner machine's last one.
    yield* restoredInSlices(this.#inner, reader.rawView(reader.remaining));
    this.#table = table;
  }

  /** The command's session, made at first sight, or why it may not have one. */
  #admit(head: SessionHead, nowMs: number): Session | SessionRefusal {
    if (head.sessionExpiresAtMs <= nowMs) return 'session-expired';
    const known = this.#table.find(head.session);
    if (known === undefined) {
      if (this.#table.size >= this.#sessionsMax) return 'too-many-sessions';
      return this.#table.open(head.session, head.sessionExpiresAtMs);
    }
    return known.expiresAtMs === head.sessionExpiresAtMs ? known : 'session-mismatch';
  }

  /** Takes the client's word on what was answered, then says whether the number may be applied. */
  #place(session: Session, head: SessionHead): SessionRefusal | undefined {
    // A command that is still asked is not answered, whatever it says about itself.
    this.#table.forgetBelow(session, Math.min(head.answeredBelow, head.number));
    if (head.number < session.answeredBelow) return 'already-answered';
    if (head.number >= session.answeredBelow + OUTSTANDING_MAX) return 'too-many-outstanding';
    const full = this.#table.rememberedBytes >= this.#rememberedBytesMax;
    return full && session.answers !== undefined ? 'too-many-outstanding' : undefined;
  }

  #refuse(reason: SessionRefusal, entry: AppliedEntry): Applied {
    return { reply: this.#options.refuse(reason, entry), notices: [] };
  }
}

/** All sessions that have not ended, with what is remembered of them. */
class SessionTable {
  readonly #byId = new Map<number, Session>();
  /** By end, then id. A new session mostly ends last, so that putting it in place moves few. */
  readonly #byExpiry: Session[] = [];
  /** A chain of answers never changes: a copy of what begins it is enough. */
  readonly #before = new BeforeImages<Session>((session) => ({ ...session }));
  rememberedBytes = 0;

  get size(): number {
    return this.#byId.size;
  }

  find(id: number): Session | undefined {
    return this.#byId.get(id);
  }

  open(id: number, expiresAtMs: number): Session {
    const session: Session = { id, expiresAtMs, answeredBelow: 1, answers: undefined };
    this.#byExpiry.splice(this.#placeOf(session), 0, session);
    this.#byId.set(id, session);
    return session;
  }

  expire(nowMs: number): void {
    let ended = 0;
    for (const session of this.#byExpiry) {
      if (session.expiresAtMs > nowMs) break;
      this.forgetBelow(session, Number.MAX_SAFE_INTEGER);
      this.#byId.delete(session.id);
      ended += 1;
    }
    if (ended > 0) this.#byExpiry.splice(0, ended);
  }

  remember(session: Session, number: number, reply: Uint8Array): void {
    this.#before.keep(session);
    // A copy: the reply lies among frames that nobody needs for long.
    session.answers = { number, reply: copyOf(reply), next: session.answers };
    this.rememberedBytes += costOf(reply);
  }

  forgetBelow(session: Session, number: number): void {
    if (number <= session.answeredBelow) return;
    this.#before.keep(session);
    session.answeredBelow = number;
    let kept: Answer | undefined;
    for (let answer = session.answers; answer !== undefined; answer = answer.next) {
      if (answer.number < number) this.rememberedBytes -= costOf(answer.reply);
      else kept = { number: answer.number, reply: answer.reply, next: kept };
    }
    session.answers = kept;
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#byExpiry.length);
    for (const session of this.#byExpiry) saveSession(writer, session);
  }

  *slices(): Slices {
    const all = [...this.#byExpiry];
    this.#before.begin();
    const head = new ByteWriter().u8(FORMAT).varint(all.length);
    const parts = yield* savedInSlices(head, all, (writer, session) => {
      saveSession(writer, this.#before.of(session));
    });
    this.#before.end();
    return parts;
  }

  static *load(reader: ByteReader): Loading<SessionTable> {
    const table = new SessionTable();
    yield* loadedInSlices(reader, reader.varint(), () => {
      const { size } = table;
      const session = table.open(reader.varint(), reader.varint());
      if (table.size === size) throw new CorruptionError(`session ${session.id} is saved twice`);
      session.answeredBelow = reader.varint();
      const chain: { readonly number: number; readonly reply: Uint8Array }[] = [];
      for (let number = reader.varint(); number !== NO_MORE_ANSWERS; number = reader.varint()) {
        chain.push({ number, reply: reader.bytes() });
      }
      for (const { number, reply } of chain.reverse()) table.remember(session, number, reply);
    });
    return table;
  }

  #placeOf(session: Session): number {
    let low = 0;
    let high = this.#byExpiry.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (endsAfter(this.#byExpiry[middle], session)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function saveSession(writer: ByteWriter, session: Session): void {
  const { id, expiresAtMs, answeredBelow, answers } = session;
  writer.varint(id).varint(expiresAtMs).varint(answeredBelow);
  for (let answer = answers; answer !== undefined; answer = answer.next) {
    writer.varint(answer.number).bytes(answer.reply);
  }
  writer.varint(NO_MORE_ANSWERS);
}

function endsAfter(known: Session | undefined, other: Session): boolean {
  if (known === undefined) return true;
  if (known.expiresAtMs !== other.expiresAtMs) return known.expiresAtMs > other.expiresAtMs;
  return known.id > other.id;
}

function answerTo(session: Session, number: number): Answer | undefined {
  let answer = session.answers;
  while (answer !== undefined && answer.number !== number) answer = answer.next;
  return answer;
}

function costOf(reply: Uint8Array): number {
  return reply.length + ANSWER_OVERHEAD_BYTES;
}
