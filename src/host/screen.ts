// The live screen, one look at the world: groups, regions, nodes, outcomes, the crowd.
//
// `up.ts` draws it once a second on a terminal, `bluemarble status` once. Pure: view in, lines out,
// never more or wider than the terminal. What does not fit is left out from the bottom; the last
// events always stay.
import type { CrowdStats } from '../crowd/messages.ts';
import { ALL_CALLS } from '../crowd/tally.ts';
import { formatDuration } from './duration.ts';
import { byteCount, fit, grouped, type Line, milliseconds, type Piece, piece } from './lines.ts';
import { gatewayLines, lossLines, regionLines } from './region-lines.ts';
import { columnWidth, roomForNames, rowWidth, shortened } from './short-names.ts';
import type { GroupView, HoldingsTotals, NodeCondition, NodeView, WorldView } from './view.ts';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const CALLS_SHOWN_MAX = 4;
/** Behind a node's name: what is said of it, and its memory. */
const NODE_STATE_WIDTH = 17;
const NODE_NAME_WIDTH_MIN = 9;
/** Behind a group's and its leader's names, and behind each follower's. */
const GROUP_FIGURES = ' TERM    COMMIT  WAIT  ';
const FOLLOWER_LAG_WIDTH: number = ':99 '.length;
/** A lag that a healthy follower has while entries are on their way. */
const LAG_HEALTHY_MAX = 100;
const TONES = {
  starting: 'warning',
  up: 'good',
  paused: 'warning',
  silent: 'bad',
  restarting: 'bad',
  down: 'bad',
  failed: 'bad',
} as const satisfies Record<NodeCondition, Piece['tone']>;

/** `events` come latest last. */
export function renderScreen(
  view: WorldView,
  events: readonly string[],
  size: ScreenSize,
): readonly Line[] {
  const regions = regionLines(view.regions, size.columns);
  const body: Line[] = [
    titleLine(view),
    ...groupLines(view, size.columns),
    ...regions.lines,
    ...gatewayLines(view.gateways),
    ...nodeLines(view.nodes, size.columns),
    ...lossLines(view.regions),
    ...view.linkFaults.map((fault): Line => [piece('LINKS  ', 'faint'), piece(fault, 'bad')]),
    ...(view.inHand === undefined ? [] : [[piece('IN HAND  ', 'faint'), piece(view.inHand, 'warning')]]),
    ...outcomeLines(view),
    ...regions.further,
  ];
  const latest = events.slice(-2).map((event): Line => [piece(event, 'faint')]);
  const room = Math.max(1, size.rows - 1 - latest.length);
  return [...body.slice(0, room), ...latest].map((line) => fit(line, size.columns));
}

/** The view in one line, for logs and pipes. */
export function renderPlain(view: WorldView): string {
  const up = view.nodes.filter(({ condition }) => condition === 'up').length;
  const { done, rejected, unavailable, uncertain } = view.outcomesPerSecond;
  const leaders = view.groups.map(({ group, leader }) => `${group} ${shortName(leader ?? 'nobody')}`);
  const parts = [
    formatDuration(view.upMs),
    `${up}/${view.nodes.length} nodes up`,
    `led by ${leaders.join(', ')}`,
    `per second ${grouped(done)} done, ${grouped(rejected)} rejected, ` +
      `${grouped(unavailable)} unavailable, ${grouped(uncertain)} uncertain`,
  ];
  if (view.crowd !== undefined) parts.push(renderCrowd(view.crowd));
  return parts.join(' | ');
}

function deeds({ trades, crafted, said }: CrowdStats): string {
  return `${grouped(trades)} trades, ${grouped(crafted)} crafts, ${grouped(said)} messages`;
}

/** The crowd in one line. */
export function renderCrowd(stats: CrowdStats): string {
  const all = stats.calls.find(({ call }) => call === ALL_CALLS);
  const joined = `${grouped(stats.joined)} of ${grouped(stats.players)}`;
  const players = `${joined} players, ${deeds(stats)}`;
  if (all === undefined) return players;
  const { perSecond, p50Ms, p99Ms } = all.recent;
  const times = `p50 ${milliseconds(p50Ms)} ms, p99 ${milliseconds(p99Ms)} ms`;
  return `${players}, ${grouped(perSecond)} calls/s, ${times}`;
}

function titleLine(view: WorldView): Line {
  const up = view.nodes.filter(({ condition }) => condition === 'up').length;
  const players = view.regions.reduce((sum, region) => sum + region.players, 0);
  return [
    piece('BlueMarble', 'strong'),
    piece(`  ${view.world}  up ${formatDuration(view.upMs)}  `),
    piece(`${up} of ${view.nodes.length} nodes`, up === view.nodes.length ? 'good' : 'bad'),
    piece(`  ${grouped(players)} players`),
  ];
}

/** How long names may be, and how wide that makes the columns that hold them. */
interface GroupWidths {
  readonly name: number;
  readonly group: number;
  readonly leader: number;
}

function groupLines({ groups, leaderChanges }: WorldView, columns: number): readonly Line[] {
  const widths = groupWidths(groups, columns);
  const names = `${'GROUP'.padEnd(widths.group)}${'LEADER'.padEnd(widths.leader)}`;
  const changes = `(${grouped(leaderChanges)} leader change${leaderChanges === 1 ? '' : 's'})`;
  return [
    [piece(`${names}${GROUP_FIGURES}LAG OF FOLLOWERS  ${changes}`, 'faint')],
    ...groups.map((group) => groupLine(group, widths)),
  ];
}

function groupWidths(groups: readonly GroupView[], columns: number): GroupWidths {
  const names = groups.map(({ group }) => group);
  const members = groups.flatMap((group) => group.members.map(({ name }) => name));
  const at = (name: number): GroupWidths => ({
    name,
    group: columnWidth('ECONOMY ', names, name),
    leader: columnWidth('GLOBAL-1 ', members, name),
  });
  const name = roomForNames(columns - GROUP_FIGURES.length, (max) => {
    const { group, leader } = at(max);
    const followers = groups.map((each) => {
      return rowWidth(each.members.map((member) => shortName(member.name)), max, FOLLOWER_LAG_WIDTH);
    });
    return group + leader + Math.max(0, ...followers);
  });
  return at(name);
}

function groupLine(group: GroupView, widths: GroupWidths): Line {
  const followers = group.members.filter(({ name }) => name !== group.leader);
  const name = group.leader === undefined ? 'nobody' : shortened(group.leader, widths.name);
  const leader = name.padEnd(widths.leader);
  return [
    piece(shortened(group.group, widths.name).padEnd(widths.group)),
    piece(leader, group.leader === undefined ? 'bad' : 'good'),
    piece(String(group.term).padStart(5)),
    piece(grouped(group.commit).padStart(10)),
    piece(`${grouped(group.waiting).padStart(6)}  `),
    ...followers.map(({ name: of, lag }) => {
      const tone = lag === undefined ? 'bad' : lag <= LAG_HEALTHY_MAX ? 'plain' : 'warning';
      const shown = shortened(shortName(of), widths.name);
      return piece(`${shown}:${lag === undefined ? '?' : grouped(lag)} `, tone);
    }),
  ];
}

/** What stands behind a node's name: what its process does, unless others know worse. */
function stateOf({ condition, standing, seesMajority }: NodeView): Piece {
  if (condition === 'up' && !seesMajority) return piece('sees no majority', 'bad');
  const isDoubted = condition === 'up' && standing !== undefined && standing !== 'trusted';
  if (isDoubted) return piece(standing, standing === 'failed' ? 'bad' : 'warning');
  return piece(condition, TONES[condition]);
}

/** As many nodes to a line as fit, each with its condition, and with its memory where there is room. */
function nodeLines(nodes: readonly NodeView[], columns: number): readonly Line[] {
  const names = nodes.map(({ name }) => name);
  const at = (max: number): number => Math.max(NODE_NAME_WIDTH_MIN, columnWidth('', names, max));
  // Two to a line, or a world of long names would fill the screen with its nodes.
  const half = Math.max(Math.floor(columns / 2), NODE_NAME_WIDTH_MIN + NODE_STATE_WIDTH);
  const max = roomForNames(half, (room) => at(room) + NODE_STATE_WIDTH);
  const nameWidth = at(max);
  const perLine = Math.max(1, Math.floor(columns / (nameWidth + NODE_STATE_WIDTH)));
  const lines: Line[] = [];
  for (let from = 0; from < nodes.length; from += perLine) {
    const some = nodes.slice(from, from + perLine);
    lines.push(some.flatMap((node) => nodePieces(node, shortened(node.name, max).padEnd(nameWidth))));
  }
  return lines;
}

function nodePieces(node: NodeView, name: string): readonly Piece[] {
  const state = stateOf(node);
  const room = NODE_STATE_WIDTH - state.text.length;
  const memory = node.residentBytes === undefined ? '' : ` ${byteCount(node.residentBytes)}`;
  const rest = memory.length < room ? memory : '';
  return [piece(name), state, piece(rest.padEnd(Math.max(1, room)))];
}

function outcomeLines(view: WorldView): readonly Line[] {
  const { done, rejected, unavailable, uncertain } = view.outcomesPerSecond;
  const lines: Line[] = [
    [
      piece('OUTCOMES/S  ', 'faint'),
      piece(`done ${grouped(done)}`, 'good'),
      piece(`  rejected ${grouped(rejected)}`),
      piece(`  unavailable ${grouped(unavailable)}`, unavailable > 0 ? 'warning' : 'plain'),
      piece(`  uncertain ${grouped(uncertain)}`, uncertain > 0 ? 'warning' : 'plain'),
    ],
  ];
  const { crowd, holdings } = view;
  if (holdings !== undefined) lines.push(holdingsLine(holdings));
  if (crowd === undefined) return lines;
  const busiest = crowd.calls
    .filter(({ call }) => call !== ALL_CALLS)
    .sort((a, b) => b.recent.perSecond - a.recent.perSecond)
    .slice(0, CALLS_SHOWN_MAX);
  const joined = `${grouped(crowd.joined)} of ${grouped(crowd.players)}`;
  return [
    ...lines,
    [piece(`TEST PLAYERS  ${joined}, ${deeds(crowd)}`)],
    [piece(`${'CALL'.padEnd(18)}${callHead()}`, 'faint')],
    ...busiest.map((summary): Line => {
      const { perSecond, p50Ms, p99Ms, maxMs } = summary.recent;
      const times = [p50Ms, p99Ms, maxMs].map((value) => milliseconds(value).padStart(10));
      return [piece(summary.call.padEnd(18)), piece(perSecond.toFixed(1).padStart(8) + times.join(''))];
    }),
  ];
}

function holdingsLine({ gold, items }: HoldingsTotals): Line {
  return ([['GOLD', gold], ['ITEMS', items]] as const).flatMap(([name, totals]): Line => {
    const { expected, counted } = totals;
    const tone = counted === expected ? 'plain' : 'bad';
    const text = `${grouped(expected)} expected, ${grouped(counted)} counted   `;
    return [piece(`${name}  `, 'faint'), piece(text, tone)];
  });
}

function callHead(): string {
  const columns = ['P50 MS', 'P99 MS', 'MAX MS'];
  return '/S'.padStart(8) + columns.map((column) => column.padStart(10)).join('');
}

function shortName(name: string): string {
  return name.replace(/^global-/, 'g');
}
