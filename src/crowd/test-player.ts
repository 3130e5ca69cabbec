// One test player: a real client that logs in, walks near its birth place, trades, crafts and talks.
//
// `crowd.ts` has as many as were asked for, lets them join, drives their steps, and asks them at the end
// what they hold. Every outcome goes into the tally, every acknowledged move into the ledger.
// Invariant: nobody deals with a player before his holdings stand in the ledger.
import { InvalidInputError, type Outcome } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import {
  type ArgsOf,
  type Client,
  type CallOptions,
  connect,
  type LogIn,
  type PlayCall,
  type ValueOf,
} from '../client/index.ts';
import { type HoldingsView, myOffers, type Offer } from '../wire/calls.ts';
import { Artisan } from './artisan.ts';
import type { Birth } from './birth.ts';
import { chooseDeed, type Deed } from './deeds.ts';
import { insist, pause } from './insist.ts';
import { type Ledger, type Move, movesOf } from './ledger.ts';
import type { Tally } from './tally.ts';
import { Walker } from './walker.ts';

/** Offers that he has accepted and not heard of; more are left to expire. */
const ACCEPTS_MAX = 8;
const THINK_MS_MIN = 200;
const THINK_MS_MAX = 1_500;
const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 3_000;
/** Who reads what was said before he came does not mind half a second. */
const HISTORY_MS_OLD = 500;
/** How often he tries to get back into the world that did not take him. */
const COME_BACK_MS = 5_000;
/** Rounds of withdrawing what is still open: each sees what an earlier one could not reach. */
const WITHDRAW_ROUNDS_MAX = 5;

/** What all players of a crowd share. */
export interface Company {
  readonly ledger: Ledger;
  readonly tally: Tally;
  /** Aborted once nobody shall begin anything new. */
  readonly closing: AbortSignal;
  isLand(place: Birth['place']): boolean;
  /** A player of the crowd other than `self`, of those `near` if any of them can trade. */
  partnerOf(self: number, near: Iterable<number>, random: Random): TestPlayer | undefined;
}

export interface TestPlayerOptions {
  readonly account: LogIn;
  readonly worldName: string;
  /** Whether the account was made by an earlier run, as far as is known. */
  readonly isKnown: boolean;
  readonly birth: Birth;
  /** The gateway of his birth's region first. */
  readonly urls: readonly string[];
  readonly random: Random;
  readonly company: Company;
}

export class TestPlayer {
  readonly #options: TestPlayerOptions;
  readonly #walker: Walker;
  readonly #openOffers = new Set<number>();
  readonly #accepting = new Set<Promise<void>>();
  readonly #client: Client;
  readonly #artisan: Artisan;
  #player = 0;
  #holdings: HoldingsView | undefined;
  #isStale = true;
  #stands = false;
  #outAtMs: number | undefined;

  constructor(options: TestPlayerOptions) {
    this.#options = options;
    this.#client = connect({ urls: options.urls });
    this.#walker = new Walker({
      random: options.random.split('walk'),
      start: options.birth.place,
      mayStand: (place) => options.company.isLand(place),
    });
    this.#artisan = new Artisan({
      ask: (name, args, where) => this.#call(name, args, where),
      ledger: options.company.ledger,
      region: options.birth.region,
    });
    this.#listen();
  }

  /** His number in the world; 0 before he joined. */
  get player(): number {
    return this.#player;
  }

  /** Whether he stands in the world at this moment. */
  get stands(): boolean {
    return this.#stands && this.#client.state === 'ready';
  }

  /** The items he had when he last looked. */
  get items(): readonly number[] {
    return (this.#holdings?.items ?? []).map(({ id }) => id);
  }

  /** Logs in, claims his name, opens his holdings, enters; false when the world did not let him. */
  async join(giveUp: AbortSignal): Promise<boolean> {
    const { account, worldName, isKnown, birth, company } = this.#options;
    const logIn = () => this.#measured('account.logIn', () => this.#client.logIn(account));
    const register = () => this.#measured('account.register', () => this.#client.register(account));
    const [first, second] = isKnown ? [logIn, register] : [register, logIn];
    const known = await insist(first, giveUp);
    const loggedIn = known?.kind === 'rejected' ? await insist(second, giveUp) : known;
    if (loggedIn?.kind !== 'done') return false;
    this.#player = loggedIn.value.player;
    await insist(() => this.#call('names.claim', { name: worldName }), giveUp);
    await insist(() => this.#call('holdings.open', null), giveUp);
    await this.#artisan.begin(giveUp);
    const holdings = await insist(() => this.#call('holdings.mine', null), giveUp);
    if (holdings?.kind !== 'done') return false;
    this.#holdings = holdings.value;
    company.ledger.open(this.player, holdings.value);
    const entered = await insist(
      () => this.#measured('position.enter', () => this.#client.enter(birth.place)),
      giveUp,
    );
    return entered?.kind === 'done';
  }

  /** Trades, crafts and talks until the crowd closes; resolves when all he began has its outcome. */
  async trade(): Promise<void> {
    const { company, random } = this.#options;
    const pauses = random.split('pauses');
    const choices = random.split('deeds');
    const others = random.split('crafts and talk');
    while (await pause(pauses.integer(PAUSE_MS_MIN, PAUSE_MS_MAX), company.closing)) {
      this.#comeBack();
      await this.#tradeOnce(choices);
      if (others.chance(1, 2)) await this.#craftOnce(others);
      if (others.chance(1, 8)) await this.#talkOnce(others);
    }
    await Promise.all(this.#accepting);
  }

  /** Walks on for so long. */
  step(milliseconds: number): void {
    if (this.#stands) this.#client.moveTo(this.#walker.step(milliseconds));
  }

  /** Withdraws what he still offers and lets his workshop come to rest: all he has is his own again. */
  async settle(giveUp: AbortSignal): Promise<void> {
    await this.#artisan.settle(this.player, giveUp);
    for (let round = 0; round < WITHDRAW_ROUNDS_MAX; round++) {
      const offers = await insist(() => this.#call('trade.offers', null), giveUp);
      if (offers?.kind !== 'done') return;
      const mine = offers.value.filter(({ from }) => from === this.player);
      if (mine.length === 0) return;
      for (const { offer } of mine) await this.#call('trade.withdraw', { offer });
    }
  }

  /** What he holds by a linearizable read; `undefined` when nobody could tell in time. */
  async count(giveUp: AbortSignal): Promise<HoldingsView | undefined> {
    const outcome = await insist(() => this.#call('holdings.mine', null), giveUp);
    return outcome?.kind === 'done' ? outcome.value : undefined;
  }

  leave(): void {
    this.#client.close();
  }

  async #tradeOnce(random: Random): Promise<void> {
    const { company } = this.#options;
    if (this.#isStale && !(await this.#look())) return;
    const partner = company.partnerOf(this.player, this.#client.others.keys(), random);
    if (partner === undefined || this.#holdings === undefined) return;
    const deed = chooseDeed(
      {
        mine: this.#holdings,
        openOffers: [...this.#openOffers],
        partner: partner.player,
        partnerItems: partner.items,
      },
      random,
    );
    // Whatever comes of it, what he believed to have is no longer sure.
    this.#isStale = true;
    if (deed !== undefined) await this.#do(deed);
  }

  async #craftOnce(random: Random): Promise<void> {
    if (this.#holdings === undefined) return;
    const mayHaveChanged = await this.#artisan.work(this.player, this.#holdings, random);
    this.#isStale ||= mayHaveChanged;
  }

  async #talkOnce(random: Random): Promise<void> {
    const channel = random.chance(1, 3) ? 'world' : 'region';
    if (random.chance(1, 4)) {
      await this.#call('chat.history', { channel }, { bound: { msOld: HISTORY_MS_OLD } });
      return;
    }
    const text = `${this.#options.worldName} says ${random.integer(1, 1_000_000)}`;
    await this.#call('chat.say', { channel, text });
  }

  async #look(): Promise<boolean> {
    const outcome = await this.#call('holdings.mine', null);
    if (outcome.kind !== 'done') return false;
    this.#holdings = outcome.value;
    this.#isStale = false;
    return true;
  }

  async #do(deed: Deed): Promise<void> {
    switch (deed.kind) {
      case 'give': {
        const { to, gold, items } = deed.gift;
        const moves = [{ from: this.player, to, stake: { gold, items } }];
        this.#enterMoves(moves, await this.#call('trade.give', deed.gift));
        return;
      }
      case 'offer': {
        const outcome = await this.#call('trade.offer', deed.offer);
        if (outcome.kind === 'done') this.#openOffers.add(outcome.value.offer);
        return;
      }
      case 'withdraw': {
        const outcome = await this.#call('trade.withdraw', { offer: deed.offer });
        if (outcome.kind === 'done' || outcome.kind === 'rejected') {
          this.#openOffers.delete(deed.offer);
        }
      }
    }
  }

  #enterMoves(moves: readonly Move[], outcome: Outcome<unknown>): void {
    const { ledger } = this.#options.company;
    if (outcome.kind === 'done') ledger.done(moves, outcome.order ?? 0);
    else if (outcome.kind === 'uncertain') ledger.uncertain(moves);
  }

  #listen(): void {
    const client = this.#client;
    client.on('trade.offered', (value) => this.#offered(value));
    client.on('trade.received', () => {
      this.#isStale = true;
    });
    client.on('trade.settled', (value) => {
      this.#isStale = true;
      if (typeof value === 'object' && value !== null && 'offer' in value) {
        this.#openOffers.delete(Number(value.offer));
      }
    });
    client.onMotion((motion) => {
      if (motion.kind === 'correction') this.#walker.putBack(motion.correction);
      if (motion.kind === 'entered') this.#stands = true;
      if (motion.kind !== 'out') return;
      this.#stands = false;
      this.#outAtMs = performance.now();
    });
  }

  #comeBack(): void {
    if (this.#outAtMs === undefined || performance.now() - this.#outAtMs < COME_BACK_MS) return;
    this.#outAtMs = undefined;
    void this.#measured('position.enter', () => this.#client.enter(this.#walker.place)).then(
      (outcome) => {
        if (outcome.kind !== 'done') this.#outAtMs = performance.now();
      },
    );
  }

  #offered(value: unknown): void {
    const { company, random } = this.#options;
    const offer = parseOffer(value);
    const choices = random.split(`offer ${offer?.offer}`);
    if (offer === undefined || company.closing.aborted || !company.ledger.knows(offer.from)) return;
    if (this.#accepting.size >= ACCEPTS_MAX || choices.chance(1, 4)) return;
    const accepting = this.#accept(offer, choices.integer(THINK_MS_MIN, THINK_MS_MAX)).finally(
      () => this.#accepting.delete(accepting),
    );
    this.#accepting.add(accepting);
  }

  async #accept(offer: Offer, thinkMs: number): Promise<void> {
    if (!(await pause(thinkMs, this.#options.company.closing))) return;
    this.#isStale = true;
    const outcome = await this.#call('trade.accept', { offer: offer.offer });
    this.#enterMoves(movesOf(offer), outcome);
  }

  #call<Name extends PlayCall>(
    name: Name,
    args: ArgsOf<Name>,
    options?: CallOptions,
  ): Promise<Outcome<ValueOf<Name>>> {
    return this.#measured(name, () => this.#client.call(name, args, options));
  }

  async #measured<Value>(
    name: string,
    ask: () => Promise<Outcome<Value>>,
  ): Promise<Outcome<Value>> {
    const startedAtMs = performance.now();
    const outcome = await ask();
    this.#options.company.tally.record(name, outcome.kind, performance.now() - startedAtMs);
    return outcome;
  }
}

function parseOffer(value: unknown): Offer | undefined {
  try {
    return myOffers.value.parse([value], 'offer')[0];
  } catch (cause) {
    if (cause instanceof InvalidInputError) return undefined;
    throw cause;
  }
}
