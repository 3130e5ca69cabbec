// What every `Disk` promises, whatever it is made of: one suite for the real and the virtual one.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Disk } from '../../src/runtime/ports.ts';

/** `reopen` gives the same disk as a later process finds it. */
export interface DiskUnderTest {
  readonly disk: Disk;
  reopen(): Disk;
}

export function testDiskContract(kind: string, create: () => DiskUnderTest): void {
  testWholeFiles(kind, create);
  testOpenFiles(kind, create);
}

function testWholeFiles(kind: string, create: () => DiskUnderTest): void {
  test(`${kind}: a published file is there whole, and publishing again replaces it`, () => {
    const { disk, reopen } = create();
    disk.publish('a.bin', [Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3)]);
    assert.deepEqual(disk.read('a.bin'), Uint8Array.of(1, 2, 3));
    disk.publish('a.bin', [Uint8Array.of(9)]);
    assert.deepEqual(reopen().read('a.bin'), Uint8Array.of(9));
    assert.deepEqual(reopen().names(), ['a.bin']);
    assert.ok(disk.path('a.bin').endsWith('a.bin'));
  });

  test(`${kind}: a file published soon is there whole once that is said, and not before`, async () => {
    const { disk, reopen } = create();
    const large = new Uint8Array(2_500_000).fill(7);
    const published = new Promise<void>((resolve) => {
      disk.publishSoon('a.bin', [Uint8Array.of(1), large, Uint8Array.of(2)], resolve);
    });
    await published;
    const bytes = reopen().read('a.bin');
    assert.equal(bytes.length, large.length + 2);
    assert.deepEqual([bytes[0], bytes[1], bytes.at(-2), bytes.at(-1)], [1, 7, 7, 2]);
    assert.deepEqual(reopen().names(), ['a.bin']);
  });

  test(`${kind}: a removed file is gone`, () => {
    const { disk, reopen } = create();
    disk.publish('a.bin', []);
    disk.publish('b.bin', []);
    disk.remove('a.bin');
    assert.deepEqual(reopen().names(), ['b.bin']);
  });

  test(`${kind}: what is read is a copy of its own`, () => {
    const { disk } = create();
    disk.publish('a.bin', [Uint8Array.of(1, 2, 3)]);
    const bytes = disk.read('a.bin');
    const copy = bytes.slice(1);
    bytes.fill(0);
    assert.deepEqual(copy, Uint8Array.of(2, 3));
    assert.deepEqual(disk.read('a.bin'), Uint8Array.of(1, 2, 3));
  });
}

function testOpenFiles(kind: string, create: () => DiskUnderTest): void {
  test(`${kind}: a new file is opened full of zeros, an old one as it is`, () => {
    const { disk, reopen } = create();
    disk.open('a.log', 3_000_000).close();
    assert.deepEqual(disk.read('a.log'), new Uint8Array(3_000_000));
    disk.publish('b.log', [Uint8Array.of(1, 2)]);
    disk.open('b.log', 10).close();
    assert.deepEqual(reopen().read('b.log'), Uint8Array.of(1, 2));
  });

  test(`${kind}: writes go where they are told, also beyond the end, and copy`, () => {
    const { disk, reopen } = create();
    const file = disk.open('a.log', 4);
    const bytes = Uint8Array.of(1, 2);
    file.write(bytes, 1);
    bytes.fill(7);
    file.write(bytes, 5);
    let synced = false;
    file.sync(() => (synced = true));
    file.close();
    assert.ok(synced);
    assert.deepEqual(reopen().read('a.log'), Uint8Array.of(0, 1, 2, 0, 0, 7, 7));
  });

  test(`${kind}: a truncated file ends there`, () => {
    const { disk, reopen } = create();
    const file = disk.open('a.log', 8);
    file.write(Uint8Array.of(1, 2, 3), 0);
    file.truncate(2);
    file.sync(() => undefined);
    file.close();
    assert.deepEqual(reopen().read('a.log'), Uint8Array.of(1, 2));
  });

  test(`${kind}: preparing makes a file of zeros and leaves an old one alone`, async () => {
    const { disk } = create();
    disk.publish('old.log', [Uint8Array.of(5)]);
    await new Promise<void>((ready) => disk.prepare('new.log', 2_500_000, ready));
    await new Promise<void>((ready) => disk.prepare('old.log', 10, ready));
    assert.deepEqual(disk.read('new.log'), new Uint8Array(2_500_000));
    assert.deepEqual(disk.read('old.log'), Uint8Array.of(5));
    assert.deepEqual([...disk.names()].sort(), ['new.log', 'old.log']);
  });
}
