// What regions have told each other, when all is over: nothing waits, nothing is lost, doubled or mixed up.
//
// `run.ts` calls it. The world's channel is the witness: each region has of each other one what was said
// there, in that order, and all regions show the same.
import { serviceQuery, serviceValue } from '../../services/calls/service-calls.ts';
import { decodeReply, encodeQuery } from '../../wire/command.ts';
import { pendingEvents } from '../../wire/events.ts';
import { type ChatMessage, chatHistory } from '../../wire/regional-calls.ts';
import { decodeWith, encodeWith } from '../../wire/schema.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Verdicts } from '../checks/violation.ts';

const PENDING = { name: 'events.pending', shape: pendingEvents };
const SAID: Uint8Array = encodeQuery({
  player: 0,
  call: 'chat.history',
  args: encodeWith(chatHistory.args, { channel: 'world' }),
});

/** No region has an event that its destination has not taken. */
export function areOutboxesEmpty(cluster: Cluster): boolean {
  const committed = Number.MAX_SAFE_INTEGER;
  const request = serviceQuery(PENDING, { committed, busy: [] });
  return primariesOf(cluster).every((primary) => {
    return serviceValue(PENDING, primary.read(request))?.length === 0;
  });
}

/** What was said to the whole world is the same everywhere, once all of it has arrived. */
export function compareChat(cluster: Cluster, verdicts: Verdicts): void {
  const told = toldIn(cluster);
  const [first] = told;
  for (const { name, messages } of told) {
    if (first === undefined || textOf(messages) === textOf(first.messages)) continue;
    const counts = `${messages.length} messages, and ${first.name} ${first.messages.length}`;
    verdicts.broken('EVENT', `${name} has ${counts}; they are not the same`);
  }
}

/** Nothing of it is anywhere twice, or out of order, at any time. */
export function orderChat(cluster: Cluster, verdicts: Verdicts): void {
  for (const { name, messages } of toldIn(cluster)) {
    const numbers = new Map<string, number>();
    for (const { region, number } of messages) {
      const before = numbers.get(region) ?? 0;
      if (number <= before) {
        verdicts.broken('EVENT', `${name} shows ${region}'s message ${number} after ${before}`);
      }
      numbers.set(region, number);
    }
  }
}

interface Told {
  readonly name: string;
  readonly messages: readonly ChatMessage[];
}

function toldIn(cluster: Cluster): readonly Told[] {
  return primariesOf(cluster).map(({ name, read }) => ({ name, messages: historyOf(read(SAID)) }));
}

/** Who has a region at the moment, to be read. */
export interface Primary {
  readonly name: string;
  readonly read: (request: Uint8Array) => Uint8Array;
}

export function primariesOf(cluster: Cluster): readonly Primary[] {
  return cluster.world.topology.regions.flatMap(({ name, number }) => {
    const host = cluster.regions.get(cluster.primaryOf(number) ?? 0);
    const set = host?.sets.get(number);
    return set === undefined ? [] : [{ name, read: (request) => set.read(request) }];
  });
}

function historyOf(bytes: Uint8Array): readonly ChatMessage[] {
  const reply = decodeReply(bytes);
  return reply.kind === 'done' ? decodeWith(chatHistory.value, reply.value) : [];
}

function textOf(messages: readonly ChatMessage[]): string {
  return messages.map(({ region, number }) => `${region} ${number}`).join(', ');
}
