// Invariants: promises that can be read off a history, or off final states, in one pass.
//
// `report` runs those that a history has something for; the simulator and the drills hand in what they saw
// themselves. They say less than a linearizability check, but in plain sentences, for every model, and also
// where a search would be too long. Each returns what is broken, one sentence each; looking ends after
// `SENTENCES_MAX` of them.
// A session is a process of the history.
import { type History, isObject, type Operation } from './history.ts';
import { openingOf } from './models/bank.ts';
import { amountOf, fieldsOf, nameOf } from './reading.ts';
import { inTime } from './schedule.ts';

/** Enough to see what is wrong. */
export const SENTENCES_MAX: number = 50;
/** What an observer may record beside the calls: no model knows it, the invariants below do. */
export const OBSERVATIONS: ReadonlySet<string> = new Set(['claim', 'primary', 'digest']);

/** What came of looking at one promise. */
export interface InvariantVerdict {
  readonly name: string;
  readonly held: boolean;
  /** What is broken, one sentence each. */
  readonly broken: readonly string[];
  /** What could not be looked at: then it may be broken for all that is known. None by default. */
  readonly open?: readonly string[];
  /** What else people want to know of it. */
  readonly remarks?: readonly string[];
}

export interface Claim {
  readonly name: string;
  readonly claimant: string;
}
export interface Appointment {
  readonly group: string;
  readonly epoch: number;
  readonly node: string;
}
export interface Standing {
  readonly group: string;
  /** How many entries it has applied. */
  readonly position: number;
  readonly node: string;
  readonly digest: string;
}

/**
 * Gold is conserved: every reading of a whole group adds up to what the group began with, plus what was
 * deposited, less what was withdrawn. What was under way during the reading may count or not.
 */
export function goldConserved(history: History): readonly string[] {
  const groups = new Map<string, Books>();
  const sentences = new Sentences();
  for (const [operation, isReturn] of inTime(history.operations)) {
    const { key } = operation;
    const books = groups.get(key) ?? new Books(openingGold(history, key));
    groups.set(key, books);
    const sentence = books.enter(operation, isReturn);
    if (sentence !== undefined) sentences.add(sentence);
  }
  return sentences.list;
}

/**
 * Each item is owned once: no item is in two inventories, nor twice in one. With `items`, each of them
 * is in one, and there are no others.
 */
export function itemsOwnedOnce(
  inventories: Iterable<readonly [player: string, items: readonly string[]]>,
  items?: Iterable<string>,
): readonly string[] {
  const sentences = new Sentences();
  const owners = new Map<string, string>();
  for (const [player, held] of inventories) {
    for (const item of held) {
      const other = owners.get(item);
      if (other !== undefined) sentences.add(`item ${item} is with ${other} and with ${player}`);
      owners.set(item, player);
    }
  }
  if (items === undefined) return sentences.list;
  const expected = new Set(items);
  for (const item of expected) {
    if (!owners.has(item)) sentences.add(`item ${item} is with nobody`);
  }
  for (const [item, owner] of owners) {
    if (!expected.has(item)) sentences.add(`item ${item} of ${owner} came from nowhere`);
  }
  return sentences.list;
}

/** A name is claimed once: all who were told that it is theirs are one. */
export function namesClaimedOnce(claims: Iterable<Claim>): readonly string[] {
  const claimants = new Map<string, string>();
  const sentences = new Sentences();
  for (const { name, claimant } of claims) {
    const first = claimants.get(name) ?? claimant;
    claimants.set(name, first);
    if (first !== claimant) sentences.add(`the name ${name} went to ${first} and to ${claimant}`);
  }
  return sentences.list;
}

/** A group has one primary, or leader, in an epoch, or term. */
export function onePrimaryPerEpoch(appointments: Iterable<Appointment>): readonly string[] {
  const primaries = new Map<string, string>();
  const sentences = new Sentences();
  for (const { group, epoch, node } of appointments) {
    const place = `${group} epoch ${epoch}`;
    const first = primaries.get(place) ?? node;
    primaries.set(place, first);
    if (first !== node) sentences.add(`${place} had two primaries: ${first} and ${node}`);
  }
  return sentences.list;
}

/** Replicas agree: where they have applied as many entries, their digests are equal. */
export function converged(standings: Iterable<Standing>): readonly string[] {
  const first = new Map<string, Standing>();
  const sentences = new Sentences();
  for (const standing of standings) {
    const { group, position, node, digest } = standing;
    const place = `${group} position ${position}`;
    const other = first.get(place) ?? standing;
    first.set(place, other);
    if (other.digest === digest) continue;
    sentences.add(`at ${place} ${other.node} has digest ${other.digest} and ${node} has ${digest}`);
  }
  return sentences.list;
}

/**
 * A session's reads of a key never go back: by `order` where answers carry one, and where a list is read
 * that only grows, by what is in it.
 */
export function monotonicReads(history: History): readonly string[] {
  const sentences = new Sentences();
  const last = new Map<string, Operation>();
  const growing = growingKeys(history);
  for (const operation of answered(history, isRead)) {
    const session = `${operation.process}\n${operation.key}\n${operation.f}`;
    const before = last.get(session);
    last.set(session, operation);
    if (before === undefined) continue;
    const lost = lostSince(before, operation, growing.has(operation.key));
    if (lost === undefined) continue;
    sentences.add(
      `process ${operation.process} read ${keyOf(operation)} in line ${before.returnedLine}, ` +
        `and in line ${operation.returnedLine} an older state: ${lost}`,
    );
  }
  return sentences.list;
}

/** A session's reads of a key show what it wrote itself, judged like `monotonicReads`. */
export function readYourWrites(history: History): readonly string[] {
  const sentences = new Sentences();
  const written = new Map<string, { highest: Operation; readonly elements: Map<string, number> }>();
  for (const operation of answered(history)) {
    const session = `${operation.process}\n${operation.key}`;
    const own = written.get(session);
    const { f, order, input, returnedLine } = operation;
    if (!isRead(operation)) {
      const next = own ?? { highest: operation, elements: new Map() };
      if ((order ?? -1) > (next.highest.order ?? -1)) next.highest = operation;
      if (f === 'append') next.elements.set(JSON.stringify(input), returnedLine);
      written.set(session, next);
      continue;
    }
    if (own === undefined) continue;
    const { highest, elements } = own;
    const reader = `line ${returnedLine}: process ${operation.process} reads ${keyOf(operation)}`;
    if (order !== undefined && highest.order !== undefined && order < highest.order) {
      const wrote = `its own write of line ${highest.returnedLine} has order ${highest.order}`;
      sentences.add(`${reader} at order ${order}, but ${wrote}`);
    }
    if (elements.size === 0 || !Array.isArray(operation.result)) continue;
    const shown = new Set(operation.result.map((element) => JSON.stringify(element)));
    for (const [element, line] of elements) {
      if (!shown.has(element)) sentences.add(`${reader} without ${element}, its own of line ${line}`);
    }
  }
  return sentences.list;
}

/** What an observer recorded as `claim`: the key is the name, the value who has it. */
export function claimsIn(history: History): readonly Claim[] {
  return observed(history, 'claim').map(({ operation, value }) => ({
    name: operation.key,
    claimant: nameOf(operation, value, 'who has the name as its value'),
  }));
}

/** What an observer recorded as `primary`: the key is the group, the value {epoch, node}. */
export function appointmentsIn(history: History): readonly Appointment[] {
  return observed(history, 'primary').map(({ operation, value }) => {
    const { epoch, node } = fieldsOf(operation, value, ['epoch', 'node']);
    return {
      group: operation.key,
      epoch: amountOf(operation, epoch, 'an epoch'),
      node: nameOf(operation, node, 'a node'),
    };
  });
}

/** What an observer recorded as `digest`: the key is the group, the value {position, node, digest}. */
export function standingsIn(history: History): readonly Standing[] {
  return observed(history, 'digest').map(({ operation, value }) => {
    const { position, node, digest } = fieldsOf(operation, value, ['position', 'node', 'digest']);
    return {
      group: operation.key,
      position: amountOf(operation, position, 'a position'),
      node: nameOf(operation, node, 'a node'),
      digest: nameOf(operation, digest, 'a digest'),
    };
  });
}

/** What players held when all was quiet: inventories asked for behind the last move. */
export function lastInventoriesIn(
  history: History,
): readonly (readonly [player: string, items: readonly string[]])[] {
  const moves = history.operations.filter(({ f }) => ['create', 'transfer', 'destroy'].includes(f));
  const uncertain = new Set(moves.filter(({ isKnown }) => !isKnown).map(({ key }) => key));
  const quietFrom = moves.reduce(
    (last, { isKnown, returnedLine }) => (isKnown ? Math.max(last, returnedLine) : last),
    0,
  );
  const last = new Map<string, readonly string[]>();
  for (const { f, key, result, invokedLine } of answered(history)) {
    if (f !== 'inventory' || invokedLine < quietFrom || !Array.isArray(result)) continue;
    // A move of unknown fate may happen between two readings, so that its item is seen twice.
    last.set(key, result.map(String).filter((item) => !uncertain.has(item)));
  }
  return [...last];
}

/** What came into a group and went out of it: certainly, and at most. */
class Books {
  readonly #opening: number;
  #inAtLeast = 0;
  #inAtMost = 0;
  #outAtLeast = 0;
  #outAtMost = 0;
  readonly #asked = new Map<Operation, { readonly inAtLeast: number; readonly outAtLeast: number }>();

  constructor(opening: number) {
    this.#opening = opening;
  }

  /** Enters an invocation or an answer; the sentence when a reading can not be true. */
  enter(operation: Operation, isReturn: boolean): string | undefined {
    const { f, input, rejected } = operation;
    const amount = isObject(input) ? Number(input['amount']) : 0;
    if (f === 'deposit' && rejected === undefined) {
      if (isReturn) this.#inAtLeast += amount;
      else this.#inAtMost += amount;
    } else if (f === 'withdraw' && rejected === undefined) {
      if (isReturn) this.#outAtLeast += amount;
      else this.#outAtMost += amount;
    } else if (f === 'read' && !isReturn) {
      this.#asked.set(operation, { inAtLeast: this.#inAtLeast, outAtLeast: this.#outAtLeast });
    } else if (f === 'read') {
      return this.#judge(operation);
    }
    return undefined;
  }

  #judge(operation: Operation): string | undefined {
    const { result, returnedLine, key } = operation;
    const asked = this.#asked.get(operation);
    this.#asked.delete(operation);
    if (!isObject(result) || asked === undefined) return undefined;
    const gold = Object.values(result).reduce<number>((sum, balance) => sum + Number(balance), 0);
    const least = this.#opening + asked.inAtLeast - this.#outAtMost;
    const most = this.#opening + this.#inAtMost - asked.outAtLeast;
    if (gold >= least && gold <= most) return undefined;
    const range = least === most ? `${least}` : `${least} to ${most}`;
    const group = key === '' ? 'the group' : `group ${key}`;
    return `line ${returnedLine}: ${group} holds ${gold} gold, it must be ${range}`;
  }
}

/** Each sentence once, and no more than are needed. */
export class Sentences {
  readonly list: string[] = [];

  add(sentence: string): void {
    const isNew = this.list.length < SENTENCES_MAX && !this.list.includes(sentence);
    if (isNew) this.list.push(sentence);
  }
}

function openingGold({ initial }: History, group: string): number {
  return [...openingOf(initial, group).values()].reduce((sum, balance) => sum + balance, 0);
}

function isRead({ f }: Operation): boolean {
  return f === 'read' || f === 'owner' || f === 'inventory';
}

/** Operations that were answered and not rejected, in the order of their answers. */
function answered(history: History, wanted: (operation: Operation) => boolean = () => true): Operation[] {
  const calls = history.operations.filter((operation) => {
    const { f, isKnown, rejected } = operation;
    return isKnown && rejected === undefined && !OBSERVATIONS.has(f) && wanted(operation);
  });
  return calls.sort((a, b) => a.returnedLine - b.returnedLine);
}

/** What was observed; the value of the answer, or else of the invocation. */
function observed(
  history: History,
  kind: string,
): readonly { readonly operation: Operation; readonly value: unknown }[] {
  return history.operations
    .filter(({ f, isKnown, rejected }) => f === kind && isKnown && rejected === undefined)
    .map((operation) => ({ operation, value: operation.result ?? operation.input }));
}

/** The keys of lists: what is in one stays in it. */
function growingKeys({ operations }: History): ReadonlySet<string> {
  return new Set(operations.filter(({ f }) => f === 'append').map(({ key }) => key));
}

/** What the later of two reads lacks; `undefined` when it is not older, as far as one can tell. */
function lostSince(before: Operation, after: Operation, isGrowing: boolean): string | undefined {
  if (before.order !== undefined && after.order !== undefined && after.order < before.order) {
    return `order ${after.order} after ${before.order}`;
  }
  if (!isGrowing || !Array.isArray(before.result) || !Array.isArray(after.result)) {
    return undefined;
  }
  const shown = new Set(after.result.map((element) => JSON.stringify(element)));
  const lost = before.result.find((element) => !shown.has(JSON.stringify(element)));
  return lost === undefined ? undefined : `${JSON.stringify(lost)} is missing`;
}

function keyOf({ key }: Operation): string {
  return key === '' ? 'the state' : `key ${key}`;
}
