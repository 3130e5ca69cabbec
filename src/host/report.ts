// The report at the end of a run: what happened, and whether every promise was kept.
//
// `up.ts` hands in what was seen, prints `describeReport` for people or the report itself as JSON for
// scripts, and ends with exit code 0 only if `ok`. Pure.
import type { CrowdResult } from '../crowd/messages.ts';
import { ALL_CALLS, type CallSummary } from '../crowd/tally.ts';
import type { OutcomeCounts } from '../wire/status.ts';
import type { ReplicaStanding } from './agreement.ts';
import { formatDuration } from './duration.ts';
import { grouped, type Line, milliseconds, piece } from './lines.ts';
import type { HoldingsTotals, NodeFacts, Totals } from './view.ts';

export interface Invariant {
  readonly name: string;
  readonly held: boolean;
  /** What was found, one sentence; empty when there is nothing to add. */
  readonly detail: string;
}

export interface Report {
  readonly ok: boolean;
  readonly world: string;
  readonly startMs: number;
  readonly durationMs: number;
  /** Test players who came, and how many were to come. */
  readonly players: number;
  readonly playersWanted: number;
  readonly trades: number;
  readonly crafted: number;
  readonly said: number;
  readonly outcomes: OutcomeCounts;
  readonly calls: readonly Omit<CallSummary, 'recent'>[];
  readonly leaderChanges: number;
  /** Regions that got another primary, and how many entries of their logs that cost. */
  readonly promotions: number;
  readonly lostEntries: number;
  /** What the test players had and have; of the whole world where there were none. */
  readonly gold: Totals | undefined;
  readonly items: Totals | undefined;
  readonly replicas: readonly ReplicaStanding[];
  readonly invariants: readonly Invariant[];
}

export interface Findings {
  readonly world: string;
  /** From the command to the last node being ready. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Test players that were asked for; 0 for a world without a crowd. */
  readonly players: number;
  /** `undefined` when the crowd could not tell, or there was none. */
  readonly crowd: CrowdResult | undefined;
  /** The books of the whole world, counted last; `undefined` when no copy could be counted. */
  readonly holdings: HoldingsTotals | undefined;
  readonly leaderChanges: number;
  readonly promotions: number;
  readonly lostEntries: number;
  readonly nodes: readonly NodeFacts[];
  readonly replicas: readonly ReplicaStanding[];
}

export function reportOf(findings: Findings): Report {
  const { crowd, players } = findings;
  const calls = (crowd?.stats.calls ?? []).map(({ recent: _, ...call }) => call);
  const all = calls.find(({ call }) => call === ALL_CALLS);
  const invariants = [
    ...(players > 0 ? crowdInvariants(crowd) : []),
    ...(findings.holdings === undefined ? [] : [booksInvariant(findings.holdings)]),
    ...findings.replicas.map(replicaInvariant),
    nodesInvariant(findings.nodes),
  ];
  return {
    ok: invariants.every(({ held }) => held),
    world: findings.world,
    startMs: findings.startMs,
    durationMs: findings.durationMs,
    players: crowd?.stats.joined ?? 0,
    playersWanted: players,
    trades: crowd?.stats.trades ?? 0,
    crafted: crowd?.stats.crafted ?? 0,
    said: crowd?.stats.said ?? 0,
    outcomes: {
      done: all?.done ?? 0,
      rejected: all?.rejected ?? 0,
      unavailable: all?.unavailable ?? 0,
      uncertain: all?.uncertain ?? 0,
    },
    calls,
    leaderChanges: findings.leaderChanges,
    promotions: findings.promotions,
    lostEntries: findings.lostEntries,
    gold: crowd?.comparison.gold ?? findings.holdings?.gold,
    items: crowd?.comparison.items ?? findings.holdings?.items,
    replicas: findings.replicas,
    invariants,
  };
}

/** The report for people: what happened, then each invariant with its verdict. */
export function describeReport(report: Report): readonly Line[] {
  const { done, rejected, unavailable, uncertain } = report.outcomes;
  const lines: Line[] = [
    [piece('REPORT', 'strong'), piece(`  ${report.world}, ${formatDuration(report.durationMs)}`)],
    [piece(startAndChanges(report))],
  ];
  if (report.playersWanted > 0) {
    lines.push(
      [
        piece(`${playersOf(report)}, ${grouped(report.trades)} trades, `),
        piece(`${grouped(report.crafted)} crafts, ${grouped(report.said)} messages`),
      ],
      [
        piece(`outcomes: ${grouped(done)} done, ${grouped(rejected)} rejected, `),
        piece(`${grouped(unavailable)} unavailable, ${grouped(uncertain)} uncertain`),
      ],
      ...callLines(report.calls),
      ...totalsLines(report),
    );
  }
  lines.push(
    ...report.invariants.map((invariant): Line => {
      const { name, held, detail } = invariant;
      const verdict = held ? piece('  held    ', 'good') : piece('  BROKEN  ', 'bad');
      return [verdict, piece(name), piece(detail === '' ? '' : `: ${detail}`, 'faint')];
    }),
    report.ok
      ? [piece('Every invariant held.', 'good')]
      : [piece('Not every invariant held.', 'bad')],
  );
  return lines;
}

function startAndChanges({ startMs, leaderChanges, promotions, lostEntries }: Report): string {
  const start = `ready after ${formatDuration(startMs)}, leader changes ${leaderChanges}`;
  const entries = lostEntries === 1 ? '1 entry' : `${grouped(lostEntries)} entries`;
  const cost = promotions === 0 ? '' : `, which cost ${entries}`;
  return `${start}, promotions ${promotions}${cost}`;
}

function playersOf({ players, playersWanted }: Report): string {
  const came = players === playersWanted ? '' : `${grouped(players)} of `;
  return `${came}${grouped(playersWanted)} players`;
}

function crowdInvariants(crowd: CrowdResult | undefined): readonly Invariant[] {
  if (crowd === undefined) {
    const detail = 'the test players ended without telling what they found';
    return [{ name: 'the test players could check the world', held: false, detail }];
  }
  const { comparison, stats, absent } = crowd;
  const { gold, items, differences, described, uncertain } = comparison;
  return [
    {
      name: 'every player who came was let in',
      held: absent === 0,
      detail: comingDetail(absent, stats),
    },
    {
      name: 'players traded',
      held: stats.trades > 0,
      detail: `${grouped(stats.trades)} trades were acknowledged`,
    },
    totalsInvariant('gold is neither made nor lost', gold),
    totalsInvariant('items are neither made nor lost', items),
    {
      name: 'every player holds what was acknowledged',
      held: differences === 0,
      detail:
        differences > 0
          ? `${differences} differences: ${described.slice(0, 3).join('; ')}`
          : uncertain > 0
            ? `${uncertain} uncertain outcomes either happened or did not`
            : '',
    },
  ];
}

/** Players who were still on their way at the end are no fault, and must not look as if they had played. */
function comingDetail(absent: number, { joined, players }: CrowdResult['stats']): string {
  if (absent > 0) return `${grouped(absent)} of ${grouped(players)} were not`;
  const late = players - joined;
  return late > 0 ? `the other ${grouped(late)} had not come yet when it ended` : '';
}

function totalsInvariant(name: string, { expected, counted }: Totals): Invariant {
  const detail = `expected ${grouped(expected)}, counted ${grouped(counted)}`;
  return { name, held: expected === counted, detail };
}

function booksInvariant({ gold, items }: HoldingsTotals): Invariant {
  return {
    name: 'the books of the whole world balance',
    held: gold.expected === gold.counted && items.expected === items.counted,
    detail:
      `gold ${grouped(gold.expected)} minted, ${grouped(gold.counted)} held; ` +
      `items ${grouped(items.expected)} minted, ${grouped(items.counted)} held`,
  };
}

function replicaInvariant(standing: ReplicaStanding): Invariant {
  const { group, compared, members, trailing, index, isEqual } = standing;
  const away = trailing === 0 ? '' : `, ${trailing} not there yet`;
  return {
    name: `the copies of ${group} agree`,
    held: isEqual && compared > 0,
    detail: `${compared} of ${members} compared at index ${grouped(index)}${away}`,
  };
}

function nodesInvariant(nodes: readonly NodeFacts[]): Invariant {
  const told = (words: string, count: (facts: NodeFacts) => number): string[] =>
    nodes.filter((facts) => count(facts) > 0).map((facts) => `${facts.name} ${words} ${times(count(facts))}`);
  return {
    name: 'no node ended by itself',
    held: nodes.every(({ selfExits }) => selfExits === 0),
    detail: [
      ...told('ended', ({ selfExits }) => selfExits),
      ...told('was killed from outside', ({ outsideEnds }) => outsideEnds),
    ].join(', '),
  };
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function callLines(calls: Report['calls']): readonly Line[] {
  const columns = ['DONE', 'REJECTED', 'UNAVAIL.', 'UNCERT.', 'P50 MS', 'P99 MS', 'MAX MS'];
  const row = (first: string, cells: readonly string[]): string =>
    first.padEnd(17) + cells.map((cell) => cell.padStart(9)).join('');
  return [
    [piece(row('CALL', columns), 'faint')],
    ...calls.map((call): Line => {
      const counts = [call.done, call.rejected, call.unavailable, call.uncertain].map(grouped);
      const times = [call.p50Ms, call.p99Ms, call.maxMs].map(milliseconds);
      return [piece(row(call.call, [...counts, ...times]))];
    }),
  ];
}

function totalsLines({ gold, items }: Report): readonly Line[] {
  return ([['gold', gold], ['items', items]] as const).flatMap(([what, totals]): Line[] => {
    if (totals === undefined) return [];
    const text = `${what}: expected ${grouped(totals.expected)}, counted ${grouped(totals.counted)}`;
    return [[piece(text, totals.expected === totals.counted ? 'good' : 'bad')]];
  });
}
