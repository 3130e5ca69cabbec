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
import type { GroupView, HoldingsTotals, NodeCondition, NodeView, WorldView } from './view.ts';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const CALLS_SHOWN_MAX = 4;
const NODE_WIDTH = 26;
const NODE_NAME_WIDTH = 9;
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
    ...groupLines(view),
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

function groupLines({ groups, leaderChanges }: WorldView): readonly Line[] {
  const names = `${'GROUP'.padEnd(9)}${'LEADER'.padEnd(10)}${'TERM'.padStart(5)}`;
  const head = `${names}${'COMMIT'.padStart(10)}${'WAIT'.padStart(6)}  LAG OF FOLLOWERS`;
  return [
    [piece(`${head}  (${grouped(leaderChanges)} leader change${leaderChanges === 1 ? '' : 's'})`, 'faint')],
    ...groups.map(groupLine),
  ];
}

function groupLine(group: GroupView): Line {
  const leader = `${group.leader ?? 'nobody'} `.padEnd(10);
  const followers = group.members.filter(({ name }) => name !== group.leader);
  return [
    piece(`${group.group} `.padEnd(9)),
    piece(leader, group.leader === undefined ? 'bad' : 'good'),
    piece(String(group.term).padStart(5)),
    piece(grouped(group.commit).padStart(10)),
    piece(`${grouped(group.waiting).padStart(6)}  `),
    ...followers.map(({ name, lag }) => {
      const tone = lag === undefined ? 'bad' : lag <= LAG_HEALTHY_MAX ? 'plain' : 'warning';
      return piece(`${shortName(name)}:${lag === undefined ? '?' : grouped(lag)} `, tone);
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
  const perLine = Math.max(1, Math.floor(columns / NODE_WIDTH));
  const lines: Line[] = [];
  for (let at = 0; at < nodes.length; at += perLine) {
    lines.push(nodes.slice(at, at + perLine).flatMap(nodePieces));
  }
  return lines;
}

function nodePieces(node: NodeView): readonly Piece[] {
  const state = stateOf(node);
  const room = NODE_WIDTH - NODE_NAME_WIDTH - state.text.length;
  const memory = node.residentBytes === undefined ? '' : ` ${byteCount(node.residentBytes)}`;
  const rest = memory.length < room ? memory : '';
  return [piece(`${node.name} `.padEnd(NODE_NAME_WIDTH)), state, piece(rest.padEnd(Math.max(1, room)))];
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
