// Two regions and the economy as shipped, and the events that go between them when the test says so.
import { decodeReply, encodeQuery } from '../../src/wire/command.ts';
import {
  deliverEvents,
  type EventBatch,
  pendingEvents,
  trimEvents,
  type UpTo,
} from '../../src/wire/events.ts';
import type { Shape } from '../../src/wire/call-shape.ts';
import { decodeWith, encodeWith } from '../../src/wire/schema.ts';
import { seedTopology } from '../../src/services/topology/topology.ts';
import { surroundingsOf } from '../../src/services/topology/surroundings.ts';
import { chat } from '../../src/world/features/chat.ts';
import { crafting } from '../../src/world/features/crafting.ts';
import { holdings } from '../../src/world/features/holdings.ts';
import { trade } from '../../src/world/features/trade.ts';
import { AskedGroup, serviceCommand } from './asked-group.ts';

export const ECONOMY = 2;
export const EU = 103;
export const ASIA = 104;

export class LinkedLogs {
  readonly economy: AskedGroup;
  readonly eu: AskedGroup;
  readonly asia: AskedGroup;
  readonly #byNumber: ReadonlyMap<number, AskedGroup>;

  constructor() {
    const topology = seedTopology({ world: 'linked' });
    const regional = [chat, crafting];
    this.economy = new AskedGroup([holdings, trade], surroundingsOf(topology, ECONOMY));
    this.eu = new AskedGroup(regional, surroundingsOf(topology, EU));
    this.asia = new AskedGroup(regional, surroundingsOf(topology, ASIA));
    this.#byNumber = new Map([
      [ECONOMY, this.economy],
      [EU, this.eu],
      [ASIA, this.asia],
    ]);
  }

  log(number: number): AskedGroup {
    const log = this.#byNumber.get(number);
    if (log === undefined) throw new Error(`the test has no log ${number}`);
    return log;
  }

  get logs(): readonly AskedGroup[] {
    return [...this.#byNumber.values()];
  }

  /** What one log has for another, if anything. */
  pending(from: number, to: number, committed?: number): EventBatch | undefined {
    const log = this.log(from);
    const wanted = { committed: committed ?? log.index, busy: [] };
    const args = encodeWith(pendingEvents.args, wanted);
    const request = encodeQuery({ player: 0, call: 'events.pending', args });
    const reply = log.machine.query(request, log.index, log.timeMs);
    return valueOf(pendingEvents, reply).find((batch) => batch.to === to);
  }

  /** Brings a batch to its destination, which says up to where it has taken. */
  deliver({ origin, to, events }: EventBatch): UpTo {
    const command = serviceCommand('events.deliver', encodeWith(deliverEvents.args, { origin, events }));
    return valueOf(deliverEvents, this.log(to).apply(command));
  }

  acknowledge(origin: number, to: number, { upTo }: UpTo): void {
    const command = serviceCommand('events.trim', encodeWith(trimEvents.args, { to, upTo }));
    valueOf(trimEvents, this.log(origin).apply(command));
  }

  /** Everything that one log has for another arrives and is acknowledged. */
  send(from: number, to: number): void {
    for (let batch = this.pending(from, to); batch !== undefined; batch = this.pending(from, to)) {
      this.acknowledge(from, to, this.deliver(batch));
    }
  }

  /** Everything goes everywhere until nothing waits. */
  settle(): void {
    for (let round = 0; round < 4; round++) {
      for (const from of this.#byNumber.keys()) {
        for (const to of this.#byNumber.keys()) this.send(from, to);
      }
    }
  }

  /** Time goes on for all of them. */
  wait(ms: number): void {
    for (const log of this.logs) log.timeMs += ms;
  }
}

function valueOf<Value>(shape: Shape<unknown, Value>, reply: Uint8Array): Value {
  const decoded = decodeReply(reply);
  if (decoded.kind === 'rejected') throw new Error(`refused: ${decoded.reason}`);
  return decodeWith(shape.value, decoded.value);
}
