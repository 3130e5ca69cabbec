// All simulated players of a run, and the way from them to the gateways.
//
// `run.ts` owns one: players play while faults come, then probes ask fresh commands at every gateway.
import { Random } from '../../base/random.ts';
import { playerId } from '../../base/id.ts';
import { type GroupCall, groupCalls } from '../../services/calls/group-calls.ts';
import { SeenPlaces } from '../../services/calls/region-calls.ts';
import { ASK_DEADLINE_MS } from '../../services/calls/route.ts';
import type { RegionPlan } from '../../services/topology/topology.ts';
import { groupRefusals, type Reply } from '../../wire/command.ts';
import type { DrawDeed, Known } from '../../world/deed.ts';
import { Client } from './client.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Plan } from '../plan/plan.ts';
import type { VirtualProcess } from '../machine/process.ts';
import type { RegionTruth } from '../checks/region-truth.ts';
import type { Ended, RegionalAnswer, Stage } from './stage.ts';
import type { Call, RegionalPart, Truth } from '../checks/truth.ts';
import type { WorldUnderTest } from './worlds.ts';

/** Between a player and his gateway, one way. */
const TRAVEL_US = 200;
const LOG_REFUSALS: ReadonlySet<string> = new Set(groupRefusals);

/** A session at a gateway, and what it has seen there; both end with the gateway's process. */
interface Session {
  readonly life: VirtualProcess;
  readonly seen: SeenPlaces;
}

interface Open {
  /** Whose process will answer: a gateway's, or that of a copy. */
  readonly node: number;
  readonly settle: (ended: Ended) => void;
}

export class Workload implements Stage {
  readonly calls: ReadonlyMap<string, GroupCall>;
  readonly known: Known = { players: [], items: new Map(), offers: [], jobs: new Map() };
  readonly truth: Truth;
  readonly regions: readonly RegionPlan[];
  readonly drawDeed: DrawDeed;
  readonly thinkMsMax: number;
  isOver = false;
  /** What features decided themselves, and not the log before them, by feature. */
  readonly decidedOf: Map<string, number> = new Map();
  readonly #cluster: Cluster;
  readonly #plan: Plan;
  readonly #gateways: readonly number[];
  readonly #open = new Set<Open>();
  /** Asks of copies themselves, oldest first: nearly all have ended long before. */
  readonly #late: { readonly atUs: number; readonly open: Open }[] = [];
  readonly #random: Random;
  readonly #regionTruth: RegionTruth;
  readonly #sessions = new Map<number, Session>();
  #clients = 0;

  constructor(
    cluster: Cluster,
    world: WorldUnderTest,
    o: { readonly plan: Plan; readonly truth: Truth; readonly regionTruth: RegionTruth },
  ) {
    this.#cluster = cluster;
    this.#plan = o.plan;
    this.#random = new Random(`workload ${o.plan.seed}`);
    this.truth = o.truth;
    this.#regionTruth = o.regionTruth;
    this.regions = o.plan.regions === undefined ? [] : world.topology.regions;
    this.calls = groupCalls(world.topology, world.features);
    this.drawDeed = world.drawDeed;
    this.thinkMsMax = o.plan.thinkMsMax;
    this.#gateways = [...cluster.regions.keys()];
    cluster.onEnded = (node) => this.#ended(node);
  }

  /** Asks that have no answer yet. */
  get open(): number {
    return this.#open.size;
  }

  /** Sends the plan's players in. */
  begin(): void {
    for (let i = 0; i < this.#plan.clients; i++) {
      const gateway = this.#gateways[i % this.#gateways.length] ?? 0;
      this.after(i * 7, () => this.#newClient(gateway, false).begin());
    }
  }

  /** One more player at each gateway, who does each kind of thing once. */
  probe(): readonly Client[] {
    return this.#gateways.map((gateway) => {
      const client = this.#newClient(gateway, true);
      client.begin();
      return client;
    });
  }

  anyGateway(random: Random): number {
    return random.pick(this.#gateways) ?? 0;
  }

  after(ms: number, then: () => void): void {
    this.#cluster.world.queue.after(ms * 1_000, then);
  }

  newCall(
    { group: home = 0, mode, name }: GroupCall,
    body: Uint8Array,
    id: { readonly session: number; readonly number: number },
    region?: { readonly group: number } & RegionalPart,
  ): Call {
    const group = region?.group ?? home;
    const notBefore = this.truth.known(group);
    const { session, number } = id;
    const call = { group, regional: region, mode, name, body, session, number, notBefore };
    return { ...call, mayHappen: false, answer: undefined };
  }

  answered(call: Call, { reply, regional }: Extract<Ended, { kind: 'answered' }>): Reply {
    const answer = this.#judge(call, reply, regional);
    if (answer.kind === 'rejected' && LOG_REFUSALS.has(answer.reason)) return answer;
    const feature = call.name.slice(0, call.name.indexOf('.'));
    this.decidedOf.set(feature, (this.decidedOf.get(feature) ?? 0) + 1);
    return answer;
  }

  #judge(call: Call, reply: Uint8Array, regional: RegionalAnswer | undefined): Reply {
    if (call.regional === undefined || regional === undefined) return this.truth.answered(call, reply);
    const { nowUs } = this.#cluster.world.queue;
    return this.#regionTruth.answered(call, call.regional, { ...regional, bytes: reply, nowUs });
  }

  neverHappens(call: Call): void {
    if (call.regional === undefined) this.truth.neverHappens(call);
    else this.#regionTruth.neverHappens(call);
  }

  ask(gateway: number, call: Call, settle: (ended: Ended) => void): void {
    const isRead = call.regional === undefined && call.mode === 'query';
    const isHere = isRead && this.#random.integer(0, 99) < this.#plan.readsHere;
    if (isHere) {
      const node = this.#random.pick([...this.#cluster.globals.keys()]) ?? 0;
      this.askHere(node, call, settle);
      return;
    }
    this.#travel(gateway, settle, (open) => {
      const host = this.#cluster.regions.get(gateway);
      if (host?.life === undefined) {
        open.settle({ kind: 'not-asked' });
        return;
      }
      this.#open.add(open);
      if (call.regional !== undefined) {
        this.#askRegion(call, call.regional, { open, gateway });
        return;
      }
      const { group, mode, body } = call;
      host.ask({ group, mode, body, deadlineMs: ASK_DEADLINE_MS, answer: open.settle });
    });
  }

  #askRegion(
    call: Call,
    { regionName: region, client, ack, msOld }: RegionalPart,
    { open, gateway }: { readonly open: Open; readonly gateway: number },
  ): void {
    const host = this.#cluster.regions.get(gateway);
    if (host?.life === undefined) return;
    let session = this.#sessions.get(client);
    if (session?.life !== host.life) session = { life: host.life, seen: new SeenPlaces() };
    this.#sessions.set(client, session);
    const { seen } = session;
    const asking = { beganUs: this.#cluster.world.queue.nowUs, seen: seen.of(call.group) };
    const { name, body } = call;
    const none = { id: 0, call: name, args: null, commandId: undefined, answeredBelow: 0 };
    const bound = msOld === undefined ? undefined : { msOld };
    const frame = { ...none, region, ack, bound };
    host.askRegion({ name, body, frame, player: playerId(client), seen }, (answer) => {
      if (answer.kind !== 'answered') open.settle(answer);
      else {
        const regional = { ...asking, epoch: answer.epoch ?? 0 };
        open.settle({ kind: 'answered', reply: answer.reply, regional });
      }
    });
  }

  /** Asks a copy itself, whoever leads: it serves what it knows to be new enough, or refuses. */
  askHere(node: number, { group, body }: Call, settle: (ended: Ended) => void): void {
    this.#travel(node, settle, (open) => {
      const host = this.#cluster.globals.get(node);
      if (host?.life === undefined) {
        open.settle({ kind: 'not-asked' });
        return;
      }
      this.#open.add(open);
      this.#endInTime(open);
      host.life.take('order', () =>
        host.readHere(group, body, (answer) => {
          if (answer.kind === 'answered' || answer.kind === 'uncertain') open.settle(answer);
          else open.settle({ kind: 'unavailable', retryAfterMs: 0 });
        }),
      );
    });
  }

  /** All wait equally long, so one event stands for all of them: callers ask every millisecond. */
  #endInTime(open: Open): void {
    this.#late.push({ atUs: this.#cluster.world.queue.nowUs + ASK_DEADLINE_MS * 1_000, open });
    if (this.#late.length === 1) this.#awaitDeadline();
  }

  #awaitDeadline(): void {
    const begun = this.#late.findIndex(({ open }) => this.#open.has(open));
    this.#late.splice(0, begun < 0 ? this.#late.length : begun);
    const first = this.#late[0];
    if (first === undefined) return;
    this.#cluster.world.queue.at(first.atUs, () => {
      first.open.settle({ kind: 'uncertain' });
      this.#awaitDeadline();
    });
  }

  /** The way to a node, what happens `there`, and the way back. */
  #travel(node: number, settle: (ended: Ended) => void, there: (open: Open) => void): void {
    const { queue } = this.#cluster.world;
    let isSettled = false;
    const open: Open = {
      node,
      settle: (ended) => {
        if (isSettled) return;
        isSettled = true;
        this.#open.delete(open);
        queue.after(TRAVEL_US, () => settle(ended));
      },
    };
    queue.after(TRAVEL_US, () => there(open));
  }

  #ended(node: number): void {
    for (const open of this.#open) if (open.node === node) open.settle({ kind: 'uncertain' });
  }

  #newClient(gateway: number, isProbe: boolean): Client {
    const id = ++this.#clients;
    const random = new Random(`client ${id} of ${this.#plan.seed}`);
    return new Client(this, { id, random, gateway, isProbe });
  }
}
