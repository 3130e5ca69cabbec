// One simulated player: registers, opens his holdings, then does one thing after the other.
//
// `workload.ts` owns them. A closed loop as a real client's: what ends without a decision is asked again
// under the same command id, mostly; sometimes it is given up, or asked twice at once, or once more
// after it was answered. Whatever comes back goes to `truth.ts`.
import { InvalidInputError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { GroupCall } from '../../services/calls/group-calls.ts';
import type { RegionPlan } from '../../services/topology/topology.ts';
import { encodeCommand, encodeQuery, type Reply } from '../../wire/command.ts';
import { decodeWith, encodeWith } from '../../wire/schema.ts';
import { learn } from '../../world/deed.ts';
import { drawCraftDeed, learnCraft } from './craft-deeds.ts';
import { drawLevels, drawRegionalDeed, type Levels } from './regional-deeds.ts';
import type { Ended, Stage } from './stage.ts';
import type { Call, RegionalPart } from '../checks/truth.ts';

const FAR_MS = 4_000_000_000_000;
const RETRY_MS = 60;

/** A call of a region: which one, how safe, how old. */
type Where = { readonly region: RegionPlan } & Levels;
type Step = readonly [call: string, args: unknown, where?: Where];
type Regional = { readonly group: number } & RegionalPart;

export class Client {
  readonly id: number;
  readonly #stage: Stage;
  readonly #random: Random;
  #gateway: number;
  #player = 0;
  #session = 0;
  #expiresAtMs = FAR_MS;
  #next = 1;
  readonly #unanswered = new Set<number>();
  /** What it has to do before anything else, in order. */
  readonly #script: Step[];
  readonly #isProbe: boolean;
  /** A probe has done all it has to do. */
  isDone = false;

  constructor(
    stage: Stage,
    o: {
      readonly id: number;
      readonly random: Random;
      readonly gateway: number;
      readonly isProbe: boolean;
    },
  ) {
    this.#stage = stage;
    this.id = o.id;
    this.#random = o.random;
    this.#gateway = o.gateway;
    this.#isProbe = o.isProbe;
    this.#script = [['holdings.open', null]];
    if (!o.isProbe) return;
    this.#script.push(['names.claim', { name: `Probe${o.id}` }], ['holdings.mine', null]);
    // Said in each region, and on the disks of all its copies.
    for (const region of stage.regions) {
      const args = { channel: 'region', text: 'Here I am' };
      this.#script.push(['chat.say', args, { region, ack: 'all', msOld: undefined }]);
    }
  }

  begin(): void {
    const plan = this.#stage.calls.get('accounts.register');
    if (plan === undefined) {
      this.#player = this.id;
      this.#session = 1_000 + this.id;
      this.#loop();
      return;
    }
    const name = `player-${this.id}`;
    const args = { name, credential: Uint8Array.of(this.id & 255), nonce: `nonce-${this.id}` };
    this.#until(this.#service(plan, args), (reply) => this.#enter(plan, reply));
  }

  #enter(plan: GroupCall, reply: Reply): void {
    if (reply.kind !== 'done') return;
    const opened = decodeWith(plan.value, reply.value) as {
      readonly player: number;
      readonly session: number;
      readonly expiresAtMs: number;
    };
    this.#player = opened.player;
    this.#session = opened.session;
    this.#expiresAtMs = opened.expiresAtMs;
    this.#next = 1;
    this.#unanswered.clear();
    const { players } = this.#stage.known;
    if (!this.#isProbe && !players.includes(opened.player)) players.push(opened.player);
    this.#loop();
  }

  /** Does the next thing, and comes back when it is over. */
  #loop(): void {
    const stage = this.#stage;
    const script = this.#script;
    if (this.#isProbe && script.length === 0) {
      this.isDone = true;
      return;
    }
    if (stage.isOver && !this.#isProbe) return;
    const next = script.shift();
    const [name, args, where] = next ?? this.#drawn();
    const plan = stage.calls.get(name);
    // Of what a probe does not every world has all, and not in every run are there regions.
    if (plan === undefined || (plan.group === undefined && where === undefined)) {
      this.#think();
      return;
    }
    const call = plan.mode === 'query' ? this.#query(plan, args, where) : this.#command(plan, args, where);
    if (next !== undefined) this.#until(call, (reply) => this.#over(plan, call, reply));
    else this.#attempt(plan, call);
    if (next === undefined && this.#random.chance(1, 40)) this.#askAgain(call);
  }

  #drawn(): Step {
    const { regions, drawDeed, known } = this.#stage;
    if (regions.length > 0 && this.#random.chance(1, 2)) {
      const { call, args, ack, msOld } = drawRegionalDeed(this.#random);
      const region = this.#someRegion();
      if (region !== undefined && this.#random.chance(2, 5)) {
        const at = { known, region: region.number };
        const craft = drawCraftDeed(this.#random, this.#player, at);
        return [craft.call, craft.args, { region, ack: undefined, msOld: undefined }];
      }
      if (region !== undefined) return [call, args, { region, ack, msOld }];
    }
    const { call, args } = drawDeed(this.#random, this.#player, known);
    return this.#sound(call, args);
  }

  /** Mostly where he lives, so that his own traces are there. */
  #someRegion(): RegionPlan | undefined {
    const { regions } = this.#stage;
    const home = regions[this.id % regions.length];
    return this.#random.chance(2, 3) ? home : this.#random.pick(regions);
  }

  /** A deed that nobody can do would be done by nobody, and every promise about it kept. */
  #sound(call: string, args: unknown): Step {
    const plan = this.#stage.calls.get(call);
    if (plan === undefined) throw new InvalidInputError(`drawDeed drew "${call}", which no feature has`);
    if (plan.by !== 'player') {
      throw new InvalidInputError(`drawDeed drew "${call}", which players can not ask`);
    }
    try {
      encodeWith(plan.args, args);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const what = `drawDeed drew "${call}" with arguments that it can not have: ${why}`;
      throw new InvalidInputError(what, { cause });
    }
    if (plan.group !== undefined || this.#stage.regions.length === 0) return [call, args];
    const region = this.#someRegion();
    const { ack, msOld } = drawLevels(this.#random);
    if (region === undefined) return [call, args];
    const isCommand = plan.mode === 'command';
    return [call, args, { region, ack: isCommand ? ack : undefined, msOld: isCommand ? undefined : msOld }];
  }

  #think(): void {
    const thinkMs = this.#isProbe ? 1 : this.#random.integer(1, this.#stage.thinkMsMax);
    this.#stage.after(thinkMs, () => this.#loop());
  }

  /** Asks until there is a decision. */
  #until(call: Call, decided: (reply: Reply) => void): void {
    this.#stage.ask(this.#gateway, call, (ended) => {
      if (ended.kind === 'answered') {
        decided(this.#stage.answered(call, ended));
        return;
      }
      this.#note(call, ended);
      this.#stage.after(RETRY_MS, () => this.#until(call, decided));
    });
  }

  /** Asks until there is a decision, or until it is given up. */
  #attempt(plan: GroupCall, call: Call): void {
    this.#stage.ask(this.#gateway, call, (ended) => {
      if (ended.kind === 'answered') {
        this.#over(plan, call, this.#stage.answered(call, ended));
        return;
      }
      this.#note(call, ended);
      if (this.#random.chance(1, call.mayHappen ? 4 : 2)) {
        if (!call.mayHappen) this.#stage.neverHappens(call);
        // It is not answered, and by this client's word it is: a late copy of it is then refused.
        if (this.#random.chance(1, 2)) this.#unanswered.delete(call.number);
        this.#think();
        return;
      }
      if (this.#random.chance(1, 3)) this.#gateway = this.#stage.anyGateway(this.#random);
      this.#stage.after(RETRY_MS, () => this.#attempt(plan, call));
    });
  }

  #over(plan: GroupCall, call: Call, reply: Reply): void {
    this.#unanswered.delete(call.number);
    if (reply.kind === 'done') {
      const value = decodeWith(plan.value, reply.value);
      learn(this.#stage.known, this.#player, plan.name, value);
      const at = { player: this.#player, region: call.group };
      if (call.regional !== undefined) learnCraft(this.#stage.known, at, plan.name, value);
    } else if (reply.reason === 'session-expired') {
      this.#renew();
      return;
    }
    if (call.mode === 'command' && this.#random.chance(1, 15)) {
      this.#stage.after(this.#random.integer(1, 2_000), () => this.#askAgain(call));
    }
    this.#think();
  }

  /** A copy of the call that nobody waits for, perhaps by another way. */
  #askAgain(call: Call): void {
    const gateway = this.#stage.anyGateway(this.#random);
    this.#stage.ask(gateway, call, (ended) => {
      if (ended.kind === 'answered') this.#stage.answered(call, ended);
      else this.#note(call, ended);
    });
  }

  /** Logs in again: commands of the former session are refused from now on. */
  #renew(): void {
    const plan = this.#stage.calls.get('accounts.openSession');
    if (plan === undefined) return;
    this.#until(this.#service(plan, { player: this.#player }), (reply) => this.#enter(plan, reply));
  }

  #note(call: Call, ended: Exclude<Ended, { kind: 'answered' }>): void {
    const { truth } = this.#stage;
    if (ended.kind === 'unavailable') truth.unavailable += 1;
    if (ended.kind !== 'uncertain') return;
    truth.uncertain += 1;
    call.mayHappen = true;
  }

  #command(plan: GroupCall, args: unknown, where?: Where): Call {
    const number = this.#next++;
    this.#unanswered.add(number);
    const body = encodeCommand({
      session: this.#session,
      sessionExpiresAtMs: this.#expiresAtMs,
      number,
      answeredBelow: Math.min(...this.#unanswered),
      player: this.#player,
      call: plan.name,
      args: encodeWith(plan.args, args),
    });
    const id = { session: this.#session, number };
    return this.#stage.newCall(plan, body, id, this.#regional(plan, where));
  }

  #query(plan: GroupCall, args: unknown, where?: Where): Call {
    const query = { player: this.#player, call: plan.name, args: encodeWith(plan.args, args) };
    const id = { session: 0, number: 0 };
    return this.#stage.newCall(plan, encodeQuery(query), id, this.#regional(plan, where));
  }

  #regional({ ack: declared = 'quorum' }: GroupCall, where: Where | undefined): Regional | undefined {
    if (where === undefined) return undefined;
    const { region, ack, msOld } = where;
    const { number: group, name: regionName } = region;
    const asked = { ack, level: ack ?? declared, msOld };
    return { group, regionName, client: this.id, ...asked, answeredAt: undefined };
  }

  /** A command of our own services: it needs no session. */
  #service(plan: GroupCall, args: unknown): Call {
    const body = encodeCommand({
      session: 0,
      sessionExpiresAtMs: 0,
      number: 0,
      answeredBelow: 0,
      player: 0,
      call: plan.name,
      args: encodeWith(plan.args, args),
    });
    return this.#stage.newCall(plan, body, { session: 0, number: 0 });
  }
}
