// One copy of a region, step by step: the rules that random faults seldom reach.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InvalidInputError } from '../../../src/base/errors.ts';
import { type NodeId, nodeId } from '../../../src/base/id.ts';
import { decodeMessage, encodeMessage } from '../../../src/protocols/primary/codec.ts';
import { RegionCopy } from '../../../src/protocols/primary/copy.ts';
import type { Entry, Message } from '../../../src/protocols/primary/messages.ts';
import { COPY_DEFAULTS } from '../../../src/protocols/primary/state.ts';

const COPIES = [1, 2, 3].map(nodeId);
const [A, B, C] = COPIES as [NodeId, NodeId, NodeId];
const NOW = { nowMs: 1_000, wallMs: 1_700_000_000_000 };
const START = { epoch: 0, sequence: 0, timeMs: 0, digest: 0, runs: [] };
const STAMP = { life: 7, ms: 1_000 };

function entry(epoch: number, sequence: number): Entry {
  const kind = sequence === 1 ? 'opening' : 'command';
  return { epoch, sequence, kind, timeMs: NOW.wallMs, data: Uint8Array.of(sequence) };
}

/** A copy that held these entries when it started, all of them applied. */
function started(self: NodeId, entries: readonly Entry[]): RegionCopy {
  const options = { ...COPY_DEFAULTS, foundsItself: false, self, copies: COPIES, life: 7 };
  const promised = entries.at(-1)?.epoch ?? 0;
  const recovered = { promised, isBlank: false, mark: START, entries };
  const copy = new RegionCopy(options, recovered, NOW);
  copy.noteApplied(entries.length);
  return copy;
}

/** Its disk does at once what it is asked; what it sends. */
function settled(copy: RegionCopy): { readonly to: NodeId; readonly message: Message }[] {
  const effects = copy.collect();
  if (effects.write !== undefined) copy.persisted(effects.afterWrite, NOW.nowMs);
  return [...effects.sendNow, ...effects.sendAfterWrite];
}

function matched(sequence: number, epoch: number): Message {
  const result = { kind: 'matched', sequence } as const;
  return { kind: 'append-reply', epoch, attempt: 1, result, applied: sequence, stamp: STAMP };
}

test('what an earlier primary left on a majority is committed by something of the own epoch only', () => {
  const copy = started(A, [entry(1, 1), entry(1, 2)]);
  copy.appoint({ epoch: 2, primary: A, start: 2 }, NOW);
  copy.lease(2, Number.POSITIVE_INFINITY);
  settled(copy);
  for (const from of [B, C]) copy.receive(from, matched(2, 2), NOW);
  assert.equal(copy.reached('quorum'), 0);
  copy.receive(B, matched(3, 2), NOW);
  assert.equal(copy.reached('quorum'), 3);
  assert.equal(copy.reached('all'), 2);
});

test('a primary knows how far a copy is by its answers, before that copy says so by itself', () => {
  const copy = started(A, [entry(1, 1), entry(1, 2)]);
  copy.appoint({ epoch: 1, primary: A, start: 1 }, NOW);
  settled(copy);
  const last = { epoch: 0, sequence: 0 };
  const at = { promised: 1, last, applied: 0, isBlank: true, lagMs: -1, silentMs: 0 };
  copy.receive(B, { kind: 'whereabouts', epoch: 1, at, wantsReply: false }, NOW);
  const ofB = () => copy.status.copies.find(({ node }) => node === B);
  assert.equal(ofB()?.isHealthy, false);
  copy.receive(B, matched(2, 1), NOW);
  assert.equal(ofB()?.isHealthy, true);
  assert.deepEqual(ofB()?.at?.last, { epoch: 1, sequence: 2 });
  const result = { kind: 'parted', last: 0, runs: [], isBlank: true } as const;
  const lost: Message = { kind: 'append-reply', epoch: 1, attempt: 1, result, applied: 0, stamp: STAMP };
  copy.receive(B, lost, NOW);
  assert.equal(ofB()?.isHealthy, false);
});

test('a majority that answers after the lease commits nothing, for it may have forgotten a promise', () => {
  const copy = started(A, [entry(1, 1)]);
  copy.appoint({ epoch: 2, primary: A, start: 1 }, NOW);
  copy.lease(2, NOW.nowMs + 100);
  settled(copy);
  copy.receive(B, matched(2, 2), { ...NOW, nowMs: NOW.nowMs + 100 });
  assert.equal(copy.reached('quorum'), 0);
  copy.lease(2, NOW.nowMs + 200);
  copy.receive(B, matched(2, 2), { ...NOW, nowMs: NOW.nowMs + 100 });
  assert.equal(copy.reached('quorum'), 2);
});

test('a primary whose lease is over is not sure, and its echo proves nothing', () => {
  const copy = started(A, [entry(1, 1)]);
  copy.appoint({ epoch: 1, primary: A, start: 1 }, NOW);
  copy.lease(1, NOW.nowMs + 100);
  settled(copy);
  const asked: Message = { kind: 'level', epoch: 1, stamp: STAMP };
  const sureness = [50, 100].map((laterMs) => {
    copy.receive(B, asked, { ...NOW, nowMs: NOW.nowMs + laterMs });
    const append = settled(copy).find(({ to, message }) => to === B && message.kind === 'append');
    return append?.message.kind === 'append' && append.message.isSure;
  });
  assert.deepEqual(sureness, [true, false]);
  const replica = started(B, [entry(1, 1)]);
  const append = {
    kind: 'append',
    epoch: 1,
    attempt: 1,
    previous: { epoch: 1, sequence: 1 },
    entries: [],
    last: 1,
    committed: 1,
    echo: STAMP,
  } as const;
  replica.receive(A, { ...append, isSure: false }, NOW);
  assert.equal(replica.read(1, { kind: 'atMostMsOld', ms: 0 }, NOW.nowMs), undefined);
  replica.receive(A, { ...append, isSure: true }, NOW);
  assert.deepEqual(replica.read(2, { kind: 'atMostMsOld', ms: 0 }, NOW.nowMs), { ticket: 2, serves: true });
});

test('a new primary serves only once the opening of its epoch is applied', () => {
  const copy = started(A, [entry(1, 1), entry(1, 2)]);
  copy.appoint({ epoch: 2, primary: A, start: 2 }, NOW);
  copy.lease(2, Number.POSITIVE_INFINITY);
  const bounds = [
    { kind: 'primary' },
    { kind: 'atMostMsOld', ms: 60_000 },
    { kind: 'atLeast', epoch: 1, sequence: 2 },
  ] as const;
  for (const [ticket, bound] of bounds.entries()) {
    assert.equal(copy.read(ticket, bound, NOW.nowMs), undefined, `${bound.kind} waits`);
  }
  settled(copy);
  assert.deepEqual(copy.collect().reads, [], 'all that is older is applied, and it is durable');
  copy.noteApplied(3);
  assert.deepEqual(copy.collect().reads, bounds.map((_, ticket) => ({ ticket, serves: true })));
});

test('a state that may hold a lost tail is not read before something of the new epoch is in it', () => {
  const copy = started(B, [entry(1, 1), entry(1, 2), entry(1, 3)]);
  copy.appoint({ epoch: 2, primary: A, start: 2 }, NOW);
  const bound = { kind: 'atLeast', epoch: 1, sequence: 2 } as const;
  const opening = { ...entry(2, 3), kind: 'opening' } as const;
  const previous = { epoch: 1, sequence: 2 };
  const place = { last: 3, committed: 2, isSure: true, echo: STAMP };
  copy.receive(A, { kind: 'append', epoch: 2, attempt: 1, previous, entries: [], ...place }, NOW);
  assert.equal(copy.read(1, bound, NOW.nowMs), undefined, 'it waits');
  copy.receive(
    A,
    { kind: 'append', epoch: 2, attempt: 1, previous, entries: [opening], ...place },
    NOW,
  );
  const sent = settled(copy).findLast(({ message }) => message.kind === 'append-reply');
  const result = sent?.message.kind === 'append-reply' ? sent.message.result.kind : undefined;
  assert.equal(result, 'needsState', 'what is applied of the tail can only be replaced as a whole');
  assert.deepEqual(copy.read(2, bound, NOW.nowMs), { ticket: 2, serves: false });
});

test('a late message of an older epoch is refused, and tells its sender of the newer one', () => {
  const copy = started(B, [entry(1, 1)]);
  copy.promise(5, 1);
  const late: Message = {
    kind: 'append',
    epoch: 1,
    attempt: 1,
    previous: { epoch: 1, sequence: 1 },
    entries: [entry(1, 2)],
    last: 2,
    committed: 2,
    isSure: true,
    echo: STAMP,
  };
  settled(copy);
  copy.receive(A, late, NOW);
  assert.deepEqual(settled(copy), [{ to: A, message: { kind: 'refused', epoch: 5 } }]);
  assert.equal(copy.status.last.sequence, 1);
  copy.appoint({ epoch: 4, primary: A, start: 1 }, NOW);
  assert.equal(copy.status.primary, undefined, 'an appointment that a promise has overtaken');
});

test('copies that hear each other and not the primary know it, and no copy alone does', () => {
  const copy = started(B, [entry(1, 1)]);
  copy.appoint({ epoch: 1, primary: A, start: 1 }, NOW);
  const later = { ...NOW, nowMs: NOW.nowMs + 3_500 };
  const hears = (silentMs: number, now: typeof NOW): boolean => {
    const last = { epoch: 1, sequence: 1 };
    const at = { promised: 1, last, applied: 1, isBlank: false, lagMs: 3_500, silentMs };
    copy.receive(C, { kind: 'whereabouts', epoch: 1, at, wantsReply: false }, now);
    return copy.status.isDeserted;
  };
  const append = (echoMs: number, now: typeof NOW): void => {
    const echo = { life: 7, ms: echoMs };
    const previous = { epoch: 1, sequence: 1 };
    const message = { kind: 'append', epoch: 1, attempt: 1, previous, entries: [], echo } as const;
    copy.receive(A, { ...message, last: 1, committed: 1, isSure: true }, now);
  };
  append(NOW.nowMs, NOW);
  assert.equal(hears(9_000, NOW), false, 'it hears the primary itself');
  copy.tick(later.nowMs);
  assert.equal(hears(3_499, later), false, 'the other one hears it');
  assert.equal(hears(3_500, later), true);
  assert.equal(copy.status.copies.find(({ node }) => node === B)?.isHealthy, false);
  append(NOW.nowMs, later);
  assert.equal(hears(3_500, later), true, 'it hears the primary, which has had nothing of it');
  copy.tick(later.nowMs + 2_500);
  assert.equal(copy.status.isDeserted, false, 'what the other one said is old');
  append(later.nowMs, later);
  assert.equal(hears(3_500, later), false);
});

test('a message between copies arrives as it was sent', () => {
  const message: Message = {
    kind: 'append',
    epoch: 3,
    attempt: 9,
    previous: { epoch: 1, sequence: 1 },
    entries: [entry(1, 2), entry(3, 3)],
    last: 3,
    committed: 2,
    isSure: true,
    echo: STAMP,
  };
  assert.deepEqual(decodeMessage(encodeMessage(message)), message);
});

test('no bytes do anything but decode or be refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 0, max: 7 }), (bytes, kind) => {
      try {
        decodeMessage(Uint8Array.of(kind, ...bytes));
      } catch (cause) {
        assert.ok(cause instanceof InvalidInputError);
      }
    }),
  );
});
