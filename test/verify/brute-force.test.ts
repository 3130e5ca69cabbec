import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Random } from '../../src/base/random.ts';
import { checkerOf } from '../../src/verify/linearizability.ts';
import type { Action, Model } from '../../src/verify/model.ts';
import { appendList } from '../../src/verify/models/append-list.ts';
import { bank } from '../../src/verify/models/bank.ts';
import { counter } from '../../src/verify/models/counter.ts';
import { lock } from '../../src/verify/models/lock.ts';
import { ownership } from '../../src/verify/models/ownership.ts';
import { register } from '../../src/verify/models/register.ts';
import { bruteForce, type Event, historyOf, play, type Truth } from '../support/histories.ts';
import {
  bankTruth,
  counterTruth,
  listTruth,
  lockTruth,
  ownershipTruth,
  registerTruth,
} from '../support/truths.ts';

const BALANCES: Event = { type: 'init', value: { a0: 3, a1: 3, a2: 3 } };

agreesWithBruteForce('register', register, () => registerTruth(3));
agreesWithBruteForce('counter', counter, () => counterTruth());
agreesWithBruteForce('bank', bank, () => bankTruth(3, 3), BALANCES);
agreesWithBruteForce('ownership', ownership, () => ownershipTruth(2, 2, false));
agreesWithBruteForce('ownership with inventories', ownership, () => ownershipTruth(2, 2, true));
agreesWithBruteForce('lock', lock, () => lockTruth());
agreesWithBruteForce('list', appendList, () => listTruth());

function agreesWithBruteForce<State, Step extends Action>(
  name: string,
  model: Model<State, Step>,
  newTruth: () => Truth,
  ...head: readonly Event[]
): void {
  const checker = checkerOf(model);
  const faultsIn = (events: readonly Event[]): readonly string[] =>
    checker.check(historyOf([...head, ...events])).flatMap(({ verdict, violations }) => {
      assert.notEqual(verdict, 'unknown');
      return violations.map(({ fault }) => fault);
    });
  const drawn = fc.record({ seed: fc.nat(), uncertainPercent: fc.constantFrom(0, 0, 30) });

  test(`${name}: what a right world answered is accepted, with the order that it claims and without`, () => {
    fc.assert(
      fc.property(drawn, fc.boolean(), ({ seed, uncertainPercent }, isOrdered) => {
        const options = { operations: 40, clients: 5, uncertainPercent, isOrdered };
        assert.deepEqual(faultsIn(play(newTruth(), new Random(seed), options)), []);
      }),
      { numRuns: 100 },
    );
  });

  test(`${name}: of a few operations exactly those are rejected that no order explains`, () => {
    fc.assert(
      fc.property(drawn, ({ seed, uncertainPercent }) => {
        const random = new Random(seed);
        const options = { operations: 7, clients: 4, uncertainPercent, isOrdered: true };
        const claimed = broken(play(newTruth(), random, options), random);
        const events = claimed.map(({ order: _, ...event }) => event);
        const isPossible = bruteForce(model, historyOf([...head, ...events]));
        // One false answer can break two parts, where two answers were exchanged.
        const faults = [...new Set(faultsIn(events))];
        assert.deepEqual(faults, isPossible ? [] : ['not-linearizable']);
        // A false answer may contradict the order that was claimed, or be explained in that order too.
        assert.equal(faultsIn(claimed).includes('not-linearizable'), !isPossible);
      }),
      { numRuns: 300 },
    );
  });
}

test('the ways that blame passes over lead nowhere: the verdicts are the same without places', () => {
  const blind: typeof bank = {
    ...bank,
    open(part) {
      const { places: _, ...problem } = bank.open(part);
      return problem;
    },
  };
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const random = new Random(seed);
      const options = { operations: 24, clients: 5, uncertainPercent: 10 };
      const events = broken(play(bankTruth(3, 3, { readPercent: 40 }), random, options), random);
      const history = historyOf([BALANCES, ...events]);
      const findings = [bank, blind].map((model) =>
        checkerOf(model)
          .check(history)
          .map(({ verdict, violations }) => [verdict, violations[0]?.operation.returnedLine]),
      );
      assert.deepEqual(findings[0], findings[1]);
    }),
    { numRuns: 300 },
  );
});

/** The events with one thing that is not as it was: two answers exchanged, one early, or one disowned. */
function broken(events: readonly Event[], random: Random): Event[] {
  const changed = [...events];
  const answers = [...changed.keys()].filter((at) => changed[at]?.type === 'ok');
  const one = random.pick(answers);
  if (one === undefined) return changed;
  const alike = answers.filter((at) => isAlike(changed[at], changed[one]));
  const other = random.pick(alike) ?? one;
  const [first, second] = [changed[one], changed[other]];
  if (first === undefined || second === undefined) return changed;
  const kind = random.integer(0, 2);
  if (kind === 0) {
    changed[one] = { ...first, value: second.value };
    changed[other] = { ...second, value: first.value };
  } else if (kind === 1) {
    changed.splice(one, 1);
    const invoked = changed.findLastIndex((event, at) => at < one && event.process === first.process);
    changed.splice(invoked + 1, 0, first);
  } else {
    const { value: _, order: __, ...rest } = first;
    changed[one] = { ...rest, type: 'fail' };
  }
  return changed;
}

/** Whether each of two answers could be the other's, as far as its form goes. */
function isAlike(one: Event | undefined, other: Event | undefined): boolean {
  const form = (event: Event | undefined): string => {
    const isRejected = Object.hasOwn(Object(event?.value), 'rejected');
    const fields = isRejected || event?.value === null ? '' : Object.keys(Object(event?.value)).join();
    return `${event?.f} ${event?.key} ${event?.f === 'read' ? typeof event.value : ''} ${fields}`;
  };
  return Array.isArray(one?.value) ? one.f === other?.f : form(one) === form(other);
}
