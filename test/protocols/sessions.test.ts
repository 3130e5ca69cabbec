// Exactly once: thesis 6.3. The inner machine here is a list of everything it was given.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../src/base/bytes.ts';
import { CorruptionError, InvalidInputError } from '../../src/base/errors.ts';
import {
  exactlyOnce,
  type SessionHead,
  type SessionOptions,
} from '../../src/protocols/sessions.ts';
import type { Applied, AppliedEntry, StateMachine } from '../../src/protocols/state-machine.ts';

const DAY_MS = 86_400_000;
const WINDOW = 256;

test('a repeat gets the first answer, byte for byte, and is not applied again', () => {
  const group = new TestGroup();
  const first = group.ask({ session: 1, number: 1 });
  group.ask({ session: 2, number: 1 });
  assert.equal(group.ask({ session: 1, number: 1 }), first);
  assert.deepEqual(group.applied(), ['1/1', '2/1']);
});

test('a repeat tells nobody anything again', () => {
  const group = new TestGroup();
  assert.equal(group.apply({ session: 1, number: 1 }).notices.length, 1);
  assert.equal(group.apply({ session: 1, number: 1 }).notices.length, 0);
});

test('commands of our own services have no session and are applied each time', () => {
  const group = new TestGroup();
  group.ask({ session: 0, number: 0 });
  group.ask({ session: 0, number: 0, sessionExpiresAtMs: 0 });
  assert.deepEqual(group.applied(), ['0/0', '0/0']);
});

test('bytes that are no command go to the inner machine, which refuses them', () => {
  const group = new TestGroup();
  const entry = { index: 1, timeMs: 1, command: new Uint8Array(0) };
  assert.equal(textOf(group.machine.apply(entry)), 'unreadable');
});

test('numbers are applied in the order in which they come, each once', () => {
  const group = new TestGroup();
  for (const number of [3, 1, 3, 2, 1, 2]) group.ask({ session: 1, number });
  assert.deepEqual(group.applied(), ['1/3', '1/1', '1/2']);
});

test('an answer is forgotten on the word of the client, and its number then refused', () => {
  const group = new TestGroup();
  group.ask({ session: 1, number: 1 });
  group.ask({ session: 1, number: 2 });
  group.ask({ session: 1, number: 4, answeredBelow: 3 });
  assert.equal(group.ask({ session: 1, number: 1 }), 'already-answered');
  assert.equal(group.ask({ session: 1, number: 2 }), 'already-answered');
  assert.equal(group.ask({ session: 1, number: 3 }), 'order 6');
  assert.deepEqual(group.applied(), ['1/1', '1/2', '1/4', '1/3']);
});

test('a number that never was is refused', () => {
  const group = new TestGroup();
  assert.equal(group.ask({ session: 1, number: 0, answeredBelow: 0 }), 'already-answered');
  assert.deepEqual(group.applied(), []);
});

test('what was said to be answered is not taken back by a later message', () => {
  const group = new TestGroup();
  group.ask({ session: 1, number: 9, answeredBelow: 9 });
  group.ask({ session: 1, number: 10, answeredBelow: 2 });
  assert.equal(group.ask({ session: 1, number: 5, answeredBelow: 1 }), 'already-answered');
});

test('a command that calls itself answered is applied all the same', () => {
  const group = new TestGroup();
  const first = group.ask({ session: 1, number: 4, answeredBelow: 100 });
  assert.equal(first, 'order 1');
  assert.equal(group.ask({ session: 1, number: 4, answeredBelow: 100 }), first);
});

test('a number beyond the window is refused, and applied once the window has moved', () => {
  const group = new TestGroup();
  assert.equal(group.ask({ session: 1, number: WINDOW, answeredBelow: 1 }), 'order 1');
  const beyond = { session: 1, number: WINDOW + 1 };
  assert.equal(group.ask({ ...beyond, answeredBelow: 1 }), 'too-many-outstanding');
  assert.equal(group.ask({ ...beyond, answeredBelow: 2 }), 'order 3');
});

test('a session remembers a window of answers and not one more', () => {
  const group = new TestGroup();
  for (let number = 1; number <= WINDOW; number++) group.ask({ session: 1, number });
  assert.equal(group.ask({ session: 1, number: WINDOW + 1 }), 'too-many-outstanding');
  for (let number = 1; number <= WINDOW; number++) {
    assert.equal(group.ask({ session: 1, number }), `order ${number}`);
  }
});

test('nothing of an expired session is applied or repeated, though it was never seen', () => {
  const group = new TestGroup();
  group.ask({ session: 1, number: 1 });
  group.timeMs = DAY_MS - 1;
  assert.equal(group.ask({ session: 1, number: 1 }), 'order 1');
  group.timeMs = DAY_MS;
  assert.equal(group.ask({ session: 1, number: 1 }), 'session-expired');
  assert.equal(group.ask({ session: 1, number: 2 }), 'session-expired');
  assert.equal(group.ask({ session: 2, number: 1 }), 'session-expired');
  assert.deepEqual(group.applied(), ['1/1']);
});

test('a session that ended is dropped by any entry, and makes room for another', () => {
  const group = new TestGroup({ sessionsMax: 1 });
  const empty = group.machine.snapshot().length;
  group.ask({ session: 1, number: 1 });
  assert.equal(group.ask({ session: 2, number: 1 }), 'too-many-sessions');
  group.timeMs = DAY_MS;
  const later = { sessionExpiresAtMs: 2 * DAY_MS, number: 1 };
  group.apply({ session: 0, number: 0 });
  assert.equal(group.machine.snapshot().length, empty + group.innerBytes());
  assert.equal(group.ask({ session: 2, ...later }), 'order 4');
});

test('sessions end in the order of their ends, not of their coming', () => {
  const group = new TestGroup({ sessionsMax: 3 });
  group.ask({ session: 1, number: 1, sessionExpiresAtMs: 300 });
  group.ask({ session: 2, number: 1, sessionExpiresAtMs: 100 });
  group.ask({ session: 3, number: 1, sessionExpiresAtMs: 200 });
  group.timeMs = 150;
  assert.equal(group.ask({ session: 4, number: 1, sessionExpiresAtMs: 900 }), 'order 4');
  assert.equal(group.ask({ session: 5, number: 1, sessionExpiresAtMs: 900 }), 'too-many-sessions');
  assert.equal(group.ask({ session: 1, number: 1, sessionExpiresAtMs: 300 }), 'order 1');
});

test('a session that is known with another end is refused', () => {
  const group = new TestGroup();
  group.ask({ session: 1, number: 1 });
  const other = { session: 1, number: 2, sessionExpiresAtMs: DAY_MS + 1 };
  assert.equal(group.ask(other), 'session-mismatch');
  assert.deepEqual(group.applied(), ['1/1']);
});

test('when memory is full, who asks one thing after another goes on and who hoards is refused', () => {
  const group = new TestGroup({ rememberedBytesMax: 1 });
  group.ask({ session: 1, number: 1 });
  assert.equal(group.ask({ session: 1, number: 2 }), 'too-many-outstanding');
  assert.equal(group.ask({ session: 1, number: 2, answeredBelow: 2 }), 'order 3');
  assert.equal(group.ask({ session: 2, number: 1 }), 'order 4');
});

test('what sessions that ended had remembered does not count for ever', () => {
  const group = new TestGroup({ rememberedBytesMax: 1 });
  group.ask({ session: 1, number: 1 });
  group.timeMs = DAY_MS;
  const later = { session: 2, sessionExpiresAtMs: 2 * DAY_MS };
  assert.equal(group.ask({ ...later, number: 1 }), 'order 2');
  group.restart();
  assert.equal(group.ask({ ...later, number: 2 }), 'too-many-outstanding');
});

test('a snapshot carries the sessions: the restored machine repeats answers and applies nothing', () => {
  const group = new TestGroup();
  for (const number of [2, 1, 5]) group.ask({ session: 1, number });
  group.ask({ session: 2, number: 4, answeredBelow: 4 });
  group.restart();
  assert.equal(group.ask({ session: 1, number: 5 }), 'order 3');
  assert.equal(group.ask({ session: 2, number: 3 }), 'already-answered');
  assert.equal(group.ask({ session: 1, number: 3 }), 'order 7');
  assert.deepEqual(group.applied(), ['1/2', '1/1', '1/5', '2/4', '1/3']);
});

test('a snapshot that was cut or is of another format is refused and changes nothing', () => {
  const group = new TestGroup();
  group.ask({ session: 1, number: 1 });
  const snapshot = group.machine.snapshot();
  const before = [...snapshot];
  for (const damaged of [Uint8Array.of(9, ...snapshot.subarray(1)), snapshot.subarray(0, 8)]) {
    assert.throws(
      () => group.machine.restore(damaged),
      (error) => error instanceof CorruptionError || error instanceof InvalidInputError,
    );
  }
  assert.deepEqual([...group.machine.snapshot()], before);
});

test('a snapshot that names a session twice is refused', () => {
  const group = new TestGroup();
  const twice = new ByteWriter().u8(1).varint(2);
  for (let i = 0; i < 2; i++) twice.varint(7).varint(DAY_MS).varint(1).varint(0);
  assert.throws(() => group.machine.restore(twice.finish()), CorruptionError);
});

const anyStep = fc.record(
  {
    session: fc.integer({ min: 0, max: 3 }),
    number: fc.integer({ min: 0, max: 12 }),
    answeredBelow: fc.integer({ min: 0, max: 8 }),
    waitMs: fc.integer({ min: 0, max: 20 }),
    restart: fc.boolean(),
  },
  { noNullPrototype: true },
);

test('whatever comes, no number is applied twice, answers stay, and replicas agree', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 80 }), (steps) => {
      const group = new TestGroup({ sessionsMax: 2 });
      const replica = new TestGroup({ sessionsMax: 2 });
      const answers = new Map<string, string>();
      for (const { waitMs, restart, ...step } of steps) {
        group.timeMs += waitMs;
        replica.timeMs = group.timeMs;
        const head = { ...step, sessionExpiresAtMs: 150 * step.session };
        const answer = group.ask(head);
        assert.equal(replica.ask(head), answer);
        if (restart) replica.restart();
        const id = `${step.session}/${step.number}`;
        if (answer.startsWith('order') && step.session !== 0) {
          assert.equal(answers.get(id) ?? answer, answer);
          answers.set(id, answer);
        }
      }
      const applied = group.applied().filter((id) => !id.startsWith('0/'));
      assert.equal(new Set(applied).size, applied.length);
      assert.deepEqual(new Set(applied), new Set(answers.keys()));
      assert.deepEqual(group.machine.snapshot(), replica.machine.snapshot());
    }),
    { numRuns: 300 },
  );
});

type Asked = Partial<SessionHead> & { readonly session: number; readonly number: number };

class TestGroup {
  machine: StateMachine;
  timeMs = 1;
  #index = 0;
  #inner = new Recorder();
  readonly #limits: Partial<SessionOptions>;

  constructor(limits: Partial<SessionOptions> = {}) {
    this.#limits = limits;
    this.machine = this.#wrap();
  }

  ask(head: Asked): string {
    return textOf(this.apply(head));
  }

  apply(head: Asked): Applied {
    this.#index += 1;
    return this.machine.apply({
      index: this.#index,
      timeMs: this.timeMs,
      command: encodeHead({ answeredBelow: 1, sessionExpiresAtMs: DAY_MS, ...head }),
    });
  }

  applied(): readonly string[] {
    return this.#inner.applied;
  }

  innerBytes(): number {
    return this.#inner.snapshot().length - new Recorder().snapshot().length;
  }

  /** Goes on as another process would, that was given a snapshot. */
  restart(): void {
    const snapshot = this.machine.snapshot();
    this.#inner = new Recorder();
    this.machine = this.#wrap();
    this.machine.restore(snapshot);
    assert.deepEqual(this.machine.snapshot(), snapshot);
  }

  #wrap(): StateMachine {
    return exactlyOnce(this.#inner, {
      head: (command) => (command.length === 0 ? undefined : decodeHead(command)),
      refuse: (reason) => new TextEncoder().encode(reason),
      ...this.#limits,
    });
  }
}

class Recorder implements StateMachine {
  applied: string[] = [];

  apply({ index, command }: AppliedEntry): Applied {
    if (command.length === 0) return { reply: new TextEncoder().encode('unreadable'), notices: [] };
    const { session, number } = decodeHead(command);
    this.applied.push(`${session}/${number}`);
    const reply = new TextEncoder().encode(`order ${index}`);
    return { reply, notices: [{ player: session, push: 'applied', value: number }] };
  }

  query(): Uint8Array {
    return new Uint8Array(0);
  }

  snapshot(): Uint8Array {
    return new TextEncoder().encode(this.applied.join(' '));
  }

  restore(snapshot: Uint8Array): void {
    const text = new TextDecoder().decode(snapshot);
    this.applied = text === '' ? [] : text.split(' ');
  }
}

function encodeHead(head: SessionHead): Uint8Array {
  const { session, sessionExpiresAtMs, number, answeredBelow } = head;
  const writer = new ByteWriter().varint(session).varint(sessionExpiresAtMs);
  return writer.varint(number).varint(answeredBelow).finish();
}

function decodeHead(bytes: Uint8Array): SessionHead {
  const reader = new ByteReader(bytes);
  return {
    session: reader.varint(),
    sessionExpiresAtMs: reader.varint(),
    number: reader.varint(),
    answeredBelow: reader.varint(),
  };
}

function textOf(applied: Applied): string {
  return new TextDecoder().decode(applied.reply);
}
