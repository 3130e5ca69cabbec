// The model `regional`: what players were told of regions, judged against what that promise says.
//
// `report` runs it. It is no sequential truth: a copy may answer with an older state, and what one disk
// acknowledged may be lost. So nothing is searched. The history is read once, in the order of its lines,
// and each answer is judged by what had been acknowledged by then.
// docs/histories.md names the operations. Times are milliseconds.
import type { History, Operation } from '../history.ts';
import { type InvariantVerdict, OBSERVATIONS } from '../invariants.ts';
import { amountOf, fieldsOf, refuse } from '../reading.ts';
import { inTime } from '../schedule.ts';
import { type Facts, factsOf, regionOf } from './calls.ts';
import { Channels } from './channels.ts';
import { Findings } from './findings.ts';
import { RareItems } from './rare-items.ts';
import { Sessions } from './sessions.ts';
import { Workshops } from './workshops.ts';

/** Its name, as `--model` takes it. */
export const REGIONAL: string = 'regional';

/** Throws `InvalidInputError` for what it can not read. */
export function checkRegional(history: History): readonly InvariantVerdict[] {
  if (history.operations.length === 0) return [];
  const judge = new Judge(factsOf(history.initial));
  for (const [operation, isReturn] of inTime(history.operations)) {
    if (OBSERVATIONS.has(operation.f)) continue;
    if (isReturn) judge.answered(operation);
    else judge.asked(operation);
  }
  return judge.finish();
}

class Judge {
  readonly #findings = new Findings();
  readonly #channels: Channels;
  readonly #workshops: Workshops;
  readonly #sessions: Sessions;
  readonly #items = new RareItems();
  readonly #entered = new Set<string>();
  /** Everything is whole, and nobody changes anything any more. */
  #isWhole = false;
  #standing: number | undefined;

  constructor(facts: Facts) {
    this.#channels = new Channels(facts, this.#findings);
    this.#workshops = new Workshops(this.#findings);
    this.#sessions = new Sessions(this.#findings);
  }

  asked(operation: Operation): void {
    const { f, rejected } = operation;
    if (!FUNCTIONS.has(f)) refuse(operation, `is nothing that the model ${REGIONAL} knows`);
    if (f !== 'crafting.start' && f !== 'crafting.collect') return;
    this.#workshops.asked(operation);
    if (rejected === undefined) this.#items.asked(operation);
  }

  answered(operation: Operation): void {
    const { f, rejected } = operation;
    if (rejected !== undefined) {
      if (f === 'crafting.collect') this.#workshops.refused(operation);
      return;
    }
    switch (f) {
      case 'chat.say':
        this.#channels.said(operation);
        return this.#sessions.did(operation);
      case 'chat.history':
        this.#channels.heard(operation, this.#isWhole);
        return this.#sessions.read(operation);
      case 'crafting.gather':
        this.#workshops.gathered(operation);
        return this.#sessions.did(operation);
      case 'crafting.start':
        this.#workshops.started(operation);
        return this.#sessions.did(operation);
      case 'crafting.collect':
        this.#workshops.collected(operation);
        return this.#sessions.did(operation);
      case 'crafting.mine':
        this.#workshops.looked(operation);
        this.#items.looked(operation);
        return this.#sessions.read(operation);
      case 'holdings.mine':
        return this.#items.held(operation);
      case 'enter':
        return void this.#entered.add(operation.process);
      default:
        return this.#observed(operation);
    }
  }

  finish(): readonly InvariantVerdict[] {
    const { lost, unseen, disordered } = this.#findings;
    this.#channels.judgeOrderOfSaying();
    const { count } = this.#channels;
    const { paid, unaccounted } = this.#findings.account();
    const cost = paid === 0 ? [] : [`${paid} of ${count} messages and their like are owned up to`];
    const { unread, differing } = this.#channels.compareLast();
    const { broken, open, made } = this.#items.finish();
    const silent = count === 0 ? ['no message was acknowledged'] : [];
    return [
      verdict('what a quorum or all copies acknowledged is there', lost.list, [...silent, ...unread]),
      verdict('what one disk acknowledged is there, or a promotion owns up to it', unaccounted, silent, cost),
      verdict('everybody sees his own writes, and nothing older than he allows', unseen.list, silent),
      verdict('channels keep their order', disordered.list, silent),
      verdict('all regions show the same world channel', differing, unread),
      verdict('workshops take and make each rare item once', broken, open, [`${made} made`]),
      this.#standOnce(),
    ];
  }

  #standOnce(): InvariantVerdict {
    const residents = this.#entered.size;
    const standing = this.#standing;
    const open = standing === undefined ? ['nobody counted in the end'] : [];
    const isSo = standing === undefined || standing === residents;
    const broken = isSo ? [] : [`${residents} residents, ${standing} stand in the regions`];
    return verdict('every resident stands in the world once', broken, open);
  }

  #observed(operation: Operation): void {
    const { f, input, result } = operation;
    const value = result ?? input;
    switch (f) {
      case 'lost': {
        const { from, to } = fieldsOf(operation, value, ['from', 'to']);
        return this.#findings.cost({
          region: regionOf(operation),
          from: amountOf(operation, from, 'a place'),
          to: amountOf(operation, to, 'a place'),
        });
      }
      case 'standing':
        this.#standing = amountOf(operation, fieldsOf(operation, value, ['players'])['players'], 'a count');
        return;
      default:
        this.#isWhole = true;
    }
  }
}

/** Calls, and what an observer adds: `lost`, `whole` and `standing`. */
const FUNCTIONS: ReadonlySet<string> = new Set([
  'chat.say',
  'chat.history',
  'crafting.gather',
  'crafting.start',
  'crafting.collect',
  'crafting.mine',
  'holdings.mine',
  'enter',
  'lost',
  'whole',
  'standing',
]);

function verdict(
  name: string,
  broken: readonly string[],
  open: readonly string[],
  remarks: readonly string[] = [],
): InvariantVerdict {
  return { name, held: broken.length === 0, broken, open, remarks };
}
