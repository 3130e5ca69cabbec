// The report of a check: the verdict on a history, for people and for scripts.
//
// `bluemarble verify` prints it; the simulator and the drills put it beside the history. `reportOf` runs
// the checks, `describeReport` says in sentences what was found.
import { InvalidInputError } from '../base/errors.ts';
import type { History, Operation } from './history.ts';
import {
  appointmentsIn,
  claimsIn,
  converged,
  goldConserved,
  type InvariantVerdict,
  itemsOwnedOnce,
  lastInventoriesIn,
  monotonicReads,
  namesClaimedOnce,
  onePrimaryPerEpoch,
  readYourWrites,
  standingsIn,
} from './invariants.ts';
import type { Checker, CheckOptions, PartVerdict, Violation } from './linearizability.ts';
import { checkLog, LOG } from './log/log.ts';
import { stockCheckers } from './models.ts';
import { checkRegional, REGIONAL } from './regional/regional.ts';

/** The model of a history that is not linearizable by promise: only invariants are checked. */
export const NO_MODEL: string = 'none';
/** Models that search for no order: they read the history once. */
const READERS: ReadonlyMap<string, (history: History) => readonly InvariantVerdict[]> = new Map([
  [REGIONAL, checkRegional],
  [LOG, checkLog],
]);
/** Parts told one by one; of the others only the number. */
const PARTS_TOLD_MAX = 10;
const VALUE_LENGTH_MAX = 120;

export interface Report {
  /** `unknown`: a search was given up, or there was nothing to check. */
  readonly verdict: 'ok' | 'violated' | 'unknown';
  readonly model: string;
  readonly operations: number;
  /** Those that certainly had no effect, and those of which nobody knows. */
  readonly failed: number;
  readonly uncertain: number;
  readonly processes: number;
  readonly explored: number;
  readonly parts: Readonly<Record<PartVerdict['verdict'], number>>;
  readonly order: Readonly<Partial<Record<PartVerdict['order'], number>>>;
  readonly invariants: readonly InvariantVerdict[];
  /** Parts that are not ok, the first of them. */
  readonly findings: readonly PartVerdict[];
}

/** Checks a history. Throws `InvalidInputError` for a model nobody knows, and for what it can not read. */
export function reportOf(history: History, model: string, options: CheckOptions = {}): Report {
  const isSearched = model !== NO_MODEL && !READERS.has(model);
  const verdicts = isSearched ? checkerNamed(model).check(history, options) : [];
  const invariants = checkInvariants(history, model);
  const parts = { ok: 0, violated: 0, unknown: 0 };
  const order: Partial<Record<PartVerdict['order'], number>> = {};
  for (const part of verdicts) {
    parts[part.verdict] += 1;
    order[part.order] = (order[part.order] ?? 0) + 1;
  }
  const isViolated = parts.violated > 0 || invariants.some(({ held }) => !held);
  const { failed, uncertain, processes, operations } = history;
  // A recorder that wrote nothing down must not read as a system that kept its promises.
  const isJudged =
    verdicts.length + invariants.length > 0 && operations.some(({ isKnown }) => isKnown);
  const isOk = isJudged && parts.unknown === 0 && invariants.every(({ open }) => !isAny(open));
  return {
    verdict: isViolated ? 'violated' : isOk ? 'ok' : 'unknown',
    model,
    operations: operations.length,
    failed,
    uncertain,
    processes,
    explored: verdicts.reduce((sum, { explored }) => sum + explored, 0),
    parts,
    order,
    invariants,
    findings: [
      ...verdicts.filter(({ verdict }) => verdict === 'violated'),
      ...verdicts.filter(({ verdict }) => verdict === 'unknown'),
    ].slice(0, PARTS_TOLD_MAX),
  };
}

/** The report in lines for people. */
export function describeReport(report: Report): readonly string[] {
  const { model, operations, processes, failed, uncertain, parts, order, explored } = report;
  const total = parts.ok + parts.violated + parts.unknown;
  const lines = [
    `model ${model}: ${count(operations, 'operation')} of ${count(processes, 'process', 'processes')}` +
      `, ${failed} more without effect, ${uncertain} of unknown fate`,
  ];
  if (total > 0) {
    const orders = Object.entries(order).map(([what, number]) => `${ORDER_SAID.get(what)} in ${number}`);
    lines.push(
      `${count(total, 'part')}: ${parts.ok} linearizable, ${parts.violated} violated, ` +
        `${parts.unknown} unknown; the claimed order ${orders.join(', ')}`,
      `${count(explored, 'state')} explored`,
    );
  }
  for (const { name, held, broken, open = [], remarks = [] } of report.invariants) {
    const result = !held ? 'BROKEN ' : isAny(open) ? 'UNKNOWN' : 'held   ';
    lines.push(`  ${result} ${name}`, ...[...broken, ...open, ...remarks].map((one) => `            ${one}`));
  }
  for (const finding of report.findings) lines.push(...findingLines(finding));
  return [...lines, conclusionOf(report)];
}

function conclusionOf({ verdict, parts, invariants }: Report): string {
  if (verdict !== 'unknown') return CONCLUSIONS[verdict];
  if (parts.unknown > 0) return GIVEN_UP;
  return invariants.some(({ open }) => isAny(open)) ? NOT_ALL_SEEN : NOTHING_CHECKED;
}

function isAny(list: readonly string[] = []): boolean {
  return list.length > 0;
}

const CONCLUSIONS = {
  ok: 'OK: everything that was checked holds.',
  violated: 'VIOLATED: what was promised was not kept.',
} as const;
const GIVEN_UP = 'UNKNOWN: the budget of states ended before the search did; raise it with --states.';
const NOT_ALL_SEEN = 'UNKNOWN: the history does not show all that must be looked at.';
const NOTHING_CHECKED = 'UNKNOWN: it holds no answer that a model or an invariant speaks of.';
const ORDER_SAID: ReadonlyMap<string, string> = new Map([
  ['absent', 'is absent'],
  ['incomplete', 'is incomplete'],
  ['agrees', 'agrees'],
  ['contradicts', 'is wrong'],
  ['unchecked', 'is unchecked'],
]);

function checkInvariants(history: History, model: string): readonly InvariantVerdict[] {
  const [claims, appointments] = [claimsIn(history), appointmentsIn(history)];
  const [standings, inventories] = [standingsIn(history), lastInventoriesIn(history)];
  const reader = READERS.get(model);
  // Places of several logs are none of one order.
  const showsVersions =
    reader === undefined && history.operations.some(({ f, order }) => order !== undefined || f === 'append');
  const verdicts: InvariantVerdict[] = [...(reader?.(history) ?? [])];
  const check = (name: string, applies: boolean, find: () => readonly string[]): void => {
    if (!applies) return;
    const broken = find();
    verdicts.push({ name, held: broken.length === 0, broken });
  };
  check('gold is conserved', model === 'bank', () => goldConserved(history));
  check('each item is owned once', inventories.length > 0, () => itemsOwnedOnce(inventories));
  check('each name is claimed once', claims.length > 0, () => namesClaimedOnce(claims));
  check('one primary per epoch', appointments.length > 0, () => onePrimaryPerEpoch(appointments));
  check('replicas agree at equal positions', standings.length > 0, () => converged(standings));
  check('reads of a session never go back', showsVersions, () => monotonicReads(history));
  check('a session reads its own writes', showsVersions, () => readYourWrites(history));
  return verdicts;
}

function findingLines(finding: PartVerdict): readonly string[] {
  const { part, operations, violations, stuckAt } = finding;
  const name = part === '' ? 'the history' : `part ${part}`;
  const what = `${name} (${count(operations, 'operation')})`;
  if (stuckAt !== undefined) {
    return [`UNKNOWN   ${what}: no way found past`, `  ${describeOperation(stuckAt)}`];
  }
  return violations.flatMap((violation) => [
    `VIOLATED  ${what}: ${faultOf(violation)}`,
    `  ${describeOperation(violation.operation)}`,
    ...violationLines(violation),
  ]);
}

function faultOf({ fault, reason }: Violation): string {
  if (fault === 'not-linearizable') return 'no order explains this answer';
  if (reason === 'same-place') return 'two changes claim the same order';
  if (reason === 'goes-back') return 'the claimed order contradicts time';
  return 'the claimed order does not explain this answer';
}

function violationLines({ reason, states, beside, before, taken }: Violation): readonly string[] {
  if (reason !== 'no-state-fits') {
    const what = reason === 'same-place' ? 'the other' : 'answered before that was invoked';
    return [`  ${what}:`, ...beside.map((one) => `    ${describeOperation(one)}`)];
  }
  return [
    ...titled('it was tried on', states),
    ...titled('open at the same time', beside.map(describeOperation)),
    ...titled(`took effect before it, the last of ${taken}`, before.map(describeOperation)),
  ];
}

/** One operation in a line: where it stands, who asked what, and the answer. */
export function describeOperation(operation: Operation): string {
  const { invokedLine, returnedLine, process, f, key, input, order } = operation;
  const lines = operation.isKnown ? `${invokedLine}-${returnedLine}` : `${invokedLine}-`;
  const asked = [f, key, input === undefined ? '' : json(input)].filter((text) => text !== '');
  const place = order === undefined ? '' : ` (order ${order})`;
  return `line ${lines}: process ${process}: ${asked.join(' ')} -> ${answerOf(operation)}${place}`;
}

function answerOf({ isKnown, rejected, result }: Operation): string {
  if (!isKnown) return 'unknown fate';
  if (rejected !== undefined) return `rejected: ${rejected}`;
  return result === undefined ? 'ok' : json(result);
}

function json(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= VALUE_LENGTH_MAX ? text : `${text.slice(0, VALUE_LENGTH_MAX)}...`;
}

function titled(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`  ${title}:`, ...lines.map((line) => `    ${line}`)];
}

function count(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function checkerNamed(model: string): Checker {
  const checker = stockCheckers.get(model);
  if (checker !== undefined) return checker;
  const names = [...stockCheckers.keys(), ...READERS.keys(), NO_MODEL].join(', ');
  throw new InvalidInputError(`there is no model "${model}": name one of ${names}`);
}
