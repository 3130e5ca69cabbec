// Histories for tests: written by hand in a few words, drawn at random, and judged by brute force.
//
// `play` lets clients take turns at random against a sequential truth, so that each operation takes effect
// at one instant between invocation and answer. `bruteForce` tries every order there is.
import type { Random } from '../../src/base/random.ts';
import { type History, HistoryReader, type Operation } from '../../src/verify/history.ts';
import { type Action, type Model, partsByKey, type Problem } from '../../src/verify/model.ts';

export interface Event {
  readonly process?: number;
  readonly type: 'init' | 'invoke' | 'ok' | 'fail' | 'info';
  readonly f?: string;
  readonly key?: string | number;
  readonly value?: unknown;
  readonly order?: number;
  readonly model?: string;
}

/** The history of these events, one after the other. */
export function historyOf(events: readonly Event[]): History {
  const reader = new HistoryReader();
  for (const [time, event] of events.entries()) {
    reader.event(event.type === 'init' ? event : { time, ...event });
  }
  return reader.finish();
}

/**
 * A history in short: each line is `process f value` for an invocation, `process = answer` for an ok,
 * `process ! reason` for a rejection, `process ?` for unknown and `process x` for a failure. An answer may
 * end in `@order`. Values are JSON without spaces, the first line may be `init value`.
 */
export function told(text: string, key?: string): History {
  const open = new Map<string, string>();
  const events: Event[] = [];
  for (const line of text.trim().split('\n')) {
    const [who = '', what = '', ...rest] = line.trim().split(' ');
    if (who === 'init') {
      events.push({ type: 'init', value: JSON.parse(what) });
      continue;
    }
    const order = rest.find((word) => word.startsWith('@'));
    const value = rest.find((word) => !word.startsWith('@'));
    const common = {
      process: Number(who),
      ...(key === undefined ? {} : { key }),
      ...(order === undefined ? {} : { order: Number(order.slice(1)) }),
    };
    const f = open.get(who) ?? '';
    if (what === '=') {
      events.push({ ...common, type: 'ok', f, ...(value === undefined ? {} : { value: JSON.parse(value) }) });
    } else if (what === '!') events.push({ ...common, type: 'ok', f, value: { rejected: value } });
    else if (what === '?') events.push({ ...common, type: 'info', f });
    else if (what === 'x') events.push({ ...common, type: 'fail', f });
    else {
      open.set(who, what);
      const asked = value === undefined ? {} : { value: JSON.parse(value) };
      events.push({ ...common, type: 'invoke', f: what, ...asked });
    }
  }
  return historyOf(events);
}

/** Whether any order of the operations is possible, by trying them all. */
export function bruteForce<State, Step extends Action>(
  model: Model<State, Step>,
  history: History,
): boolean {
  const { operations, initial } = history;
  return (model.partsOf ?? partsByKey)(operations, initial).every((part) =>
    anyOrder(model.open(part), part.operations),
  );
}

function anyOrder<State, Step extends Action>(
  problem: Problem<State, Step>,
  operations: readonly Operation[],
): boolean {
  const used = new Set<number>();
  const from = (state: State): boolean => {
    const left = operations.map((_, index) => index).filter((index) => !used.has(index));
    if (left.every((index) => operations[index]?.isKnown !== true)) return true;
    const earliest = Math.min(...left.map((index) => operations[index]?.returnedLine ?? 0));
    return left.some((index) => {
      if ((operations[index]?.invokedLine ?? 0) > earliest) return false;
      const action = problem.actions[index];
      const after = action === undefined ? state : problem.step(state, action);
      if (after === undefined) return false;
      used.add(index);
      const isPossible = from(after);
      used.delete(index);
      return isPossible;
    });
  };
  return from(problem.initial);
}

/** A world that answers one call at a time. */
export interface Truth {
  /** The next call of a client. */
  ask(random: Random): Call;
  /** Makes it happen and answers it. */
  answer(call: Call): unknown;
}

export interface Call {
  readonly f: string;
  readonly key?: string;
  readonly value?: unknown;
}

export interface Play {
  readonly operations: number;
  readonly clients: number;
  /** Of a hundred operations, so many are never answered; half of them happen. */
  readonly uncertainPercent?: number;
  readonly isOrdered?: boolean;
}

interface UnderWay {
  readonly call: Call;
  readonly process: number;
  readonly fate: 'ok' | 'late' | 'never';
  answer?: unknown;
  order?: number;
}

/** Events of clients that overlap at random, each taking effect at an instant of its own. */
export function play(truth: Truth, random: Random, options: Play): Event[] {
  const { operations, clients, uncertainPercent = 0, isOrdered = false } = options;
  const events: Event[] = [];
  const idle = Array.from({ length: clients }, (_, process) => process);
  const asked: UnderWay[] = [];
  const answered: UnderWay[] = [];
  let [begun, order, processes] = [0, 0, clients];
  while (begun < operations || asked.length + answered.length > 0) {
    const choice = random.integer(0, 2);
    if (choice === 0 && begun < operations && idle.length > 0) {
      const process = idle.splice(random.integer(0, idle.length - 1), 1)[0] ?? 0;
      const isUncertain = random.chance(uncertainPercent, 100);
      const fate = !isUncertain ? 'ok' : random.chance(1, 2) ? 'late' : 'never';
      const call = truth.ask(random);
      events.push({ process, type: 'invoke', ...call });
      begun += 1;
      if (fate !== 'ok') {
        events.push({ process, type: 'info', f: call.f, ...on(call) });
        idle.push(processes++);
      }
      if (fate !== 'never') asked.push({ call, process, fate });
    } else if (choice === 1 && asked.length > 0) {
      const [call] = asked.splice(random.integer(0, asked.length - 1), 1);
      if (call === undefined) continue;
      call.answer = truth.answer(call.call);
      const isRead = call.call.f === 'read' || call.call.f === 'owner' || call.call.f === 'inventory';
      if (!isRead) order += 1;
      call.order = order;
      if (call.fate === 'ok') answered.push(call);
    } else if (choice === 2 && answered.length > 0) {
      const [call] = answered.splice(random.integer(0, answered.length - 1), 1);
      if (call === undefined) continue;
      const { f } = call.call;
      const place = isOrdered && call.order !== undefined ? { order: call.order } : {};
      events.push({ process: call.process, type: 'ok', f, ...on(call.call), value: call.answer, ...place });
      idle.push(call.process);
    }
  }
  return events;
}

function on({ key }: Call): { readonly key?: string } {
  return key === undefined ? {} : { key };
}
