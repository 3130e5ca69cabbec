// The verdict on a drill: what its histories, its final state and its copies say about the promises.
//
// `run.ts` gathers the findings and prints it. Pure: findings in, verdict out; `verify/` is the judge of
// histories.
import { formatDuration } from '../host/duration.ts';
import type { ReplicaStanding } from '../host/agreement.ts';
import type { HoldingsTotals, NodeFacts } from '../host/view.ts';
import type { History } from '../verify/history.ts';
import { itemsOwnedOnce, onePrimaryPerEpoch, type Appointment } from '../verify/invariants.ts';
import { describeReport, type Report, reportOf } from '../verify/report.ts';
import { check, type Check } from './check.ts';
import type { Standing } from './load.ts';
import { ownChecks, type OwnFindings } from './own-checks.ts';
import type { Book } from './recorder.ts';
import type { Totals } from './timeline.ts';

export interface Findings {
  /** How many traders were to come. */
  readonly players: number;
  /** All who were to come; else no fault came, and what the players did tells nothing. */
  readonly areAllIn: boolean;
  /** How many hit somebody. */
  readonly faults: number;
  readonly histories: ReadonlyMap<Book, { readonly model: string; readonly history: History }>;
  readonly opening: readonly Standing[];
  /** What everybody held in the end; fewer than in the beginning when some could not be told. */
  readonly closing: readonly Standing[];
  readonly totals: HoldingsTotals | undefined;
  readonly replicas: readonly ReplicaStanding[];
  readonly leaders: readonly Appointment[];
  readonly primaries: readonly Appointment[];
  /** Channels of regions that could not be read in the end, a sentence each. */
  readonly unread: readonly string[];
  /** Of a drill of a studio's features. */
  readonly own: OwnFindings | undefined;
  readonly nodes: readonly NodeFacts[];
  /** How long the world took to be whole again once the faults were over; `undefined`: it never was. */
  readonly settledMs: number | undefined;
}

export interface Verdict {
  readonly verdict: 'ok' | 'violated' | 'unknown';
  readonly checks: readonly Check[];
  readonly histories: Readonly<Record<string, Report>>;
}

export interface Story extends Totals {
  readonly leaderChanges: number;
  readonly promotions: number;
  /** Entries of regions' logs that promotions cost: none of them was acknowledged at quorum. */
  readonly lostEntries: number;
}

export function judge(findings: Findings): Verdict {
  const histories: Record<string, Report> = {};
  for (const [book, { model, history }] of findings.histories) {
    histories[book] = reportOf(history, model);
  }
  const checks = [
    everybodyCame(findings),
    faultsCame(findings),
    settled(findings),
    ...(findings.areAllIn ? [goldConserved(findings), itemsKept(findings)] : []),
    booksBalance(findings),
    copiesAgree(findings),
    check('one leader in a term', onePrimaryPerEpoch(findings.leaders)),
    check('one primary in an epoch', onePrimaryPerEpoch(findings.primaries)),
    ...(findings.areAllIn ? [check('every channel can be read in the end', findings.unread)] : []),
    ...(findings.own === undefined ? [] : ownChecks(findings.own)),
  ];
  const results = [
    ...checks.map(({ result }) => result),
    ...Object.values(histories).map(({ verdict }) => verdict),
  ];
  const isViolated = results.some((result) => result === 'broken' || result === 'violated');
  const verdict = isViolated ? 'violated' : results.includes('unknown') ? 'unknown' : 'ok';
  return { verdict, checks, histories };
}

/** The verdict in lines for people. */
export function describeVerdict({ verdict, checks, histories }: Verdict, story: Story): readonly string[] {
  const { counts, p50Ms, p99Ms, maxMs, leaderChanges, promotions, lostEntries } = story;
  const { done, rejected, unavailable, uncertain } = counts;
  return [
    `calls: ${done} done, ${rejected} rejected, ${unavailable} unavailable, ${uncertain} uncertain; ` +
      `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(0)} ms, longest ${maxMs.toFixed(0)} ms; ` +
      `${leaderChanges} leader changes; ${promotions} promotions, which cost ${lostEntries} entries`,
    ...Object.entries(histories).flatMap(([book, report]) => [
      `history of ${book}:`,
      ...describeReport(report).map((line) => `  ${line}`),
    ]),
    'the world:',
    ...checks.flatMap(({ name, result, sentences }) => [
      `  ${{ held: 'held   ', broken: 'BROKEN ', unknown: 'UNKNOWN' }[result]} ${name}`,
      ...sentences.map((sentence) => `            ${sentence}`),
    ]),
    CONCLUSIONS[verdict],
  ];
}

const CONCLUSIONS: Readonly<Record<Verdict['verdict'], string>> = {
  ok: 'OK: every promise was kept.',
  violated: 'VIOLATED: what was promised was not kept.',
  unknown: 'UNKNOWN: not everything could be looked at, or no fault came.',
};

function everybodyCame({ players, opening, areAllIn }: Findings): Check {
  const name = 'every player came in';
  if (areAllIn) return check(name, []);
  const missing = players - opening.length;
  const who = missing === 0 ? 'some residents' : `${missing} of ${players} traders`;
  return { name, result: 'unknown', sentences: [`${who} were not let in: no fault came`] };
}

/** A world that nobody attacked has shown nothing. */
function faultsCame({ faults, areAllIn }: Findings): Check {
  const name = 'faults hit the world';
  const sentences = areAllIn ? ['none of them found anybody'] : [];
  return faults > 0 ? check(name, []) : { name, result: 'unknown', sentences };
}

function settled({ settledMs, nodes }: Findings): Check {
  const name = 'the world is whole again by itself once faults end';
  if (settledMs !== undefined) {
    return { name, result: 'held', sentences: [`after ${formatDuration(settledMs)}`] };
  }
  const missing = nodes.filter(({ condition }) => condition !== 'up');
  const sentences = missing.map((node) => `${node.name} is ${node.condition}`);
  return { name, result: 'broken', sentences: [...sentences, 'it did not settle in time'] };
}

function goldConserved({ opening, closing }: Findings): Check {
  const name = 'the gold of all players is conserved';
  if (closing.length < opening.length) return { name, result: 'unknown', sentences: [] };
  const sum = (standings: readonly Standing[]): number =>
    standings.reduce((gold, { holdings }) => gold + holdings.gold + holdings.goldLocked, 0);
  const [before, after] = [sum(opening), sum(closing)];
  return check(name, before === after ? [] : [`${before} before, ${after} after`]);
}

function itemsKept({ opening, closing }: Findings): Check {
  const name = 'each item is with exactly one player';
  if (closing.length < opening.length) return { name, result: 'unknown', sentences: [] };
  const inventories = (standings: readonly Standing[]): (readonly [string, readonly string[]])[] =>
    standings.map(({ player, holdings }) => [player, holdings.items.map(({ id }) => String(id))]);
  const items = inventories(opening).flatMap(([, held]) => held);
  return check(name, itemsOwnedOnce(inventories(closing), items));
}

function booksBalance({ totals }: Findings): Check {
  const name = "the world's books balance";
  if (totals === undefined) return { name, result: 'unknown', sentences: [] };
  return check(
    name,
    (['gold', 'items'] as const).flatMap((what) => {
      const { expected, counted } = totals[what];
      return expected === counted ? [] : [`${what}: ${expected} minted, ${counted} there`];
    }),
  );
}

function copiesAgree({ replicas }: Findings): Check {
  const differing = replicas.filter(({ isEqual }) => !isEqual);
  const absent = replicas.filter(({ compared, members }) => compared < members);
  const name = 'all copies of a group or region are equal';
  const sentences = differing.map(({ group, index }) => `${group} at index ${index}`);
  if (sentences.length > 0 || absent.length === 0) return check(name, sentences);
  const described = absent.map(({ group, trailing, index }) =>
    trailing === 0 ? `${group}: a copy is missing` : `${group}: a copy is not at index ${index}`,
  );
  return { name, result: 'unknown', sentences: described };
}
