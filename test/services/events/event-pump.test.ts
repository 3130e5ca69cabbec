import assert from 'node:assert/strict';
import test from 'node:test';
import type { Published } from '../../../src/runtime/ports.ts';
import { EventPump } from '../../../src/services/events/event-pump.ts';
import type { EventBatch } from '../../../src/wire/events.ts';
import type { GroupAnswer } from '../../../src/wire/peer.ts';
import type { AskedGroup } from '../../support/asked-group.ts';
import { ASIA, EU, LinkedLogs } from '../../support/linked-logs.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** A pump for the region `eu`, which the test leads, commits and answers for. */
class Bench {
  readonly clock = new VirtualClock();
  readonly logs = new LinkedLogs();
  readonly pump: EventPump;
  readonly published: EventBatch[] = [];
  leads = true;
  committed = Number.MAX_SAFE_INTEGER;
  /** How a batch fares; by default it arrives. */
  fate: (batch: EventBatch) => Published = (batch) => ({
    kind: 'taken',
    ...this.logs.deliver(batch),
  });
  /** What becomes of a trim; by default it is applied. */
  trim: (command: Uint8Array) => GroupAnswer = (command) => ({
    kind: 'answered',
    reply: this.logs.eu.apply(command),
  });
  #said = 0;

  constructor() {
    const { eu } = this.logs;
    this.pump = new EventPump({
      clock: this.clock,
      events: {
        publish: (batch, told) => {
          this.published.push(batch);
          this.clock.wakeAt(this.clock.monotonicMs() + 10, () => told(this.fate(batch)));
        },
      },
      sources: [
        {
          number: EU,
          committed: () => (this.leads ? Math.min(this.committed, eu.index) : undefined),
          read: (request) => eu.machine.query(request, eu.index, eu.timeMs),
          propose: (command, answer) => answer(this.trim(command)),
        },
      ],
    });
    this.pump.start();
  }

  say(): void {
    this.#said += 1;
    const message = { channel: 'world', text: `${this.#said}` };
    this.logs.eu.ask(this.#said, 'chat.say', message);
    this.pump.changed(EU);
  }

  heard(at: AskedGroup = this.logs.asia): readonly string[] {
    const answer = at.query(1, 'chat.history', { channel: 'world' });
    const messages = answer.kind === 'done' ? answer.value : assert.fail();
    return (messages as { text: string }[]).map(({ text }) => text);
  }

  /** Batches for one destination: the others are away, unless the test has them. */
  get forAsia(): readonly EventBatch[] {
    return this.published.filter(({ to }) => to === ASIA);
  }
}

function toAsiaOnly(bench: Bench): void {
  const { fate } = bench;
  bench.fate = (batch) => (batch.to === ASIA ? fate(batch) : { kind: 'unknown' });
}

test('what is emitted arrives soon, and is then forgotten', () => {
  const bench = new Bench();
  toAsiaOnly(bench);
  for (let count = 0; count < 3; count++) bench.say();
  bench.clock.advance(30);
  assert.deepEqual(bench.heard(), ['1', '2', '3']);
  assert.equal(bench.forAsia.length, 1);
  assert.equal(bench.logs.pending(EU, ASIA), undefined);
});

test('nothing leaves before it is committed, nor from a copy that does not lead', () => {
  const bench = new Bench();
  toAsiaOnly(bench);
  bench.committed = 1;
  for (let count = 0; count < 2; count++) bench.say();
  bench.clock.advance(1_000);
  assert.deepEqual(bench.heard(), ['1']);
  bench.leads = false;
  bench.committed = 2;
  bench.clock.advance(1_000);
  assert.deepEqual(bench.heard(), ['1']);
  bench.leads = true;
  bench.clock.advance(1_000);
  assert.deepEqual(bench.heard(), ['1', '2']);
});

test('one batch is under way to a destination; what comes meanwhile follows in its order', () => {
  const bench = new Bench();
  toAsiaOnly(bench);
  bench.say();
  bench.clock.advance(6);
  bench.say();
  bench.say();
  bench.clock.advance(60);
  assert.deepEqual(bench.forAsia.map(({ events }) => events.length), [1, 2]);
  assert.deepEqual(bench.heard(), ['1', '2', '3']);
});

test('a destination that is away is asked again now and then, and holds up no other one', () => {
  const bench = new Bench();
  const { fate } = bench;
  bench.fate = (batch) =>
    batch.to === ASIA ? { kind: 'unknown' } : { kind: 'taken', upTo: Number.MAX_SAFE_INTEGER };
  bench.say();
  bench.clock.advance(1_000);
  const tries = bench.forAsia.length;
  assert.ok(tries >= 3 && tries <= 5, String(tries));
  assert.equal(bench.published.filter(({ to }) => to !== ASIA).length, 2);
  bench.fate = fate;
  bench.clock.advance(500);
  assert.deepEqual(bench.heard(), ['1']);
});

test('an answer that could not be written down is asked for again, and nothing arrives twice', () => {
  const bench = new Bench();
  toAsiaOnly(bench);
  const { trim } = bench;
  bench.trim = () => ({ kind: 'moved', leader: undefined, term: 0 });
  bench.say();
  bench.clock.advance(1_000);
  assert.ok(bench.forAsia.length > 1);
  bench.trim = trim;
  bench.clock.advance(500);
  assert.deepEqual(bench.heard(), ['1']);
  assert.equal(bench.logs.pending(EU, ASIA), undefined);
});

test('a pump that has stopped leaves nothing behind', () => {
  const bench = new Bench();
  bench.say();
  bench.pump.stop();
  bench.clock.advance(1_000);
  assert.deepEqual(bench.published, []);
  assert.equal(bench.clock.timers, 0);
});
