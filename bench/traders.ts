// Closed-loop traders: each has one command open at a time and gives 5 gold to somebody.
//
// They speak to the economy group as a gateway does: a session of their own, numbered commands, and the
// route's repeats on failure. Every command is an entry of its own; nothing is batched by the client.
import { Random } from '../src/base/random.ts';
import { encodeCommand } from '../src/wire/command.ts';
import { give } from '../src/wire/calls.ts';
import { encodeWith, nothing } from '../src/wire/schema.ts';
import type { GlobalNodes } from './global-nodes.ts';

const ECONOMY = 2;
const DEADLINE_MS = 5_000;
const OPENING_AT_ONCE = 1_024;

export type Draw = 'uniform' | 'hot';

export interface Trader {
  readonly session: number;
  next: number;
}

export class Traders {
  readonly #world: GlobalNodes;
  readonly #expiresAtMs: number = Date.now() + 86_400_000;
  readonly #random: Random = new Random('traders');
  readonly players: number;
  #sessions: number;

  constructor(world: GlobalNodes, players: number) {
    this.#world = world;
    this.players = players;
    this.#sessions = players + 1;
  }

  /** Opens everybody's holdings: each in a session of his own. */
  async open(): Promise<void> {
    let player = 1;
    const one = async (): Promise<void> => {
      while (player <= this.players) {
        const mine = player++;
        const args = encodeWith(nothing, null);
        await this.#ask({ session: mine, number: 1, player: mine, call: 'holdings.open', args });
      }
    };
    await Promise.all(Array.from({ length: OPENING_AT_ONCE }, one));
  }

  trader(): Trader {
    return { session: this.#sessions++, next: 1 };
  }

  /** One trade. Resolves with how it ended. */
  trade(trader: Trader, draw: Draw): Promise<string> {
    const from = this.#someone(draw, 0);
    const to = this.#someone(draw, from);
    const args = encodeWith(give.args, { to, gold: 5, items: [] });
    const { session } = trader;
    return this.#ask({ session, number: trader.next++, player: from, call: 'trade.give', args });
  }

  #someone(draw: Draw, not: number): number {
    for (;;) {
      const hot = draw === 'hot' && this.#random.chance(1, 5);
      const player = hot ? 1 : this.#random.integer(1, this.players);
      if (player !== not) return player;
      if (hot) return this.#random.integer(2, this.players);
    }
  }

  #ask(o: {
    session: number;
    number: number;
    player: number;
    call: string;
    args: Uint8Array;
  }): Promise<string> {
    const body = encodeCommand({
      ...o,
      sessionExpiresAtMs: this.#expiresAtMs,
      answeredBelow: o.number,
    });
    return new Promise((resolve) => {
      this.#world.route.ask({
        group: ECONOMY,
        mode: 'command',
        body,
        deadlineMs: DEADLINE_MS,
        answer: (answer) => resolve(answer.kind),
      });
    });
  }
}
