// A node's status as Prometheus reads it: the same figures, under names that alerts can be written for.
//
// `node.ts` hands the families to whoever asks at `/metrics`. Labels hold names, not ids. A node does not
// name itself but in `bluemarble_node_info`, since a scraper adds where it asked. What is not known has
// no sample. Names are a promise to operators: docs/operating.md lists them.
import type { NodeId } from '../base/id.ts';
import { expositionText, type MetricFamily, type MetricSample } from '../wire/exposition.ts';
import {
  type CopyPlace,
  copyRoles,
  type CopyStatus,
  type GatewayStatus,
  groupRoles,
  type GroupStatus,
  type MemberStatus,
  type NodeStatus,
  type OutcomeCounts,
  type SpaceStatus,
} from '../wire/status.ts';
import type { NodeStanding, PlacedRegion } from '../wire/placement.ts';
import { lossesOf, lostEntries } from './placement/losses.ts';
import type { Topology } from './topology/topology.ts';

type Value = number | boolean | undefined;
type Row<Subject> = readonly [name: string, help: string, read: (subject: Subject) => Value];

/** What is measured, and under which labels it stands. */
interface Labelled<Subject> {
  readonly labels: MetricSample['labels'];
  readonly subject: Subject;
}

export function metricsText(status: NodeStatus, topology: Topology): string {
  const { groups, copies, spaces, placement, gateway, outcomes } = status;
  const name = (id: NodeId): string => topology.nodes.find((node) => node.id === id)?.name ?? `node-${id}`;
  const regionName = (number: number): string =>
    topology.regions.find((region) => region.number === number)?.name ?? `region-${number}`;
  const placed = (placement?.regions ?? []).map((region) => ({
    labels: { region: regionName(region.number) },
    subject: region,
  }));
  const standings = (placement?.nodes ?? []).map((standing) => ({
    labels: { node: name(standing.node) },
    subject: standing,
  }));
  return expositionText([
    ...nodeFamilies(status),
    ...groupFamilies(groups, name),
    ...copyFamilies(copies, name),
    ...families('gauge', SPACE_GAUGES, inRegions(spaces)),
    ...families('counter', SPACE_COUNTERS, inRegions(spaces)),
    ...(gateway === undefined ? [] : gatewayFamilies(gateway, outcomes)),
    ...families('gauge', REGION_GAUGES, placed),
    primaries(placed, name),
    ...families('gauge', STANDING_GAUGES, standings),
  ]);
}

function nodeFamilies(status: NodeStatus): readonly MetricFamily[] {
  const { name, kind, world, version } = status;
  const help = 'Always 1; the labels say which node this is.';
  const info: Row<NodeStatus> = ['bluemarble_node_info', help, () => 1];
  const labels = { node: name, kind, world, version };
  return [
    ...families('gauge', [info], [{ labels, subject: status }]),
    ...families('gauge', NODE_GAUGES, [{ labels: {}, subject: status }]),
  ];
}

const NODE_GAUGES: readonly Row<NodeStatus>[] = [
  ['bluemarble_ready', '1 while players and nodes may be sent here.', ({ ready }) => ready],
  [
    'bluemarble_sees_majority',
    '1 while the node is in touch with a majority of the witnesses.',
    ({ seesMajority }) => seesMajority,
  ],
  [
    'bluemarble_uptime_milliseconds',
    'How long the process has been running.',
    ({ uptimeMs }) => uptimeMs,
  ],
  ['bluemarble_resident_bytes', 'Memory that the process occupies.', ({ residentBytes }) => residentBytes],
  [
    'bluemarble_loop_late_max_milliseconds',
    'The longest time the event loop was late in the last ten seconds.',
    ({ loopLateMsMax }) => loopLateMsMax,
  ],
  [
    'bluemarble_peers_connected',
    'Nodes to which a link stands, of all others of the world.',
    ({ peersConnected }) => peersConnected.length,
  ],
];

function groupFamilies(
  groups: readonly GroupStatus[],
  name: (id: NodeId) => string,
): readonly MetricFamily[] {
  const each = groups.map((subject) => ({ labels: { group: subject.group }, subject }));
  const members = groups
    .filter(({ role }) => role === 'leader')
    .flatMap((group) =>
      group.members.map((subject) => ({
        labels: { group: group.group, member: name(subject.node) },
        subject,
      })),
    );
  const role = ['bluemarble_group_role', '1 for the role that the node plays in the group.'] as const;
  return [
    roles(role, groupRoles, each),
    ...families('gauge', GROUP_GAUGES, each),
    ...families('counter', GROUP_COUNTERS, each),
    ...families('gauge', MEMBER_GAUGES, members),
  ];
}

const GROUP_GAUGES: readonly Row<GroupStatus>[] = [
  [
    'bluemarble_group_has_leader',
    '1 while the node knows who leads the group.',
    ({ leader }) => leader !== undefined,
  ],
  ['bluemarble_group_term', 'Number of the latest election that was heard of.', ({ term }) => term],
  ['bluemarble_group_last_index', "The last entry of the node's log.", ({ last }) => last],
  [
    'bluemarble_group_commit_index',
    'The last entry known to be on a majority of disks.',
    ({ commit }) => commit,
  ],
  ['bluemarble_group_applied_index', 'The last entry that the state holds.', ({ applied }) => applied],
  ['bluemarble_group_snapshot_index', 'The last entry in the latest checkpoint.', ({ snapshot }) => snapshot],
  ['bluemarble_group_waiting_calls', 'Calls that wait at the member.', ({ waiting }) => waiting],
];

const GROUP_COUNTERS: readonly Row<GroupStatus>[] = [
  ['bluemarble_group_reads_total', 'Queries that the member has answered.', ({ reads }) => reads],
];

const MEMBER_GAUGES: readonly Row<MemberStatus>[] = [
  [
    'bluemarble_group_member_lag_entries',
    'Entries that the member trails behind the leader, told by the leader.',
    ({ lag }) => lag,
  ],
];

function copyFamilies(
  copies: readonly CopyStatus[],
  name: (id: NodeId) => string,
): readonly MetricFamily[] {
  const each = inRegions(copies);
  const others = copies
    .filter(({ role }) => role === 'primary')
    .flatMap(({ region, copies: places }) =>
      places.map((subject) => ({ labels: { region, copy: name(subject.node) }, subject })),
    );
  const role = ['bluemarble_copy_role', '1 for the role that the copy at this node plays.'] as const;
  return [
    roles(role, copyRoles, each),
    ...families('gauge', COPY_GAUGES, each),
    ...families('gauge', PLACE_GAUGES, others),
  ];
}

const COPY_GAUGES: readonly Row<CopyStatus>[] = [
  ['bluemarble_copy_epoch', 'The highest epoch that the copy has promised.', ({ epoch }) => epoch],
  [
    'bluemarble_copy_serving',
    '1 where the copy is primary and sure that no other serves.',
    ({ isServing }) => isServing,
  ],
  [
    'bluemarble_copy_healthy',
    '1 while the copy trails by fewer entries than the limit.',
    ({ isHealthy }) => isHealthy,
  ],
  ['bluemarble_copy_last_sequence', "The last entry of the copy's log.", ({ last }) => last],
  ['bluemarble_copy_durable_sequence', "The last entry on the copy's own disk.", ({ durable }) => durable],
  [
    'bluemarble_copy_committed_sequence',
    'The last entry known to be on a majority of disks.',
    ({ committed }) => committed,
  ],
  ['bluemarble_copy_applied_sequence', 'The last entry that the state holds.', ({ applied }) => applied],
  [
    'bluemarble_copy_checkpoint_sequence',
    'The last entry in the latest checkpoint.',
    ({ checkpoint }) => checkpoint,
  ],
  [
    'bluemarble_copy_lag_entries',
    'Entries that the copy trails behind the primary.',
    ({ lagEntries }) => lagEntries,
  ],
  [
    'bluemarble_copy_lag_milliseconds',
    "The copy's state is at most so old, by its own clock.",
    ({ lagMs }) => lagMs,
  ],
  ['bluemarble_copy_waiting_calls', 'Calls that wait at the copy.', ({ waiting }) => waiting],
  [
    'bluemarble_copy_lost_tails',
    'Files in which the copy keeps entries that the region lost with a primary.',
    ({ lostTails }) => lostTails.length,
  ],
];

const PLACE_GAUGES: readonly Row<CopyPlace>[] = [
  [
    'bluemarble_primary_copy_lag_entries',
    'Entries that a copy trails behind the primary, told by the primary.',
    ({ lagEntries }) => lagEntries,
  ],
  [
    'bluemarble_primary_copy_lag_milliseconds',
    "A copy's state is at most so old, told by the primary.",
    ({ lagMs }) => lagMs,
  ],
  [
    'bluemarble_primary_copy_healthy',
    '1 while a copy trails by fewer entries than the limit, told by the primary.',
    ({ isHealthy }) => isHealthy,
  ],
];

const SPACE_GAUGES: readonly Row<SpaceStatus>[] = [
  ['bluemarble_space_players', 'Players who stand in the region.', ({ players }) => players],
  [
    'bluemarble_space_tick_max_milliseconds',
    'The longest tick of the last ten seconds.',
    ({ tickMsMax }) => tickMsMax,
  ],
];

const SPACE_COUNTERS: readonly Row<SpaceStatus>[] = [
  ['bluemarble_space_ticks_total', 'Ticks of the region.', ({ ticks }) => ticks],
];

function gatewayFamilies(gateway: GatewayStatus, outcomes: OutcomeCounts): readonly MetricFamily[] {
  const only = [{ labels: {}, subject: gateway }];
  const counts = Object.entries(outcomes).map(([outcome, subject]) => ({ labels: { outcome }, subject }));
  return [
    ...families('gauge', GATEWAY_GAUGES, only),
    ...families('counter', GATEWAY_COUNTERS, only),
    ...families('counter', OUTCOME_COUNTERS, counts),
  ];
}

const GATEWAY_GAUGES: readonly Row<GatewayStatus>[] = [
  ['bluemarble_gateway_links', 'Links of players.', ({ connections }) => connections],
  ['bluemarble_gateway_players', 'Players of these links who are in the world.', ({ players }) => players],
];

const GATEWAY_COUNTERS: readonly Row<GatewayStatus>[] = [
  ['bluemarble_gateway_sent_bytes_total', 'Bytes to players.', ({ bytesOut }) => bytesOut],
  ['bluemarble_gateway_received_bytes_total', 'Bytes from players.', ({ bytesIn }) => bytesIn],
  [
    'bluemarble_gateway_skipped_frames_total',
    'Motion frames not sent, since the player had not taken the ones before.',
    ({ framesSkipped }) => framesSkipped,
  ],
];

const OUTCOME_COUNTERS: readonly Row<number>[] = [
  ['bluemarble_gateway_outcomes_total', "Outcomes of players' calls.", (count) => count],
];

const REGION_GAUGES: readonly Row<PlacedRegion>[] = [
  ['bluemarble_region_epoch', "The epoch of the region's primary, as placement told.", ({ epoch }) => epoch],
  ['bluemarble_region_sought', '1 while the region is sought a primary.', ({ fence }) => fence !== null],
  [
    'bluemarble_region_lost_entries',
    'Entries that the last eight promotions of the region have cost.',
    (region) => lostEntries(lossesOf(region)),
  ],
];

function primaries(
  placed: readonly Labelled<PlacedRegion>[],
  name: (id: NodeId) => string,
): MetricFamily {
  return {
    name: 'bluemarble_region_primary_info',
    type: 'gauge',
    help: "Always 1; the labels say whom placement told to be the region's primary.",
    samples: placed.map(({ labels, subject }) => ({
      labels: { ...labels, node: name(subject.primary) },
      value: 1,
    })),
  };
}

const STANDING_GAUGES: readonly Row<NodeStanding>[] = [
  [
    'bluemarble_node_suspected_by_witnesses',
    'Witnesses that doubt the node lives, those that call it failed included.',
    ({ suspectedBy }) => suspectedBy,
  ],
  [
    'bluemarble_node_failed_by_witnesses',
    'Witnesses that call the node failed.',
    ({ failedBy }) => failedBy,
  ],
];

function inRegions<Subject extends { readonly region: string }>(
  subjects: readonly Subject[],
): readonly Labelled<Subject>[] {
  return subjects.map((subject) => ({ labels: { region: subject.region }, subject }));
}

/** One family for each row, one sample for each subject of which it is known. */
function families<Subject>(
  type: MetricFamily['type'],
  rows: readonly Row<Subject>[],
  subjects: readonly Labelled<Subject>[],
): readonly MetricFamily[] {
  return rows.map(([name, help, read]) => ({
    name,
    type,
    help,
    samples: subjects.flatMap(({ labels, subject }) => {
      const value = read(subject);
      return value === undefined ? [] : [{ labels, value: Number(value) }];
    }),
  }));
}

/** A sample for every role, of which one is 1: so that a role which ends does not just vanish. */
function roles<Role extends string>(
  [name, help]: readonly [name: string, help: string],
  all: readonly Role[],
  subjects: readonly Labelled<{ readonly role: Role }>[],
): MetricFamily {
  const samples = subjects.flatMap(({ labels, subject }) =>
    all.map((role) => ({ labels: { ...labels, role }, value: Number(role === subject.role) })),
  );
  return { name, type: 'gauge', help, samples };
}
