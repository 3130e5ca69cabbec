// A tiny world for one client: a network that loses and delays, and a server that keeps its promises.
//
// The server applies each command id at most once, refuses what an ended session asks, and may answer
// anything that the protocol lets a gateway answer. Whoever drives the world draws all from one seed.
import assert from 'node:assert/strict';
import type { Outcome } from '../../src/base/errors.ts';
import type { Random } from '../../src/base/random.ts';
import type { Request } from '../../src/client/calls.ts';
import {
  ClientSession,
  type ClientState,
  type SessionEffect,
} from '../../src/client/session.ts';
import {
  callClass,
  type CallName,
  formatOutcome,
  isRegional,
  parseCommandId,
  parsePlayerFrame,
  type PlayerFrame,
} from '../../src/wire/player.ts';

export const PASSWORD = 'correct horse';
const NONE: Outcome<unknown> = { kind: 'uncertain' };

interface SessionTable {
  ended: boolean;
  answeredBelow: number;
  readonly answers: Map<number, Outcome<unknown>>;
}

/** How the server treats the next command that it has not decided yet. */
export type Mood = 'serve' | 'refuse' | 'full' | 'doubt' | 'doubt-applied' | 'silent';

export class ModelServer {
  readonly sessions: Map<number, SessionTable> = new Map();
  /** How often each command was applied, by the word that its call carries. */
  readonly applied: Map<string, number> = new Map();
  passwordIsGood = true;
  #order = 0;

  /** The answers to one frame; `proven` is the link's session, 0 before it has one. */
  receive(frame: PlayerFrame, proven: number, mood: Mood): Outcome<unknown> | undefined {
    const kind = callClass[frame.call as CallName];
    if (kind === 'account') return proven > 0 ? refused('already-logged-in') : this.#account(frame);
    if (proven === 0) return refused('not-logged-in');
    if (mood === 'silent') return undefined;
    if (mood === 'refuse') return { kind: 'unavailable', retryAfterMs: 30 };
    if (kind !== 'command') return { kind: 'done', value: wordOf(frame) };
    if (mood === 'full') return refused('too-many-outstanding');
    if (mood === 'doubt') return NONE;
    const outcome = this.#command(frame, proven);
    return mood === 'doubt-applied' ? NONE : outcome;
  }

  end(session: number): void {
    const table = this.sessions.get(session);
    if (table !== undefined) table.ended = true;
  }

  #account(frame: PlayerFrame): Outcome<unknown> {
    const args = frame.args as { readonly token?: string; readonly password?: string };
    let session = Number(args.token);
    if (frame.call === 'account.resume') {
      const table = this.sessions.get(session);
      if (table === undefined) return refused('token-invalid');
      if (table.ended) return refused('token-expired');
    } else {
      if (args.password !== PASSWORD || !this.passwordIsGood) return refused('wrong-credentials');
      session = (this.sessions.size + 1) * 1_000;
      this.sessions.set(session, { ended: false, answeredBelow: 1, answers: new Map() });
    }
    const value = { player: 7, session, expiresAtMs: 86_400_000, token: String(session), region: 'eu' };
    return { kind: 'done', value };
  }

  #command(frame: PlayerFrame, proven: number): Outcome<unknown> {
    const id = parseCommandId(frame.commandId ?? '');
    assert.ok(id !== undefined, 'a command without a command id');
    assert.equal(id.session, proven, 'a command of another session than the link is proven for');
    const table = this.sessions.get(id.session);
    if (table === undefined || table.ended) return refused('session-expired');
    const first = table.answers.get(id.number);
    if (first !== undefined) return first;
    table.answeredBelow = Math.max(
      table.answeredBelow,
      Math.min(frame.answeredBelow, id.number),
    );
    for (const number of table.answers.keys()) {
      if (number < table.answeredBelow) table.answers.delete(number);
    }
    if (id.number < table.answeredBelow) return refused('already-answered');
    assert.ok(id.number < table.answeredBelow + 256, 'the window of numbers was overrun');
    const word = wordOf(frame);
    this.applied.set(word, (this.applied.get(word) ?? 0) + 1);
    const order = ++this.#order;
    const outcome: Outcome<unknown> =
      order % 5 === 0
        ? { kind: 'rejected', reason: 'name-taken', order }
        : { kind: 'done', value: word, order };
    table.answers.set(id.number, outcome);
    return outcome;
  }
}

interface Wire {
  /** What the client still sees of it. */
  client: 'opening' | 'open' | 'gone';
  proven: number;
  readonly up: string[];
  readonly down: string[];
}

export class ModelWorld {
  readonly server: ModelServer = new ModelServer();
  readonly client: ClientSession;
  readonly settled: Map<number, Outcome<unknown>> = new Map();
  readonly states: ClientState[] = [];
  readonly urls: string[] = [];
  readonly wires: Map<number, Wire> = new Map();
  /** The words of the calls, by ticket. */
  readonly words: Map<number, string> = new Map();
  nowMs = 1_000;
  readonly #random: Random;
  #tickets = 0;
  readonly #highest = new Map<number, number>();
  readonly #uses = new Set<string>();

  constructor(random: Random, outstandingMax: number = 8) {
    this.#random = random;
    this.client = new ClientSession({
      urls: ['ws://a', 'ws://b'],
      stored: undefined,
      keepCredentials: true,
      limits: { deadlineMs: 15_000, unavailableMs: 5_000, outstandingMax, waitingMax: 32 },
      random: () => random.integer(0, 999) / 1_000,
    });
  }

  logIn(password: string = PASSWORD): number {
    const ticket = ++this.#tickets;
    const args = { name: 'ann', password };
    this.run(this.client.logIn({ call: 'account.logIn', args }, ticket, this.nowMs));
    return ticket;
  }

  call(call: CallName = 'names.claim'): number {
    const ticket = ++this.#tickets;
    const name = `word${ticket}`;
    this.words.set(ticket, name);
    this.run(this.client.call({ ticket, ...requestOf(call), args: { name } }, this.nowMs));
    return ticket;
  }

  run(effects: readonly SessionEffect[]): void {
    for (const effect of effects) this.#carryOut(effect);
  }

  /** Lets the time run to the client's next wake, or by `ms` if that is sooner. */
  pass(ms: number): void {
    this.nowMs += Math.max(1, Math.min(ms, Math.ceil(this.client.wakeAtMs - this.nowMs)));
    this.run(this.client.time(this.nowMs));
  }

  /** Brings a link up, or fails it. */
  open(link: number, works: boolean): void {
    const wire = this.#wire(link);
    wire.client = works ? 'open' : 'gone';
    if (works) this.run(this.client.opened(link, this.nowMs));
    else this.run(this.client.closed(link, 1006, this.nowMs));
  }

  /** The link breaks; what is on its way up may still arrive, what is on its way down is lost. */
  break(link: number, code: number = 1006): void {
    const wire = this.#wire(link);
    wire.client = 'gone';
    wire.down.length = 0;
    this.run(this.client.closed(link, code, this.nowMs));
  }

  /** One frame reaches the server, which also answers twice at times. */
  deliverUp(link: number, mood: Mood, twice: boolean = false): void {
    const wire = this.#wire(link);
    const text = wire.up.shift();
    if (text === undefined) return;
    const frame = parsePlayerFrame(text);
    const outcome = this.server.receive(frame, wire.proven, mood);
    if (outcome === undefined) return;
    if (callClass[frame.call as CallName] === 'account' && outcome.kind === 'done') {
      wire.proven = (outcome.value as { session: number }).session;
    }
    if (wire.client !== 'open') return;
    const answer = formatOutcome(frame.id, outcome);
    wire.down.push(answer);
    if (twice) wire.down.push(answer);
  }

  deliverDown(link: number): void {
    const text = this.#wire(link).down.shift();
    if (text !== undefined) this.run(this.client.text(link, text, this.nowMs));
  }

  /** A network and a server without faults until nothing is under way and nobody waits. */
  calm(): void {
    for (let turn = 0; turn < 2_000; turn++) {
      for (const [link, wire] of this.wires) {
        if (wire.client === 'opening') this.open(link, true);
        while (wire.up.length + wire.down.length > 0) {
          this.deliverUp(link, 'serve');
          this.deliverDown(link);
        }
      }
      if (this.settled.size === this.#tickets) return;
      this.pass(1_000);
    }
    assert.fail('something was never settled');
  }

  pickWire(when: (wire: Wire) => boolean): number | undefined {
    const fit = [...this.wires].filter(([, wire]) => when(wire));
    return this.#random.pick(fit)?.[0];
  }

  #carryOut(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'open':
        for (const wire of this.wires.values()) assert.equal(wire.client, 'gone', 'two links');
        this.urls.push(effect.url);
        this.wires.set(effect.link, { client: 'opening', proven: 0, up: [], down: [] });
        return;
      case 'send':
        return this.#sent(effect.link, effect.text);
      case 'drop': {
        const wire = this.#wire(effect.link);
        assert.notEqual(wire.client, 'gone', 'a link was dropped that is gone');
        wire.client = 'gone';
        wire.down.length = 0;
        return;
      }
      case 'settle':
        assert.ok(!this.settled.has(effect.ticket), 'a call was settled twice');
        this.settled.set(effect.ticket, effect.outcome);
        return;
      case 'state':
        assert.notEqual(effect.state, this.states.at(-1), 'a state was told twice');
        this.states.push(effect.state);
        return;
      case 'push':
        return;
    }
  }

  #sent(link: number, text: string): void {
    const wire = this.#wire(link);
    assert.equal(wire.client, 'open', 'something was sent on a link that is not open');
    const frame = parsePlayerFrame(text);
    const kind = callClass[frame.call as CallName];
    if (kind !== 'account') assert.notEqual(wire.proven, 0, 'a call before the log-in');
    if (kind === 'command') this.#numbered(frame);
    wire.up.push(text);
  }

  /** A number is new and the next one of its session, or it was used by this very command. */
  #numbered(frame: PlayerFrame): void {
    const id = parseCommandId(frame.commandId ?? '');
    assert.ok(id !== undefined && frame.answeredBelow <= id.number);
    const highest = this.#highest.get(id.session) ?? 0;
    const key = `${frame.commandId} is ${wordOf(frame)}`;
    if (id.number > highest) {
      assert.equal(id.number, highest + 1, 'a number was left out');
      this.#highest.set(id.session, id.number);
      this.#uses.add(key);
    } else {
      assert.ok(this.#uses.has(key), `${key}, but its number was another command's`);
    }
  }

  #wire(link: number): Wire {
    const wire = this.wires.get(link);
    assert.ok(wire !== undefined);
    return wire;
  }
}

/** A call as the client knows it by its name. */
export function requestOf(call: CallName): Pick<Request, 'call' | 'kind' | 'isRegional'> {
  const kind = callClass[call];
  assert.ok(kind !== 'account');
  return { call, kind, isRegional: isRegional(call) };
}

function wordOf(frame: PlayerFrame): string {
  return (frame.args as { readonly name: string }).name;
}

function refused(reason: string): Outcome<unknown> {
  return { kind: 'rejected', reason };
}
