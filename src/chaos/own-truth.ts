// What became of a studio's own features in a drill, by the logs that its nodes wrote down.
//
// `run.ts` calls it when all is quiet. There is no model of such a feature: what it decided is in its log,
// and what it is in its own code. So three things are looked at. All nodes made the same of each entry; a
// fresh machine of the same features does too, also one that is saved and loaded on its way; and for each
// answer that a player got the log says what it had to be, as observations that `verify/log` judges.
import { playerId } from '../base/id.ts';
import { featuresNamed, surroundingsOf } from '../services/topology/surroundings.ts';
import type { Topology } from '../services/topology/topology.ts';
import { decodeCommand, decodeReply, encodeQuery, isSessionRefusal } from '../wire/command.ts';
import { decodeWith, encodeWith, type Schema } from '../wire/schema.ts';
import type { Tapped } from '../wire/tap.ts';
import type { Feature } from '../world/feature.ts';
import { createGroupMachine } from '../world/group-machine.ts';
import { namedCalls } from '../world/named-calls.ts';
import { replay, type Wrong } from './replay.ts';
import { type Difference, type FinalLog, TappedLog } from './tapped-log.ts';

/** What one process of a node applied of one log. */
export interface Taken {
  readonly node: string;
  readonly log: string;
  readonly entries: Iterable<Tapped>;
}

/** A query of a studio's feature that was answered. */
export interface OwnQuery {
  readonly log: string;
  readonly order: number;
  readonly player: number;
  readonly call: string;
  readonly args: unknown;
}

/** What the log says at a place, in the terms of a history. */
export interface Said {
  readonly log: string;
  readonly order: number;
  readonly value: {
    readonly process: string;
    readonly f: string;
    readonly args: unknown;
    readonly answer: unknown;
  };
}

export interface OwnTruth {
  /** Logs of which not all is known, or that could not be replayed. */
  readonly unknown: readonly string[];
  /** Nodes that made different things of one entry. */
  readonly differing: readonly string[];
  /** Entries that a fresh machine answers otherwise. */
  readonly wrong: readonly string[];
  /** What is another answer, or no state, once the state was saved and loaded. */
  readonly forgotten: readonly string[];
  /** Commands of players to the studio's features, and queries that were answered. */
  readonly applied: readonly Said[];
  readonly shown: readonly Said[];
  /** Those that are known as a whole, and how long they are. */
  readonly logs: readonly { readonly log: string; readonly entries: number }[];
}

interface DescribedCall {
  readonly args: Schema<unknown>;
  readonly value: Schema<unknown>;
}

export interface OwnTruthOptions {
  readonly topology: Topology;
  /** All of the world's. */
  readonly features: readonly Feature[];
  /** The studio's. */
  readonly own: readonly Feature[];
  readonly taken: Iterable<Taken>;
  readonly queries: readonly OwnQuery[];
}

export function ownTruth({ topology, features, own, taken, queries }: OwnTruthOptions): OwnTruth {
  const { groups, regions } = topology;
  const isOwn = (name: string): boolean => own.some((feature) => feature.name === name);
  const plans = [...groups, ...regions].filter((plan) => plan.features.some(isOwn));
  const isRegion = (log: string): boolean => regions.some(({ name }) => name === log);
  const logs = new Map(plans.map(({ name }) => [name, new TappedLog(isRegion(name))]));
  for (const { log, node, entries } of taken) logs.get(log)?.add(node, entries);
  const judged = plans.map((plan) => {
    const log = logs.get(plan.name)?.finish() ?? { entries: [], isWhole: false, differences: [] };
    const asked = queries.filter((query) => query.log === plan.name);
    const held = featuresNamed(plan.features, features);
    const machine = (): ReturnType<typeof createGroupMachine> =>
      createGroupMachine(held, surroundingsOf(topology, plan.number));
    return new LogTruth(plan.name, callsOf(held), callsOf(own)).judge(log, machine, asked);
  });
  return {
    unknown: judged.flatMap(({ unknown }) => unknown),
    differing: judged.flatMap(({ differing }) => differing),
    wrong: judged.flatMap(({ wrong }) => wrong),
    forgotten: judged.flatMap(({ forgotten }) => forgotten),
    applied: judged.flatMap(({ applied }) => applied),
    shown: judged.flatMap(({ shown }) => shown),
    logs: judged.flatMap((one) => one.logs),
  };
}

/** Arguments and values as JSON carries them. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}

class LogTruth {
  readonly #name: string;
  readonly #calls: ReadonlyMap<string, DescribedCall>;
  readonly #own: ReadonlyMap<string, DescribedCall>;

  constructor(
    name: string,
    calls: ReadonlyMap<string, DescribedCall>,
    own: ReadonlyMap<string, DescribedCall>,
  ) {
    this.#name = name;
    this.#calls = calls;
    this.#own = own;
  }

  judge(
    { entries, isWhole, differences }: FinalLog,
    machine: Parameters<typeof replay>[0]['machine'],
    queries: readonly OwnQuery[],
  ): OwnTruth {
    const differing = differences.map((difference) => this.#differs(difference));
    const none = { differing, wrong: [], forgotten: [], applied: [], shown: [], logs: [] };
    if (!isWhole) {
      const from = entries[0]?.index;
      const known = from === undefined ? 'nothing of it' : `only what stands from ${from} on`;
      return { ...none, unknown: [`${this.#name}: the nodes wrote down ${known}`] };
    }
    const shown: Said[] = [];
    const byOrder = Map.groupBy(queries, ({ order }) => order);
    try {
      const { wrong, forgotten, unloadable } = replay({
        machine,
        entries,
        applied: (query, index) => {
          for (const asked of byOrder.get(index) ?? []) shown.push(this.#shown(asked, query));
        },
      });
      return {
        unknown: [],
        differing,
        wrong: wrong === undefined ? [] : [this.#replayedOtherwise(wrong)],
        forgotten: [
          ...(forgotten === undefined ? [] : [this.#replayedOtherwise(forgotten)]),
          ...(unloadable === undefined ? [] : [`${this.#name}: ${unloadable}`]),
        ],
        applied: entries.flatMap((entry) => this.#saidOf(entry)),
        shown,
        logs: [{ log: this.#name, entries: entries.length }],
      };
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      return { ...none, unknown: [`${this.#name} could not be replayed: ${why}`] };
    }
  }

  /** What is said of a player's command that a studio's feature decided; of a repeat, at its first place. */
  #saidOf({ index, applied }: Tapped): readonly Said[] {
    if (applied === undefined) return [];
    const { player, call, args } = decodeCommand(applied.command);
    const described = this.#own.get(call);
    const reply = decodeReply(applied.reply);
    if (described === undefined || player === 0 || reply.order !== index) return [];
    if (isSessionRefusal(reply)) return [];
    const answer = answerOf(described, applied.reply);
    const value = { process: String(player), f: call, args: plain(decodeWith(described.args, args)), answer };
    return [{ log: this.#name, order: index, value }];
  }

  #shown({ order, player, call, args }: OwnQuery, query: (request: Uint8Array) => Uint8Array): Said {
    const described = this.#own.get(call);
    const bytes = described === undefined ? new Uint8Array(0) : encodeWith(described.args, args);
    const reply = query(encodeQuery({ player: playerId(player), call, args: bytes }));
    const answer = answerOf(described, reply);
    const value = { process: String(player), f: call, args: plain(args), answer };
    return { log: this.#name, order, value };
  }

  #differs({ one, other }: Difference): string {
    const told = ({ node, entry }: Difference['one']): string =>
      `${this.#asked(entry)} -> ${this.#answered(entry, entry.applied?.reply)} at ${node}`;
    return `${this.#name} at ${one.entry.index}: ${told(one)}; ${told(other)}`;
  }

  #replayedOtherwise({ entry, reply, loadedAt }: Wrong): string {
    const was = `${this.#asked(entry)} -> ${this.#answered(entry, entry.applied?.reply)}`;
    const how = loadedAt === 0 ? 'replayed' : `replayed from the state that was saved after ${loadedAt}`;
    return `${this.#name} at ${entry.index}: ${was}; ${how} it is ${this.#answered(entry, reply)}`;
  }

  #asked({ applied }: Tapped): string {
    if (applied === undefined) return 'no command';
    const { player, call, args } = decodeCommand(applied.command);
    const described = this.#calls.get(call);
    if (described === undefined) return `${call} of player ${player}`;
    return `${call} ${JSON.stringify(plain(decodeWith(described.args, args)))} of player ${player}`;
  }

  #answered({ applied }: Tapped, reply: Uint8Array | undefined): string {
    if (applied === undefined || reply === undefined) return 'nothing';
    const { call } = decodeCommand(applied.command);
    return JSON.stringify(answerOf(this.#calls.get(call), reply));
  }
}

/** As a history writes it. */
function answerOf(described: DescribedCall | undefined, bytes: Uint8Array): unknown {
  const reply = decodeReply(bytes);
  if (reply.kind === 'rejected') return { rejected: reply.reason };
  return described === undefined ? null : plain(decodeWith(described.value, reply.value));
}

function callsOf(features: readonly Feature[]): ReadonlyMap<string, DescribedCall> {
  return new Map(namedCalls(features).map((call) => [call.name, call]));
}
