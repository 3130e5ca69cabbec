// A global node: the groups it is a member of, in one loop over one journal, and their ear for asks.
//
// `node.ts` starts it. Game state lives here and nowhere else; players never connect here, so that
// their traffic and its garbage delay no consensus.
import { Random } from '../base/random.ts';
import type { OperatedGroup } from '../runtime/group.ts';
import { Turn } from '../runtime/turn.ts';
import type { GroupStatus } from '../wire/status.ts';
import { createGroupMachine } from '../world/group-machine.ts';
import { Auditor } from './auditor.ts';
import { Global } from './global.ts';
import { openGroupEvents } from './group-events.ts';
import { Introduction } from './introduction.ts';
import type { NodeRole, NodeSetting, Storage } from './node-role.ts';
import { readOperation } from './calls/operation.ts';
import { openRoute } from './open-route.ts';
import { Outbox } from './calls/outbox.ts';
import { Readiness } from './readiness.ts';
import { featuresNamed, surroundingsOf } from './topology/surroundings.ts';
import { readAnywhere, regionNodesOf } from './topology/topology.ts';
import type { Witness } from './placement/witness.ts';
import { Witnessing } from './witnessing.ts';

const SEED_BYTES = 16;
/** What a node says of players and regions that has neither. */
const NO_REGIONS = {
  players: undefined,
  gateway: () => undefined,
  spaces: () => [],
  copies: () => [],
  placement: () => undefined,
  outcomes: () => ({ done: 0, rejected: 0, unavailable: 0, uncertain: 0 }),
} as const;

export function openGlobalNode(setting: NodeSetting): NodeRole {
  const { topology, doors } = setting;
  const { clock, peers } = doors;
  const storage = doors.openStorage();
  const turn = openTurn(setting, storage, () => global);
  const auditor = new Auditor(clock);
  const groups = openGroups(setting, turn, auditor);
  const outbox = new Outbox(clock, peers);
  const route = openRoute(setting, outbox);
  const events = openGroupEvents(setting, groups, route);
  const changed = (group: number): void => events.changed(group);
  const global = new Global({
    groups,
    outbox,
    regionNodes: regionNodesOf(topology),
    readHere: readAnywhere(topology),
    changed,
  });
  const introduction = new Introduction(setting, outbox);
  const witnessing = new Witnessing(setting, { groups, outbox, route });
  const readiness = new Readiness();
  const statuses = (): GroupStatus[] => [...groups.values()].map((group) => group.status());
  return {
    ...NO_REGIONS,
    start: () => {
      introduction.start(() => turn.start());
      events.start();
      witnessing.witness.start();
    },
    received(from, message) {
      if (message.kind === 'raft') turn.receive(message.group, from, message.body);
      else if (message.kind === 'ask') global.asked(from, message);
      else if (message.kind === 'incarnations') introduction.received(from, message);
      else witnessing.received(from, message);
    },
    up(node) {
      introduction.up(node);
      turn.peerUp(node);
      global.up(node);
    },
    lost(node) {
      turn.peerLost(node);
      witnessing.lost(node);
    },
    refused: (node) => witnessing.witness.gone(node),
    operated: (message) => operate([...groups.values()], witnessing.witness, message),
    isReady: () => readiness.judge(statuses()),
    groups: statuses,
    audit: (fresh) => auditor.audit(fresh),
    seesMajority: () => witnessing.seesMajority,
    worldEnds: () => witnessing.witness.stop(),
    async stop() {
      introduction.stop();
      events.stop();
      witnessing.witness.stop();
      await turn.leave();
      storage.journal.close();
    },
  };
}

function openTurn({ node: self, doors }: NodeSetting, storage: Storage, global: () => Global): Turn {
  const { clock, peers, logger } = doors;
  return new Turn({
    self,
    clock,
    peers,
    ...storage,
    logger,
    random: new Random(doors.entropy.bytes(SEED_BYTES).join('.')),
    onNotices: (notices) => global().tell(notices),
    onElected: (group, term) => global().elected(group, term),
    fail: (cause) => doors.fail(cause),
    tap: doors.tap,
  });
}

/** The groups that this node is a member of, by number. */
function openGroups(
  { topology, node, features }: NodeSetting,
  turn: Turn,
  auditor: Auditor,
): ReadonlyMap<number, OperatedGroup> {
  const groups = new Map<number, OperatedGroup>();
  for (const plan of topology.groups.filter(({ members }) => members.includes(node))) {
    const { number, name, founders: members = plan.members, leaseDriftPerMille = 0 } = plan;
    const held = featuresNamed(plan.features, features);
    const machine = createGroupMachine(held, surroundingsOf(topology, number));
    const raft = leaseDriftPerMille === 0 ? {} : { leaseDriftPerMille };
    const group = turn.add({ number, name, members, machine, raft });
    groups.set(number, group);
    auditor.add(group, held);
  }
  return groups;
}

/** Refusals are not told: the supervisor looks at the status and asks again. */
function operate(groups: readonly OperatedGroup[], witness: Witness, message: unknown): void {
  const operation = readOperation(message);
  if (operation?.kind === 'promote' || operation?.kind === 'force') return witness.promote(operation);
  const group = groups.find(({ name }) => name === operation?.group);
  if (operation === undefined || group === undefined) return;
  const [first] = operation.nodes;
  if (operation.kind === 'reconfigure') group.reconfigure(operation.nodes);
  else if (first !== undefined) group.transfer(first);
}
