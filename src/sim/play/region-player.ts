// One player of a drill, who writes in one region through one gateway, and reads there meanwhile.
//
// Drills of regions begin one. The players of `workload.ts` are everywhere and think in between: what a
// promotion may lose shows only if somebody writes there at that very moment.
import { nodeId } from '../../base/id.ts';
import type { GroupCall } from '../../services/calls/group-calls.ts';
import type { RegionPlan } from '../../services/topology/topology.ts';
import { encodeCommand, encodeQuery } from '../../wire/command.ts';
import type { AckLevel } from '../../wire/levels.ts';
import { encodeWith } from '../../wire/schema.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Stage } from './stage.ts';

/** The first goes on to all other regions. Both are entries also where they are refused as too fast. */
const WRITES = [
  { name: 'chat.say', args: { channel: 'world', text: 'Beware' } },
  { name: 'crafting.gather', args: { material: 'wood' } },
] as const;
const READ = 'crafting.mine';
const FAR_MS = 4_000_000_000_000;
const LOOK_MS = 10;
/** As new as the session has seen, or no older than this, in turn. */
const AGES_MS: readonly (number | undefined)[] = [undefined, 0, 20];
/** Reads wait at the gateway while there is no primary. */
const READS_OPEN_MAX = 20;

/** A gateway that holds no copy of the region, if there is one. */
export function gatewayBeside({ regions }: Cluster, { copies }: RegionPlan, primary: number): number {
  const others = [...regions.keys()].filter((node) => node !== primary);
  return others.find((node) => !copies.includes(nodeId(node))) ?? others[0] ?? primary;
}

/** Writes one thing after the other at one level of acknowledgement, and reads without waiting. */
export class RegionPlayer {
  isOver = false;
  readonly #stage: Stage;
  readonly #region: RegionPlan;
  readonly #gateway: number;
  readonly #number: number;
  readonly #ack: AckLevel;
  #readsOpen = 0;

  /** `number`: of the player and his session; nobody else may have it. */
  constructor(
    stage: Stage,
    o: {
      readonly region: RegionPlan;
      readonly gateway: number;
      readonly number: number;
      readonly ack: AckLevel;
    },
  ) {
    this.#stage = stage;
    this.#region = o.region;
    this.#gateway = o.gateway;
    this.#number = o.number;
    this.#ack = o.ack;
  }

  begin(): void {
    this.#write(1);
    this.#look(0);
  }

  #write(number: number): void {
    const { name, args } = WRITES[number % WRITES.length] ?? WRITES[0];
    const plan = this.#stage.calls.get(name);
    if (this.isOver || plan === undefined) return;
    const body = encodeCommand({
      session: this.#number,
      sessionExpiresAtMs: FAR_MS,
      number,
      answeredBelow: number,
      player: this.#number,
      call: name,
      args: encodeWith(plan.args, args),
    });
    const ask = { body, number, msOld: undefined };
    this.#ask(plan, ask, () => this.#stage.after(1, () => this.#write(number + 1)));
  }

  #look(count: number): void {
    const plan = this.#stage.calls.get(READ);
    if (this.isOver || plan === undefined) return;
    this.#stage.after(LOOK_MS, () => this.#look(count + 1));
    if (this.#readsOpen >= READS_OPEN_MAX) return;
    this.#readsOpen += 1;
    const body = encodeQuery({ player: this.#number, call: READ, args: encodeWith(plan.args, null) });
    const msOld = AGES_MS[count % AGES_MS.length];
    this.#ask(plan, { body, number: 0, msOld }, () => (this.#readsOpen -= 1));
  }

  #ask(
    plan: GroupCall,
    o: { readonly body: Uint8Array; readonly number: number; readonly msOld: number | undefined },
    ended: () => void,
  ): void {
    const { body, number, msOld } = o;
    const { number: group, name: regionName } = this.#region;
    const level = { ack: this.#ack, level: this.#ack, msOld };
    const id = { session: number === 0 ? 0 : this.#number, number };
    const part = { group, regionName, client: this.#number, ...level, answeredAt: undefined };
    const call = this.#stage.newCall(plan, body, id, part);
    this.#stage.ask(this.#gateway, call, (answer) => {
      if (answer.kind === 'answered') this.#stage.answered(call, answer);
      ended();
    });
  }
}
