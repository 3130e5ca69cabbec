import assert from 'node:assert/strict';
import test from 'node:test';
import { ByteWriter } from '../../src/base/bytes.ts';
import { crc32c } from '../../src/base/crc32c.ts';
import { CorruptionError, ForeignDataError } from '../../src/base/errors.ts';
import { Random } from '../../src/base/random.ts';
import { nodeId } from '../../src/base/id.ts';
import type { Entry } from '../../src/protocols/raft/messages.ts';
import { Journal } from '../../src/runtime/journal.ts';
import { recordAt, writeRecord } from '../../src/runtime/journal-record.ts';
import { recoverJournal } from '../../src/runtime/journal-recovery.ts';
import { asText, type Model, modelAfter, randomStep, type Step } from '../support/journal-model.ts';
import { DiskFailure, VirtualDisk } from '../../src/sim/machine/disk.ts';
import { newerJournal } from '../support/foreign-files.ts';

const SMALL = { segmentBytes: 4096 };
/** Frame, header of one group, and the entry's own head in the second batch of `batchesOn`. */
const RECORD_HEAD_BYTES = 40;
const FIRST = 'journal-0000000000000001.log';
const SECOND = 'journal-0000000000000002.log';

/** Flushes `batches` batches of one entry each into a new journal. */
function batchesOn(disk: VirtualDisk, batches: number, bytes = 40): Journal {
  const { journal } = Journal.open(disk, SMALL);
  for (let index = 1; index <= batches; index++) append(journal, index, bytes);
  return journal;
}

function append(journal: Journal, index: number, bytes: number): void {
  const data = new Uint8Array(bytes).fill(200 + index);
  journal.stage(1, { entries: [{ index, term: 1, kind: 'command', timeMs: index, data }] });
  journal.flush(() => undefined);
}

function lastOf(disk: VirtualDisk): number {
  return Journal.open(disk, SMALL).recovered.get(1)?.entries.at(-1)?.index ?? 0;
}

/** Runs a process on this disk: random flushes, each noted, until the disk fails. */
function live(journal: Journal, disk: VirtualDisk, random: Random, witness: Witness): void {
  disk.holdSyncs = random.chance(1, 2);
  for (let flushes = 0; flushes < 60; flushes++) {
    let model = witness.history.at(-1) ?? new Map();
    for (let i = random.integer(0, 4); i > 0; i--) {
      const step = randomStep(model, random);
      model = modelAfter(model, step);
      if (step.kind === 'write') journal.stage(step.group, step.write);
      else journal.compact(step.group, step.mark);
    }
    const number = witness.history.push(model) - 1;
    journal.flush(() => {
      assert.equal(witness.durable, number - 1, 'callbacks come in the order of the flushes');
      witness.durable = number;
    });
    while (random.chance(1, 2)) disk.release(random.pick(['sync', 'prepare']));
  }
}

/** The states after each flush, and how many flushes were called durable. */
interface Witness {
  history: Model[];
  durable: number;
}

function livesOn(seed: number, lives: number): void {
  const random = new Random(seed);
  let disk = new VirtualDisk();
  let witness: Witness = { history: [new Map()], durable: 0 };
  for (let life = 0; life < lives; life++) {
    disk.failAt = random.integer(1, 90);
    try {
      const found = asText(recoverJournal(disk).recovered);
      const { journal, recovered } = Journal.open(disk, SMALL);
      assert.equal(asText(recovered), found);
      const allowed = witness.history.slice(witness.durable).map(asText);
      assert.ok(allowed.includes(found), `seed ${seed}, life ${life}: found ${found}`);
      witness = { history: [recovered], durable: 0 };
      live(journal, disk, random, witness);
    } catch (error) {
      if (!(error instanceof DiskFailure)) throw error;
    }
    disk = random.chance(1, 3) ? disk.killed() : disk.crashed(random);
  }
}

test('whatever fails when, every durable flush is found again and nothing is invented', () => {
  for (let seed = 1; seed <= 60; seed++) livesOn(seed, 12);
});

test('a crash at any byte of a batch leaves all of it or nothing, and writing goes on', () => {
  for (const durable of [0, 1, 2, 7, 8]) {
    const disk = new VirtualDisk();
    const journal = batchesOn(disk, durable, 450);
    disk.holdSyncs = true;
    append(journal, durable + 1, 450);
    while (lastOf(disk.killed()) === durable) assert.ok(disk.release(), 'it waits for its segment');
    for (let kept = 0; kept <= 700; kept++) {
      const after = disk.loseAllButBytes(kept);
      const { journal: next, recovered } = Journal.open(after, SMALL);
      const last = recovered.get(1)?.entries.at(-1)?.index ?? 0;
      assert.ok(last === durable || (last === durable + 1 && kept > 450), `${kept} bytes: ${last}`);
      append(next, last + 1, 30);
      assert.equal(lastOf(after.crashed(new Random(kept))), last + 1);
    }
  }
});

test('a bit that flips in a durable batch with another behind it is never passed over', () => {
  const disk = new VirtualDisk();
  batchesOn(disk, 10, 450);
  assert.equal(disk.names().length, 2, 'the last batches lie in the second segment');
  for (const [name, offset] of [
    [FIRST, 512],
    [FIRST, 7 * 512],
    [SECOND, 0],
  ] as const) {
    const { end } = recordAt(disk.read(name), offset) ?? assert.fail();
    for (let bit = offset * 8; bit < end * 8; bit++) {
      disk.flipBit(name, bit);
      const found = recoverJournal(disk).recovered.get(1);
      assert.deepEqual([found?.entries.length, found?.healUntil], [0, 10], `${name}, bit ${bit}`);
      disk.flipBit(name, bit);
    }
  }
  assert.equal(recoverJournal(disk).recovered.get(1)?.entries.length, 10);
});

test('a bit that flips in the very last batch is taken for a torn tail', () => {
  const disk = new VirtualDisk();
  batchesOn(disk, 3);
  for (let bit = 2 * 512 * 8; bit < (2 * 512 + 50) * 8; bit++) {
    disk.flipBit(FIRST, bit);
    assert.equal(recoverJournal(disk).recovered.get(1)?.entries.length, 2, `bit ${bit}`);
    disk.flipBit(FIRST, bit);
  }
});

test('a crash during the cut of a torn tail changes nothing', () => {
  for (const [durable, bytes] of [
    [3, 40],
    [8, 450],
    [0, 40],
    [0, 3000],
  ] as const) {
    const disk = new VirtualDisk();
    const journal = batchesOn(disk, durable, bytes);
    disk.holdSyncs = true;
    append(journal, durable + 1, bytes);
    // A batch this large has the segment after its own prepared, before it is durable itself.
    if (bytes > 2048) assert.ok(disk.release('prepare'));
    while (lastOf(disk.killed()) === durable) assert.ok(disk.release());
    for (let failAt = 1; failAt <= 6; failAt++) {
      let torn = disk.loseAllButBytes(35);
      for (let again = 0; again < 3; again++) {
        torn.failAt = failAt;
        try {
          Journal.open(torn, SMALL);
        } catch (error) {
          assert.ok(error instanceof DiskFailure);
        }
        torn = torn.crashed(new Random(failAt * 10 + again));
      }
      assert.equal(lastOf(torn), durable);
    }
  }
});

test('a record that was never written where later ones were is lost memory, not an end', () => {
  const disk = new VirtualDisk();
  batchesOn(disk, 4);
  for (let byte = 512; byte < 1024; byte++) zero(disk, byte);
  assert.equal(recoverJournal(disk).recovered.get(1)?.healUntil, 4);
});

test('a journal of a newer format is refused by its number, and is not called damaged', () => {
  const disk = new VirtualDisk();
  batchesOn(disk, 3);
  disk.publish(FIRST, [newerJournal(disk.read(FIRST))]);
  assert.throws(
    () => recoverJournal(disk),
    (error) => error instanceof ForeignDataError && /format 3, this program knows 2/.test(error.message),
  );
});

test('a missing segment is noticed, wherever it was', () => {
  for (const missing of [1, 2, 3, 4]) {
    const disk = new VirtualDisk();
    batchesOn(disk, 34, 450);
    const name = `journal-000000000000000${missing}.log`;
    disk.remove(name);
    assert.throws(() => recoverJournal(disk), new RegExp(`CorruptionError: ${name} is missing`));
  }
});

test('a journal of which only an unused segment is left is refused', () => {
  const disk = new VirtualDisk();
  batchesOn(disk, 5, 450);
  assert.deepEqual(disk.names(), [FIRST, SECOND]);
  disk.remove(FIRST);
  assert.throws(() => recoverJournal(disk), /0002\.log has no header, and no older file is there/);
});

test('a segment that is not the one its name says, or of another journal, is refused', () => {
  const disk = new VirtualDisk();
  batchesOn(disk, 12, 450);
  const [first, second] = [disk.read(FIRST), disk.read(SECOND)];
  disk.publish(SECOND, [first]);
  assert.throws(() => recoverJournal(disk), CorruptionError);
  disk.remove(FIRST);
  assert.throws(() => recoverJournal(disk), /0002\.log is damaged at byte 0 \(this is segment 1\)/);

  const other = new VirtualDisk();
  const journal = batchesOn(other, 7, 450);
  append(journal, 7, 450);
  other.publish(SECOND, [second]);
  assert.throws(() => recoverJournal(other), /0002\.log .*group 1 is not as the files before say/);
});

test('a lost last batch that wrote again what was there costs nothing: logs that end alike are alike', () => {
  const disk = new VirtualDisk();
  const journal = batchesOn(disk, 7, 450);
  append(journal, 7, 450);
  for (const index of [8, 9]) append(journal, index, 450);
  assert.ok(lastOf(disk.killed()) === 9 && disk.names().length === 2);
  for (let byte = 7 * 512; byte < 4096; byte++) zero(disk, byte);
  const found = recoverJournal(disk).recovered.get(1);
  assert.deepEqual([found?.entries.length, found?.healUntil], [9, undefined]);
});

test('damage at the end of a segment is no torn tail once the next was begun', () => {
  const disk = new VirtualDisk();
  const journal = batchesOn(disk, 8, 450);
  disk.holdSyncs = true;
  append(journal, 9, 450);
  const torn = disk.loseAllButBytes(100);
  assert.equal(lastOf(torn.killed()), 8);
  torn.flipBit(FIRST, (7 * 512 + 20) * 8);
  assert.throws(() => recoverJournal(torn), /0001\.log is damaged at byte 3584/);
});

test('a segment whose only batch is torn is made anew', () => {
  const disk = new VirtualDisk();
  const { journal } = Journal.open(disk, SMALL);
  disk.holdSyncs = true;
  append(journal, 1, 1000);
  const torn = disk.loseAllButBytes(800);
  Journal.open(torn, SMALL);
  assert.deepEqual(torn.read(FIRST), new Uint8Array(4096));
});

test('bytes of a command that look like a record do not turn a torn tail into damage', () => {
  const disk = new VirtualDisk();
  const journal = batchesOn(disk, 1);
  const forged = new ByteWriter();
  writeRecord(forged, 99, []);
  const data = new Uint8Array(2048).fill(1);
  // So far into the record its command begins: the forgery lies at the start of a sector.
  data.set(forged.view(), 512 - RECORD_HEAD_BYTES);
  disk.holdSyncs = true;
  journal.stage(1, { entries: [{ index: 2, term: 1, kind: 'command', timeMs: 2, data }] });
  journal.flush(() => undefined);
  const torn = disk.loseAllButBytes(2000);
  assert.equal(recordAt(torn.read(FIRST), 1024)?.batch, 99, 'the forgery is where it misleads');
  assert.equal(lastOf(torn), 1);
});

test('a journal of a newer format is refused by its number', () => {
  const disk = new VirtualDisk();
  batchesOn(disk, 2);
  const bytes = disk.read(FIRST);
  bytes[10] = 3;
  const end = 8 + new DataView(bytes.buffer).getUint32(0, true);
  const sum = crc32c(bytes, 8, end, crc32c(bytes, 0, 4));
  new DataView(bytes.buffer).setUint32(4, sum, true);
  disk.publish(FIRST, [bytes]);
  assert.throws(() => recoverJournal(disk), /journal format 3, this program knows 2/);
});

test('a damaged batch costs only the groups that wrote in it, and no group its vote', () => {
  const disk = new VirtualDisk();
  const { journal } = Journal.open(disk, SMALL);
  const flush = (): void => journal.flush(() => undefined);
  const entry = (index: number): Entry => {
    return { index, term: 1, kind: 'command', timeMs: index, data: Uint8Array.of(index) };
  };
  journal.stage(1, { hardState: { term: 1, votedFor: nodeId(1) }, entries: [entry(1)] });
  journal.stage(2, { hardState: { term: 1, votedFor: nodeId(1) }, entries: [entry(1), entry(2)] });
  flush();
  journal.stage(1, { hardState: { term: 5, votedFor: nodeId(3) }, entries: [entry(2)] });
  flush();
  journal.stage(2, { entries: [entry(3)] });
  flush();
  disk.flipBit(FIRST, (512 + 30) * 8);
  const found = recoverJournal(disk).recovered;
  assert.deepEqual(found.get(1)?.hardState, { term: 5, votedFor: 3 });
  assert.deepEqual([found.get(1)?.entries.length, found.get(1)?.healUntil], [0, 2]);
  assert.deepEqual([found.get(2)?.entries.length, found.get(2)?.healUntil], [3, undefined]);
});

test('whatever batch is damaged, nothing is invented, no vote is forgotten and healing is not either', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(`damage ${seed}`);
    const disk = new VirtualDisk();
    const { journal } = Journal.open(disk, SMALL);
    const places: { readonly name: string; readonly offset: number }[] = [];
    let model: Model = new Map();
    for (let flushes = 0; flushes < 12; flushes++) {
      const step = ofTerm(randomStep(model, random), flushes + 1);
      model = modelAfter(model, step);
      if (step.kind === 'write') journal.stage(step.group, step.write);
      else journal.compact(step.group, step.mark);
      journal.flush(() => undefined);
    }
    for (const name of disk.names()) {
      for (let offset = 0; offset < 4096; offset += 512) {
        if (recordAt(disk.read(name), offset) !== undefined) places.push({ name, offset });
      }
    }
    const place = random.pick(places.slice(0, -1));
    if (place === undefined || place === places[0]) continue;
    disk.flipBit(place.name, (place.offset + 12) * 8);
    const found = recoverJournal(disk).recovered;
    judge(model, found, `seed ${seed}`);
    // A second life begins, writes, and ends: what is healing still is.
    const again = Journal.open(disk, SMALL).journal;
    again.stage(1, { entries: [] });
    again.flush(() => undefined);
    judge(model, recoverJournal(disk).recovered, `seed ${seed}, again`);
  }
});

/** As in any log of Raft: what is written in place of another entry has a later term. */
function ofTerm(step: Step, term: number): Step {
  if (step.kind !== 'write') return step;
  const entries = step.write.entries.map((entry) => ({ ...entry, term }));
  return { ...step, write: { ...step.write, entries } };
}

function judge(model: Model, found: Model, what: string): void {
  for (const [group, { hardState, snapshot, entries }] of model) {
    const is = found.get(group);
    const last = entries.at(-1)?.index ?? snapshot.index;
    assert.deepEqual(is?.hardState, hardState, `${what}: the vote of ${group}`);
    // A received snapshot begins the log anew: from there on everything is known again.
    if (is?.healUntil === undefined || is.entries.length > 0) {
      assert.deepEqual(is?.entries, entries, `${what}: the entries of ${group}`);
    } else {
      const isEmpty = is.snapshot.index === last;
      assert.ok(isEmpty || is.healUntil >= last, `${what}: how far ${group} had come`);
      assert.ok(is.snapshot.index <= snapshot.index, `${what}: ${group}`);
    }
  }
}

function zero(disk: VirtualDisk, byte: number): void {
  const value = disk.read(FIRST)[byte] ?? 0;
  for (let bit = 0; bit < 8; bit++) if ((value >> bit) & 1) disk.flipBit(FIRST, byte * 8 + bit);
}
