// What every carrier of the `Events` port must do, whatever is between the logs.
//
// A test hands in how to open one over logs that it is given; each promise of the port is one test. The
// logs are real state machines with a feature that writes down what it takes.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { StateMachine } from '../../src/protocols/state-machine.ts';
import type { Events, Published } from '../../src/runtime/ports.ts';
import {
  BATCH_BYTES_MAX,
  encodeEvent,
  type EventBatch,
  EVENT_BYTES_MAX,
  type EventShape,
} from '../../src/wire/events.ts';
import { integer, object, octets } from '../../src/wire/schema.ts';
import { type Feature, taker } from '../../src/world/feature.ts';
import { createGroupMachine } from '../../src/world/group-machine.ts';
import { NOWHERE } from './entry-context.ts';

export interface EventsBench {
  readonly events: Events;
  /** Whether a destination can be reached from now on. */
  setAway(to: number, isAway: boolean): void;
  /** Whether a destination's words are lost from now on, though it takes what comes. */
  setMute(to: number, isMute: boolean): void;
  /** Lets so much time pass that everything under way has come to its end. */
  settle(): void;
}

const TO = 7;
const ALSO_TO = 8;

interface Seen {
  readonly number: number;
  readonly padding: Uint8Array;
}

const seen: EventShape<Seen> = {
  name: 'witness.seen',
  args: object({ number: integer(0, 1_000_000), padding: octets(EVENT_BYTES_MAX) }),
};

class Witness {
  readonly taken: string[] = [];
  readonly machine: StateMachine;

  constructor(number: number) {
    const feature: Feature<null> = {
      name: 'witness',
      promise: 'regional',
      version: 1,
      needs: [],
      commands: {},
      queries: {},
      events: [
        taker(seen, (_state: null, args, { origin }) => {
          this.taken.push(`${origin}: ${args.number}`);
        }),
      ],
      create: () => null,
      advance() {},
      save() {},
      *load() {
        return null;
      },
    };
    this.machine = createGroupMachine([feature], { ...NOWHERE, number });
  }
}

function batch(origin: number, to: number, numbers: readonly number[], padding = 0): EventBatch {
  const events = numbers.map((number) => ({
    number,
    body: encodeEvent(seen, { number, padding: new Uint8Array(padding) }),
  }));
  return { origin, to, events };
}

/** A carrier that was just opened, between no origins and two destinations. */
interface Opened {
  readonly bench: EventsBench;
  readonly witness: Witness;
  readonly other: Witness;
  publish(sent: EventBatch): Published[];
}
type Begin = () => Opened;

/** `open` is given the state of each log that can be sent to. */
export function testEventsContract(
  carrier: string,
  open: (logs: ReadonlyMap<number, StateMachine>) => EventsBench,
): void {
  const begin: Begin = () => {
    const [witness, other] = [new Witness(TO), new Witness(ALSO_TO)];
    const bench = open(new Map([[TO, witness.machine], [ALSO_TO, other.machine]]));
    const publish = (sent: EventBatch): Published[] => {
      const told: Published[] = [];
      bench.events.publish(sent, (published) => told.push(published));
      return told;
    };
    return { bench, witness, other, publish };
  };
  testOrder(carrier, begin);
  testLosses(carrier, begin);
  testBounds(carrier, begin);
}

function testOrder(carrier: string, begin: Begin): void {
  test(`${carrier}: what is published is taken, in order, and told when it was`, () => {
    const { bench, witness, publish } = begin();
    const told = publish(batch(1, TO, [3, 5, 9]));
    bench.settle();
    assert.deepEqual(told, [{ kind: 'taken', upTo: 9 }]);
    assert.deepEqual(witness.taken, ['1: 3', '1: 5', '1: 9']);
    assert.deepEqual(publish(batch(1, TO, [11])), []);
    bench.settle();
    assert.equal(witness.taken.at(-1), '1: 11');
  });

  test(`${carrier}: what is published again is taken once`, () => {
    const { bench, witness, publish } = begin();
    for (const numbers of [[1, 2], [1, 2], [1, 2, 3], [2, 3]]) {
      const told = publish(batch(1, TO, numbers));
      bench.settle();
      assert.equal(told[0]?.kind, 'taken');
    }
    assert.deepEqual(witness.taken, ['1: 1', '1: 2', '1: 3']);
  });
}

function testLosses(carrier: string, begin: Begin): void {
  test(`${carrier}: a destination that is away gets everything when it is back`, () => {
    const { bench, witness, publish } = begin();
    bench.setAway(TO, true);
    const first = publish(batch(1, TO, [1, 2]));
    bench.settle();
    assert.deepEqual(first, [{ kind: 'unknown' }]);
    bench.setAway(TO, false);
    const second = publish(batch(1, TO, [1, 2, 3]));
    bench.settle();
    assert.deepEqual(second, [{ kind: 'taken', upTo: 3 }]);
    assert.deepEqual(witness.taken, ['1: 1', '1: 2', '1: 3']);
  });

  test(`${carrier}: whose word was lost is not taken to have taken, and takes nothing twice`, () => {
    const { bench, witness, publish } = begin();
    bench.setMute(TO, true);
    const first = publish(batch(1, TO, [1, 2]));
    bench.settle();
    assert.deepEqual(first, [{ kind: 'unknown' }]);
    bench.setMute(TO, false);
    const second = publish(batch(1, TO, [1, 2]));
    bench.settle();
    assert.deepEqual(second, [{ kind: 'taken', upTo: 2 }]);
    assert.deepEqual(witness.taken, ['1: 1', '1: 2']);
  });
}

function testBounds(carrier: string, begin: Begin): void {
  test(`${carrier}: origins do not wait for each other, nor destinations`, () => {
    const { bench, witness, other, publish } = begin();
    bench.setAway(ALSO_TO, true);
    const lost = publish(batch(1, ALSO_TO, [1]));
    const told = [publish(batch(1, TO, [4])), publish(batch(2, TO, [1]))];
    bench.settle();
    assert.deepEqual(told, [[{ kind: 'taken', upTo: 4 }], [{ kind: 'taken', upTo: 1 }]]);
    assert.deepEqual([...witness.taken].sort(), ['1: 4', '2: 1']);
    assert.deepEqual(lost, [{ kind: 'unknown' }]);
    assert.deepEqual(other.taken, []);
  });

  test(`${carrier}: a batch may be as large as any`, () => {
    const { bench, witness, publish } = begin();
    const padding = 1_900;
    const count = Math.floor(BATCH_BYTES_MAX / (padding + 64));
    const numbers = Array.from({ length: count }, (_, place) => place + 1);
    const told = publish(batch(1, TO, numbers, padding));
    bench.settle();
    assert.deepEqual(told, [{ kind: 'taken', upTo: count }]);
    assert.equal(witness.taken.length, count);
  });
}
