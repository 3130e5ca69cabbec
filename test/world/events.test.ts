import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../src/base/errors.ts';
import type { Audit, HoldingsView } from '../../src/wire/calls.ts';
import {
  encodeEvent,
  EVENT_BYTES_MAX,
  type EventBatch,
  type NumberedEvent,
} from '../../src/wire/events.ts';
import type { ChatMessage, Job, Workshop } from '../../src/wire/regional-calls.ts';
import { chatHeard } from '../../src/world/features/chat.ts';
import { itemConsumed } from '../../src/world/features/crafting-events.ts';
import { ALWAYS_EVENTS_MAX, LATEST_EVENTS_MAX, Outboxes } from '../../src/world/outboxes.ts';
import { type Answer, AskedGroup, START_MS } from '../support/asked-group.ts';
import { ASIA, ECONOMY, EU, LinkedLogs } from '../support/linked-logs.ts';

const numberOf = (batch: EventBatch | undefined): readonly number[] =>
  (batch?.events ?? []).map(({ number }) => number);
const worldOf = (log: AskedGroup): readonly ChatMessage[] => {
  const answer = log.query(1, 'chat.history', { channel: 'world' });
  return answer.kind === 'done' ? (answer.value as ChatMessage[]) : assert.fail(answer.reason);
};

test('events wait until they are acknowledged, and go out again until then', () => {
  const logs = new LinkedLogs();
  logs.eu.ask(1, 'chat.say', { channel: 'world', text: 'one' });
  logs.eu.ask(1, 'chat.say', { channel: 'world', text: 'two' });
  const batch = logs.pending(EU, ASIA) ?? assert.fail();
  assert.deepEqual([batch.origin, batch.to, batch.events.length], [EU, ASIA, 2]);
  const taken = logs.deliver(batch);
  assert.deepEqual(numberOf(logs.pending(EU, ASIA)), numberOf(batch));
  assert.deepEqual(logs.deliver(batch), taken);
  assert.equal(worldOf(logs.asia).length, 2);
  logs.acknowledge(EU, ASIA, taken);
  assert.equal(logs.pending(EU, ASIA), undefined);
});

test('nothing leaves before the entry that emitted it is committed', () => {
  const logs = new LinkedLogs();
  for (const text of ['one', 'two']) logs.eu.ask(1, 'chat.say', { channel: 'world', text });
  assert.equal(logs.pending(EU, ASIA, 0), undefined);
  assert.equal(logs.pending(EU, ASIA, 1)?.events.length, 1);
  assert.equal(logs.pending(EU, ASIA, 2)?.events.length, 2);
});

test('an old batch that comes late changes nothing, and acknowledges what is newer', () => {
  const logs = new LinkedLogs();
  logs.eu.ask(1, 'chat.say', { channel: 'world', text: 'one' });
  const old = logs.pending(EU, ASIA) ?? assert.fail();
  logs.eu.ask(1, 'chat.say', { channel: 'world', text: 'two' });
  const whole = logs.pending(EU, ASIA) ?? assert.fail();
  const taken = logs.deliver(whole);
  assert.deepEqual(logs.deliver(old), taken);
  assert.deepEqual(worldOf(logs.asia).map(({ text }) => text), ['one', 'two']);
});

test('a state that was put back to an older one uses no number twice', () => {
  const logs = new LinkedLogs();
  const old = logs.eu.machine.snapshot();
  logs.eu.ask(1, 'chat.say', { channel: 'world', text: 'forgotten' });
  logs.send(EU, ASIA);
  logs.eu.restore(old);
  logs.eu.index = 0;
  logs.wait(1);
  logs.eu.ask(1, 'chat.say', { channel: 'world', text: 'said anew' });
  logs.send(EU, ASIA);
  assert.deepEqual(worldOf(logs.asia).map(({ text }) => text), ['forgotten', 'said anew']);
});

test('an event that this world does not know, or can not read, is skipped, and the next is taken', () => {
  const logs = new LinkedLogs();
  const message = { channel: 'world', region: 'eu', number: 4, player: 1, text: 'hello', timeMs: 1 };
  const bodies = [
    new Uint8Array(0),
    new Uint8Array(40).fill(0xff),
    encodeEvent({ ...chatHeard, name: 'chat.unheard' }, message),
    Uint8Array.of(...encodeEvent(chatHeard, message), 0),
    encodeEvent(chatHeard, { ...message, channel: 'no word' }),
    encodeEvent(itemConsumed, { player: 9, job: 77, reason: '' }),
    encodeEvent(chatHeard, message),
  ];
  const events = bodies.map((body, place) => ({ number: place + 1, body }));
  assert.deepEqual(logs.deliver({ origin: EU, to: ASIA, events }), { upTo: 7 });
  assert.deepEqual(worldOf(logs.asia), [message]);
});

test('events that must arrive are refused beyond a limit; of others the oldest give way', () => {
  const outboxes = new Outboxes();
  const body = Uint8Array.of(1);
  const emit = (keep: 'always' | 'latest'): boolean =>
    outboxes.emit(7, body, { keep, order: 1, nowMs: 5 });
  for (let count = 0; count < ALWAYS_EVENTS_MAX; count++) assert.ok(emit('always'));
  assert.ok(!outboxes.hasRoom(7));
  assert.ok(!emit('always'));
  for (let count = 0; count < LATEST_EVENTS_MAX + 9; count++) assert.ok(emit('latest'));
  let [seen, last] = [0, 0];
  const next = (): readonly NumberedEvent[] =>
    outboxes.batches({ committed: 1, busy: [] })[0]?.events ?? [];
  assert.deepEqual(outboxes.batches({ committed: 1, busy: [7] }), []);
  for (let events = next(); events.length > 0; events = next()) {
    for (const { number } of events) {
      assert.ok(number > last);
      last = number;
      seen += 1;
    }
    outboxes.trim(7, last);
  }
  assert.equal(seen, ALWAYS_EVENTS_MAX + LATEST_EVENTS_MAX);
  assert.ok(outboxes.hasRoom(7));
  const large = new Uint8Array(EVENT_BYTES_MAX + 1);
  assert.throws(() => outboxes.emit(7, large, { keep: 'latest', order: 1, nowMs: 5 }), InvariantError);
});

test('a log takes nothing while its answers would find no room', () => {
  const logs = new LinkedLogs();
  logs.economy.ask(1, 'holdings.open');
  gatherFor(logs.eu, 1, 1);
  craft(logs.eu, 1, 2);
  const claim = logs.pending(EU, ECONOMY) ?? assert.fail();
  const { body } = claim.events[0] ?? assert.fail();
  // Numbers that no log would give out so fast fill the economy's way back.
  for (let number = 1; number <= ALWAYS_EVENTS_MAX; number++) {
    logs.deliver({ origin: EU, to: ECONOMY, events: [{ number, body }] });
  }
  assert.deepEqual(logs.deliver(claim), { upTo: ALWAYS_EVENTS_MAX });
  logs.send(ECONOMY, EU);
  assert.ok(logs.deliver(claim).upTo > ALWAYS_EVENTS_MAX);
});

/** Whatever is lost, doubled, late or begun anew: nothing is lost or doubled in the end. */
const anyRegion = fc.constantFrom(EU, ASIA);
const anyLog = fc.constantFrom(EU, ASIA, ECONOMY);
const anyFate = fc.constantFrom('whole', 'whole', 'answer lost', 'never acknowledged');
const anyStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('say' as const), at: anyRegion }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('craft' as const), at: anyRegion }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('collect' as const), at: anyRegion }) },
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      from: anyLog,
      to: anyLog,
      fate: anyFate,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('late' as const), back: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const), at: anyLog }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(4_000) }) },
);
type Step = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never;

test('whatever is lost, doubled or late between logs, rare items and messages arrive once', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 80, size: 'max' }), (steps) => {
      const run = new Run();
      for (const step of steps) run.take(step);
      run.end();
    }),
    { numRuns: 25 },
  );
});

class Run {
  readonly #logs = new LinkedLogs();
  readonly #sent: EventBatch[] = [];
  readonly #collected: Job[] = [];
  #said = 0;

  constructor() {
    for (const player of [EU, ASIA]) {
      this.#logs.economy.ask(player, 'holdings.open');
      gatherFor(this.#logs.log(player), player, 8);
    }
  }

  take(step: Step): void {
    switch (step.kind) {
      case 'say': {
        const text = `${step.at} ${this.#said++}`;
        this.#logs.log(step.at).ask(step.at, 'chat.say', { channel: 'world', text });
        break;
      }
      case 'craft':
        craft(this.#logs.log(step.at), step.at, this.#itemOf(step.at));
        break;
      case 'collect':
        this.#collect(step.at);
        break;
      case 'send':
        this.#send(step.from, step.to, step.fate);
        break;
      case 'late': {
        const batch = this.#sent.at(-1 - step.back);
        if (batch !== undefined) this.#logs.deliver(batch);
        break;
      }
      case 'restart':
        this.#logs.log(step.at).restart();
        break;
      case 'wait':
        this.#logs.wait(step.ms);
        break;
    }
    this.#audit();
  }

  end(): void {
    for (let round = 0; round < 20; round++) {
      this.#logs.settle();
      this.#logs.wait(5_000);
      for (const player of [EU, ASIA]) this.#collect(player);
    }
    for (const batch of this.#sent) this.#logs.deliver(batch);
    assert.deepEqual(worldOf(this.#logs.eu), worldOf(this.#logs.asia));
    const heard = worldOf(this.#logs.eu).map(({ region, number }) => `${region} ${number}`);
    assert.equal(new Set(heard).size, heard.length);
    const made = this.#collected.filter(({ state }) => state === 'made').map((job) => job.made);
    for (const player of [EU, ASIA]) assert.deepEqual(jobsOf(this.#logs.log(player), player), []);
    const held = [EU, ASIA].flatMap((player) => this.#itemsOf(player));
    assert.deepEqual(
      held.filter(({ kind }) => kind === 'sextant').map(({ id }) => id).sort((a, b) => a - b),
      made.sort((a, b) => a - b),
    );
    const { itemsMinted, itemsConsumed } = this.#audit();
    assert.equal(itemsConsumed, made.length);
    assert.equal(itemsMinted, 6 + made.length);
  }

  #itemOf(player: number): number {
    return this.#itemsOf(player).find(({ kind }) => kind === 'compass')?.id ?? 1;
  }

  #itemsOf(player: number): HoldingsView['items'] {
    const answer = this.#logs.economy.query(player, 'holdings.mine');
    return answer.kind === 'done' ? (answer.value as HoldingsView).items : assert.fail(answer.reason);
  }

  #collect(player: number): void {
    const log = this.#logs.log(player);
    for (const { job } of jobsOf(log, player)) {
      const answer = log.ask(player, 'crafting.collect', { job });
      if (answer.kind === 'done') this.#collected.push(answer.value as Job);
    }
  }

  #send(from: number, to: number, fate: string): void {
    const batch = this.#logs.pending(from, to);
    if (batch === undefined) return;
    this.#sent.push(batch);
    if (fate === 'never acknowledged') return;
    const taken = this.#logs.deliver(batch);
    if (fate === 'whole') this.#logs.acknowledge(from, to, taken);
  }

  #audit(): Audit {
    const answer = this.#logs.economy.query(0, 'holdings.audit');
    const audit = answer.kind === 'done' ? (answer.value as Audit) : assert.fail(answer.reason);
    assert.equal(audit.itemsMinted, audit.itemsHeld + audit.itemsLocked + audit.itemsConsumed);
    assert.ok(audit.itemsMinted - 6 <= audit.itemsConsumed);
    return audit;
  }
}

function jobsOf(log: AskedGroup, player: number): readonly Job[] {
  const answer = log.query(player, 'crafting.mine');
  return answer.kind === 'done' ? (answer.value as Workshop).jobs : assert.fail(answer.reason);
}

/** What so many sextants need. */
function gatherFor(log: AskedGroup, player: number, count: number): void {
  log.timeMs = START_MS - 1_000_000;
  for (let round = 0; round < count; round++) {
    for (const [material, product] of [['wood', 'plank'], ['stone', 'brick']] as const) {
      log.timeMs += 4_000;
      log.ask(player, 'crafting.gather', { material });
      const answer = log.ask(player, 'crafting.start', { recipe: product, item: null });
      const { job, finishesAtMs } = answer.kind === 'done' ? (answer.value as Job) : assert.fail();
      log.timeMs = finishesAtMs;
      log.ask(player, 'crafting.collect', { job });
    }
  }
  log.timeMs = START_MS;
}

function craft(log: AskedGroup, player: number, item: number): Answer {
  return log.ask(player, 'crafting.start', { recipe: 'sextant', item });
}
