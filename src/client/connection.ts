// The shell around the session and the motion lane: a WebSocket, a timer, and who waits for what.
//
// `client.ts` owns one. It decides nothing about the protocol: it tells the session what happened and
// carries out its effects in order. What others registered runs in a microtask of its own, so that
// neither an exception nor a call made in there can disturb the order of effects.
import { Others, type Seen, MotionLane } from './motion.ts';
import {
  ClientSession,
  type ClientState,
  type SessionEffect,
  type SessionOptions,
  type StoredSession,
} from './session.ts';
import { InvalidInputError, type Outcome } from '../base/errors.ts';
import { type Entered, enter, type Place } from '../wire/calls.ts';
import { decodeServerMotion, type ServerMotion } from '../wire/motion.ts';
import { CROSSED_PUSH } from '../wire/player.ts';

/** Calls of the link and the region behind it. */
const POSITION = { kind: 'position', isRegional: false } as const;
const TIMER_MS_MAX = 60_000;
/** After an entry that nobody answered for. */
const ENTER_AGAIN_MS = 250;
/** A link with so much unsent gets no motion: a newer place will be sent in its stead. */
const MOTION_BUFFERED_BYTES_MAX = 16_384;

/** The part of the standard WebSocket that is used: a browser's, Node's, or that of `ws`. */
export interface Socket {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}
export type SocketConstructor = new (url: string) => Socket;

/** What the motion lane says; `entered` and `out` also tell of other regions, and of entering again. */
export type Motion =
  | ServerMotion
  | { readonly kind: 'entered'; readonly entered: Entered }
  | { readonly kind: 'out'; readonly reason: string };

export interface Listeners {
  push(push: string, value: unknown): void;
  state(state: ClientState): void;
  motion(motion: Motion): void;
}

type Settle = (outcome: Outcome<unknown>) => void;
/** Gives the session something to do under a new ticket. */
type Start = (ticket: number, nowMs: number) => readonly SessionEffect[];

export class Connection {
  readonly session: ClientSession;
  readonly #listeners: Listeners;
  readonly #Socket: SocketConstructor;
  readonly #settlers = new Map<number, Settle>();
  readonly #lane = new MotionLane();
  readonly #others = new Others();
  #tickets = 0;
  #current: { readonly link: number; readonly socket: Socket } | undefined;
  readonly #effects: SessionEffect[] = [];
  #isRunning = false;
  #isEntering = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAtMs = Infinity;

  constructor(options: SessionOptions, Socket: SocketConstructor, listeners: Listeners) {
    this.session = new ClientSession(options);
    this.#Socket = Socket;
    this.#listeners = listeners;
    this.#run(this.session.time(now()));
  }

  get stored(): StoredSession | undefined {
    return this.session.stored;
  }

  get others(): ReadonlyMap<number, Seen> {
    return this.#others.at(now());
  }

  /** Runs `start` and calls `settle` once, when its ticket is settled. */
  ask(start: Start, settle: Settle): void {
    const ticket = ++this.#tickets;
    this.#settlers.set(ticket, settle);
    this.#run(start(ticket, now()));
  }

  enter(place: Place, settle: Settle): void {
    this.#enter(place, (outcome) => {
      if (outcome.kind === 'done') {
        this.#lane.entered(place, tickMsOf(outcome.value), now());
      }
      settle(outcome);
    });
  }

  leave(settle: Settle): void {
    this.#lane.left();
    this.session.stands(undefined);
    const request = { ...POSITION, call: 'position.leave', args: null };
    this.ask((ticket, nowMs) => this.session.call({ ticket, ...request }, nowMs), settle);
  }

  moveTo(place: Place): void {
    this.#lane.moveTo(place, now());
    this.#afterInput();
  }

  close(): void {
    this.#lane.left();
    this.#run(this.session.close(now()));
  }

  #enter(place: Place, settle: Settle): void {
    const request = { ...POSITION, call: 'position.enter', args: place };
    this.ask(
      (ticket, nowMs) => this.session.call({ ticket, ...request }, nowMs),
      (outcome) => {
        const entered = outcome.kind === 'done' ? (outcome.value as Entered) : undefined;
        if (entered !== undefined) this.session.stands(entered.region);
        settle(outcome);
        if (entered !== undefined) this.#tellMotion({ kind: 'entered', entered });
      },
    );
  }

  /**
   * After a break: into the region again, where the player is by now, until one has him. Who waded into
   * the sea can not enter there: he is put back to where he entered last, and the game is told.
   */
  #enterAgain(): void {
    const place = this.#lane.reentry;
    if (place === undefined || this.#isEntering || this.session.state !== 'ready') return;
    this.#isEntering = true;
    this.#enter(place, (outcome) => {
      this.#isEntering = false;
      if (outcome.kind === 'done') return this.#lane.reentered(tickMsOf(outcome.value), place);
      if (outcome.kind !== 'rejected') {
        // Nobody has the region while a new primary is sought. If the link broke, the next one enters.
        setTimeout(() => this.#enterAgain(), ENTER_AGAIN_MS);
        return;
      }
      const isWater = outcome.reason === 'not-on-land';
      const correction = isWater ? this.#lane.ashore(place, now()) : undefined;
      if (correction !== undefined) {
        this.#tellMotion({ kind: 'correction', correction });
        return this.#enterAgain();
      }
      this.#lane.left();
      this.session.stands(undefined);
      this.#tellMotion({ kind: 'out', reason: outcome.reason });
    });
  }

  /** Carries out effects in their order, also those that carrying out others brings about. */
  #run(effects: readonly SessionEffect[]): void {
    this.#effects.push(...effects);
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (;;) {
      const effect = this.#effects.shift();
      if (effect === undefined) break;
      this.#carryOut(effect);
    }
    this.#isRunning = false;
    this.#afterInput();
  }

  #carryOut(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'open':
        return this.#open(effect.link, effect.url);
      case 'send':
        if (this.#current?.link === effect.link) this.#current.socket.send(effect.text);
        return;
      case 'drop':
        if (this.#current?.link === effect.link) this.#current.socket.close();
        return;
      case 'settle': {
        const settle = this.#settlers.get(effect.ticket);
        this.#settlers.delete(effect.ticket);
        return settle?.(effect.outcome);
      }
      case 'push':
        if (effect.push === CROSSED_PUSH) this.#crossed(effect.value);
        return queueMicrotask(() => this.#listeners.push(effect.push, effect.value));
      case 'state':
        if (effect.state === 'ready') this.#enterAgain();
        else this.#lane.interrupted();
        return queueMicrotask(() => this.#listeners.state(effect.state));
    }
  }

  #open(link: number, url: string): void {
    const socket = new this.#Socket(url);
    this.#current = { link, socket };
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => this.#run(this.session.opened(link, now())));
    socket.addEventListener('close', ({ code }) => {
      this.#run(this.session.closed(link, code, now()));
    });
    // A `close` follows every error and says all that matters.
    socket.addEventListener('error', () => {});
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.#run(this.session.text(link, data, now()));
      else if (data instanceof ArrayBuffer) this.#motion(link, new Uint8Array(data));
    });
  }

  #motion(link: number, bytes: Uint8Array): void {
    if (link !== this.session.provenLink) return;
    let motion: ServerMotion;
    try {
      motion = decodeServerMotion(bytes);
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      // As good as lost: the next tick says it anew.
      return;
    }
    this.#tellMotion(motion);
    if (motion.kind === 'tick') {
      const nowMs = now();
      const { avatars, timeMs: stampMs } = motion;
      const atMs = this.#others.saw({ avatars, stampMs }, this.session.player, nowMs);
      this.#lane.ticked(atMs);
      return this.#afterInput();
    }
    this.#lane.corrected(motion.correction, now());
    if (motion.correction.reason !== 'not-in-the-world') return;
    this.#lane.interrupted();
    this.#enterAgain();
  }

  /** Another region has him now: it is told anew where he goes. */
  #crossed(value: unknown): void {
    let entered: Entered;
    try {
      entered = enter.value.parse(value, CROSSED_PUSH);
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      // Of a newer gateway: the motion lane goes on as it did.
      return;
    }
    this.session.stands(entered.region);
    this.#lane.reentered(entered.tickMs);
    this.#others.crossed();
    this.#tellMotion({ kind: 'entered', entered });
  }

  #tellMotion(motion: Motion): void {
    queueMicrotask(() => this.#listeners.motion(motion));
  }

  #afterInput(): void {
    const nowMs = now();
    const current = this.#current;
    const linked = current !== undefined && current.link === this.session.provenLink;
    if (linked && current.socket.bufferedAmount <= MOTION_BUFFERED_BYTES_MAX) {
      const update = this.#lane.take(nowMs);
      if (update !== undefined) current.socket.send(new Uint8Array(update));
    }
    const motionAtMs = linked ? this.#lane.wakeAtMs : Infinity;
    this.#wakeAt(Math.min(this.session.wakeAtMs, motionAtMs), nowMs);
  }

  /** One timer, which may fire too early but never too late. */
  #wakeAt(atMs: number, nowMs: number): void {
    if (this.#timerAtMs <= atMs && atMs !== Infinity) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    if (atMs === Infinity) return;
    const inMs = Math.min(Math.max(Math.ceil(atMs - nowMs), 1), TIMER_MS_MAX);
    this.#timer = setTimeout(() => {
      this.#timerAtMs = Infinity;
      this.#run(this.session.time(now()));
    }, inMs);
  }
}

function tickMsOf(value: unknown): number {
  return (value as Entered).tickMs;
}

function now(): number {
  return performance.now();
}
