// One process of the world: everything a node is made of, put together out of the topology.
//
// `cli/node` opens the doors and calls `startWorldNode`; tests hand in doors of their own. What is
// peculiar to a kind of node is in its role; links, readiness, status and the end are here.
// Invariant: nothing that another node sends can break this one; bytes that make no sense are logged
// and dropped, and the link goes on.
import { InvalidInputError } from '../base/errors.ts';
import type { NodeId } from '../base/id.ts';
import type { PlayerListener } from '../runtime/ports.ts';
import { decodePeerMessage } from '../wire/peer.ts';
import type { NodeAudit, NodeStatus } from '../wire/status.ts';
import { openGlobalNode } from './global-node.ts';
import { metricsText } from './metrics.ts';
import type { NodeRole, NodeSetting } from './node-role.ts';
import { withOwnLink } from './calls/own-link.ts';
import { RecentMax } from '../base/recent-max.ts';
import { openRegionNode } from './region-node.ts';
import { nodePlan } from './topology/topology.ts';

const READY_POLL_MS = 10;
const LATENESS_PERIOD_MS = 100;

export interface WorldNode {
  /** For the WebSocket adapter; `undefined` where no players connect. */
  readonly players: PlayerListener | undefined;
  isReady(): boolean;
  /** Resolves when the node is ready for the first time. */
  whenReady(): Promise<void>;
  status(): NodeStatus;
  /** The same for Prometheus. */
  metrics(): string;
  /** Does what the supervisor asks for an operator, where this node can. */
  operate(message: unknown): void;
  /** `fresh`: counted now, whatever it costs; else perhaps a while ago. */
  audit(fresh: boolean): NodeAudit;
  /** The whole world ends, this node soon among the others: `stop` follows. */
  worldEnds(): void;
  /**
   * Leaves in order: leadership and regions are handed over, players are told to go elsewhere, links and
   * files are closed. Takes about one election at most, or a second where regions find no heir at once.
   */
  stop(): Promise<void>;
}

/** The topology must be one that `validateTopology` finds no fault with. */
export function startWorldNode(given: NodeSetting, version: string): WorldNode {
  const { topology, node } = given;
  const peers = withOwnLink({ self: node, ...given.doors });
  const doors = { ...given.doors, peers };
  const setting = { ...given, doors };
  const { clock, machine } = doors;
  const { name, kind } = nodePlan(topology, node);
  const role = kind === 'global' ? openGlobalNode(setting) : openRegionNode(setting);
  const startedAtMs = clock.monotonicMs();
  const lateness = watchLateness(setting);
  listenToPeers(setting, role);
  role.start();
  const status = (): NodeStatus => ({
    node,
    name,
    kind,
    world: topology.world,
    version,
    pid: machine.pid,
    uptimeMs: clock.monotonicMs() - startedAtMs,
    ready: role.isReady(),
    residentBytes: machine.residentBytes(),
    loopLateMsMax: lateness.read(),
    peersConnected: otherNodes(setting).filter((other) => peers.connected(other)),
    groups: role.groups(),
    gateway: role.gateway(),
    spaces: role.spaces(),
    copies: role.copies(),
    outcomes: role.outcomes(),
    seesMajority: role.seesMajority(),
    placement: role.placement(),
  });
  return {
    players: role.players,
    isReady: () => role.isReady(),
    whenReady: () => pollUntilReady(setting, role),
    status,
    metrics: () => metricsText(status(), topology),
    operate: (message) => role.operated(message),
    worldEnds: () => role.worldEnds?.(),
    audit: (fresh) => ({ name, world: topology.world, groups: role.audit(fresh) }),
    async stop() {
      lateness.stop();
      await role.stop();
      await peers.close();
    },
  };
}

function otherNodes({ topology, node }: NodeSetting): readonly NodeId[] {
  return topology.nodes.map(({ id }) => id).filter((id) => id !== node);
}

function listenToPeers(setting: NodeSetting, role: NodeRole): void {
  const { peers, logger } = setting.doors;
  peers.listen({
    received(from, frame) {
      try {
        role.received(from, decodePeerMessage(frame));
      } catch (cause) {
        if (!(cause instanceof InvalidInputError)) throw cause;
        logger.log('warn', 'unreadable-peer-message', { from, cause: cause.message });
      }
    },
    up: (node) => role.up(node),
    lost: (node) => role.lost(node),
    refused: (node) => role.refused?.(node),
  });
}

function pollUntilReady({ doors: { clock } }: NodeSetting, role: NodeRole): Promise<void> {
  return new Promise((resolve) => {
    const poll = (): void => {
      if (role.isReady()) resolve();
      else clock.wakeAt(clock.monotonicMs() + READY_POLL_MS, poll);
    };
    poll();
  });
}

/** How late a timer comes is how long whatever ran before it has held everyone up. */
function watchLateness({ doors: { clock } }: NodeSetting): { read(): number; stop(): void } {
  const late = new RecentMax();
  let cancel = (): void => {};
  const wait = (): void => {
    const dueAtMs = clock.monotonicMs() + LATENESS_PERIOD_MS;
    cancel = clock.wakeAt(dueAtMs, () => {
      const nowMs = clock.monotonicMs();
      late.record(nowMs, nowMs - dueAtMs);
      wait();
    });
  };
  wait();
  return { read: () => late.read(clock.monotonicMs()), stop: () => cancel() };
}
