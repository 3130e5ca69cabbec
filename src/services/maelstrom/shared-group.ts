// One Raft group over all nodes of a Maelstrom run, and how each of them asks it.
//
// `lin-kv.ts` opens one. A node is a gateway and a member at once: what it asks goes by `Route` to
// whoever leads, perhaps to itself, exactly as in a world. Commands carry a session of this process's
// life, so that the route may repeat them and they are still applied once.
// Invariant: no command leaves whose number lies beyond the session's window; a refusal for that reason
// would say nothing about an attempt that is still under way.
import { InvalidInputError, type Outcome } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import { Random } from '../../base/random.ts';
import type { Group } from '../../runtime/group.ts';
import type { Logger, Peers } from '../../runtime/ports.ts';
import { Turn } from '../../runtime/turn.ts';
import type { Shape } from '../../wire/call-shape.ts';
import { encodeCommand, encodeQuery } from '../../wire/command.ts';
import { decodePeerMessage, type PeerMessage } from '../../wire/peer.ts';
import { encodeWith, type Schema } from '../../wire/schema.ts';
import type { Feature } from '../../world/feature.ts';
import { createGroupMachine } from '../../world/group-machine.ts';
import { Global } from '../global.ts';
import { Outbox } from '../calls/outbox.ts';
import { outcomeOf } from '../calls/outcome.ts';
import { Route, type RouteAnswer } from '../calls/route.ts';
import type { GroupPlan } from '../topology/topology.ts';
import type { MaelstromDoors, Members } from './workload.ts';

const NUMBER = 1;
/** Maelstrom's clients give up after a second or more: they are told before. */
const DEADLINE_MS = 800;
const SEED_BYTES = 16;
/** Sessions of different nodes are never the same: the node's number is the remainder. */
const SESSION_STEP = 1_024;
/** A run never lasts as long. */
const SESSION_MS: number = 30 * 86_400_000;
/** Commands from the oldest open one on; a group's window is somewhat longer. */
const WINDOW = 200;
const BUSY_RETRY_MS = 100;

type Settle<Value> = (outcome: Outcome<Value>) => void;

export class SharedGroup {
  readonly #self: number;
  readonly #route: Route;
  readonly #stop: () => Promise<void>;
  readonly #session: number;
  readonly #sessionExpiresAtMs: number;
  /** Numbers of the commands that wait for their end, ascending. */
  readonly #open = new Set<number>();
  #nextNumber = 1;

  constructor(feature: Feature, members: Members, doors: MaelstromDoors) {
    const random = new Random(doors.entropy.bytes(SEED_BYTES).join('.'));
    const { route, stop } = openGroup({ feature, members, doors, random });
    this.#self = members.self;
    this.#route = route;
    this.#stop = stop;
    this.#session = random.split('session').uint32() * SESSION_STEP + members.self;
    this.#sessionExpiresAtMs = doors.clock.wallMs() + SESSION_MS;
  }

  /** Settles once, never before this returns unless too many wait. The shape is that of the call. */
  command<Args, Value>(
    call: string,
    shape: Shape<Args, Value>,
    args: Args,
    settle: Settle<Value>,
  ): void {
    const number = this.#nextNumber;
    const answeredBelow = this.#open.values().next().value ?? number;
    if (number - answeredBelow >= WINDOW) {
      settle({ kind: 'unavailable', retryAfterMs: BUSY_RETRY_MS });
      return;
    }
    this.#nextNumber += 1;
    this.#open.add(number);
    const body = encodeCommand({
      session: this.#session,
      sessionExpiresAtMs: this.#sessionExpiresAtMs,
      number,
      answeredBelow,
      player: this.#self,
      call,
      args: encodeWith(shape.args, args),
    });
    this.#ask('command', body, shape.value, (outcome) => {
      this.#open.delete(number);
      settle(outcome);
    });
  }

  /** A linearizable read, settled in the same way. */
  query<Args, Value>(
    call: string,
    shape: Shape<Args, Value>,
    args: Args,
    settle: Settle<Value>,
  ): void {
    const body = encodeQuery({ player: this.#self, call, args: encodeWith(shape.args, args) });
    this.#ask('query', body, shape.value, settle);
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  #ask<Value>(
    mode: 'command' | 'query',
    body: Uint8Array,
    value: Schema<Value>,
    settle: Settle<Value>,
  ): void {
    const answer = (answer: RouteAnswer): void => settle(outcomeOf(answer, value));
    this.#route.ask({ group: NUMBER, mode, body, deadlineMs: DEADLINE_MS, answer });
  }
}

interface GroupSetting {
  readonly feature: Feature;
  readonly members: Members;
  readonly doors: MaelstromDoors;
  readonly random: Random;
}

/** What a member of a group is in a world, and beside it the gateway that asks. */
function openGroup(setting: GroupSetting): { readonly route: Route; stop(): Promise<void> } {
  const { feature, members, doors, random } = setting;
  const { clock, logger } = doors;
  const plan = { number: NUMBER, name: feature.name, members: [...members.names.keys()] };
  const peers = doors.openPeers(members);
  const outbox = new Outbox(clock, peers);
  const { turn, group, close } = openMember(setting, plan, peers);
  const groups = new Map([[NUMBER, group]]);
  const global = new Global({ groups, outbox, regionNodes: [] });
  const route = new Route({
    clock,
    peers,
    outbox,
    groups: [{ ...plan, features: [feature.name] }],
    firstNumber: random.split('asks').uint32(),
  });
  const hear = (from: NodeId, message: PeerMessage): void => {
    if (message.kind === 'raft') turn.receive(message.group, from, message.body);
    else if (message.kind === 'ask') global.asked(from, message);
    else if (message.kind === 'answer') route.answered(from, message);
  };
  peers.listen({
    received(from, frame) {
      const message = readable(frame, from, logger);
      if (message !== undefined) hear(from, message);
    },
    up: (node) => turn.peerUp(node),
    lost(node) {
      turn.peerLost(node);
      route.lost(node);
    },
  });
  turn.start();
  return { route, stop: close };
}

function openMember(
  { feature, members, doors, random }: GroupSetting,
  plan: Pick<GroupPlan, 'number' | 'name' | 'members'>,
  peers: Peers,
): { readonly turn: Turn; readonly group: Group; close(): Promise<void> } {
  const { clock, logger } = doors;
  const { journal, checkpoints, recovered } = doors.openStorage(members);
  const turn = new Turn({
    self: members.self,
    clock,
    peers,
    journal,
    checkpoints,
    recovered,
    random,
    logger,
    onNotices: () => undefined,
    onElected: () => undefined,
    fail: (cause) => doors.fail(cause),
  });
  const group = turn.add({ ...plan, machine: createGroupMachine([feature]) });
  return {
    turn,
    group,
    async close() {
      await turn.leave();
      journal.close();
      await peers.close();
    },
  };
}

function readable(frame: Uint8Array, from: NodeId, logger: Logger): PeerMessage | undefined {
  try {
    return decodePeerMessage(frame);
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    logger.log('warn', 'unreadable-peer-message', { from, cause: cause.message });
    return undefined;
  }
}
