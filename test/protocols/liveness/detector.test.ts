import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type NodeId, nodeId } from '../../../src/base/id.ts';
import {
  BEAT_MS,
  Detector,
  DETECTOR_TICK_MS,
  type Opinion,
} from '../../../src/protocols/liveness/detector.ts';

const EU = nodeId(8);
const ASIA = nodeId(9);

/** A witness whose time a test moves, with nodes that beat as long as they are told to. */
class Witness {
  readonly detector: Detector;
  nowMs: number;
  readonly #beating = new Map<NodeId, { incarnation: number; sequence: number }>();

  constructor(startMs: number = 50_000) {
    this.nowMs = startMs;
    this.detector = new Detector([EU, ASIA], startMs);
  }

  beats(node: NodeId, incarnation: number = 1): this {
    this.#beating.set(node, { incarnation, sequence: 0 });
    return this;
  }

  stops(node: NodeId): this {
    this.#beating.delete(node);
    return this;
  }

  run(ms: number): this {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += DETECTOR_TICK_MS;
      if (this.nowMs % BEAT_MS === 0) this.#beat();
      this.detector.tick(this.nowMs);
    }
    return this;
  }

  /** Time passes, and nothing at all is done meanwhile; then all that was sent is read. */
  standsStill(ms: number, o: { readsFirst: boolean }): this {
    const { nowMs } = this;
    this.nowMs += ms;
    if (!o.readsFirst) this.detector.tick(this.nowMs);
    for (let atMs = nowMs + BEAT_MS; atMs <= this.nowMs; atMs += BEAT_MS) this.#beat();
    if (o.readsFirst) this.detector.tick(this.nowMs);
    return this;
  }

  of(node: NodeId): Opinion | undefined {
    return this.detector.opinions().find((each) => each.node === node)?.opinion;
  }

  #beat(): void {
    for (const [node, beat] of this.#beating) {
      beat.sequence += 1;
      this.detector.beat(node, beat, this.nowMs);
    }
  }
}

describe('a witness', () => {
  test('trusts a node that beats', () => {
    const witness = new Witness().beats(EU).beats(ASIA).run(60_000);
    assert.equal(witness.of(EU), 'trusted');
  });

  test('suspects a node after three missed beats and half a beat of grace, and not before', () => {
    const witness = new Witness().beats(EU).run(10_000).stops(EU).run(3_400);
    assert.equal(witness.of(EU), 'trusted');
    assert.equal(witness.run(100).of(EU), 'suspected');
  });

  test('calls a node failed a beat after that, and not before', () => {
    const witness = new Witness().beats(EU).run(10_000).stops(EU).run(4_400);
    assert.equal(witness.of(EU), 'suspected');
    assert.equal(witness.run(100).of(EU), 'failed');
  });

  test('suspects a node that is dead from the start, and gives it time to start before more', () => {
    const witness = new Witness().run(3_500);
    assert.equal(witness.of(EU), 'suspected');
    assert.equal(witness.run(6_400).of(EU), 'suspected');
    assert.equal(witness.run(100).of(EU), 'failed');
  });

  test('credits others with the time that it stood still itself, whatever it reads first', () => {
    for (const readsFirst of [true, false]) {
      const witness = new Witness().beats(EU).run(10_000).standsStill(60_000, { readsFirst });
      assert.equal(witness.of(EU), 'trusted');
      assert.equal(witness.run(5_000).of(EU), 'trusted');
    }
  });

  test('still notices a node that died while it stood still, and no credit lies in the future', () => {
    const witness = new Witness().beats(EU).run(10_000).stops(EU);
    witness.standsStill(60_000, { readsFirst: true }).run(3_600);
    assert.equal(witness.of(EU), 'suspected');
  });

  test('gives no credit for ordinary lateness', () => {
    const witness = new Witness().beats(EU).run(10_000).stops(EU);
    for (let i = 0; i < 12; i++) {
      witness.nowMs += DETECTOR_TICK_MS + 200;
      witness.detector.tick(witness.nowMs);
    }
    assert.equal(witness.of(EU), 'suspected');
  });

  test('does not count a beat twice, nor a late one', () => {
    const witness = new Witness().beats(EU).run(10_000).stops(EU);
    for (let i = 0; i < 40; i++) {
      assert.equal(witness.detector.beat(EU, { incarnation: 1, sequence: 10 }, witness.nowMs), false);
      assert.equal(witness.detector.beat(EU, { incarnation: 1, sequence: 3 }, witness.nowMs), false);
      witness.run(100);
    }
    assert.equal(witness.of(EU), 'suspected');
  });

  test('does not count beats of a process that has a successor', () => {
    const witness = new Witness().beats(EU, 7).run(10_000);
    assert.equal(witness.detector.beat(EU, { incarnation: 6, sequence: 99 }, witness.nowMs), false);
    assert.equal(witness.detector.incarnationOf(EU), 7);
  });

  test('says nothing of strangers', () => {
    const witness = new Witness();
    assert.equal(witness.detector.beat(nodeId(44), { incarnation: 1, sequence: 1 }, 60_000), false);
    assert.deepEqual(witness.detector.opinions().map(({ node }) => node), [EU, ASIA]);
  });

  test('trusts a suspected node again only after a calm without a missed beat', () => {
    const witness = new Witness().beats(EU).run(10_000).stops(EU).run(4_000);
    witness.beats(EU, 2).run(5_900);
    assert.equal(witness.of(EU), 'suspected');
    assert.equal(witness.run(200).of(EU), 'trusted');
  });

  test('begins the calm anew with each gap', () => {
    const witness = new Witness().beats(EU).run(10_000).stops(EU).run(4_000);
    for (let round = 2; round < 6; round++) {
      witness.beats(EU, round).run(4_000).stops(EU).run(2_000);
      assert.equal(witness.of(EU), 'suspected');
    }
    assert.equal(witness.beats(EU, 9).run(7_000).of(EU), 'trusted');
  });

  test('takes a failed node that beats for suspected, until it was calm', () => {
    const witness = new Witness().beats(EU).run(10_000).stops(EU).run(5_000);
    assert.equal(witness.of(EU), 'failed');
    assert.equal(witness.beats(EU, 2).run(1_000).of(EU), 'suspected');
    assert.equal(witness.run(6_000).of(EU), 'trusted');
  });
});

describe('a node whose link broke and at whose port nobody listens', () => {
  test('is failed at once', () => {
    const witness = new Witness().beats(EU).run(10_000).stops(EU);
    witness.detector.gone(EU);
    assert.equal(witness.of(EU), 'failed');
    assert.equal(witness.run(2_000).of(EU), 'failed');
  });

  test('is given the time to start when it was never heard', () => {
    const witness = new Witness().run(1_000);
    witness.detector.gone(EU);
    assert.equal(witness.run(100).of(EU), 'trusted');
  });

  test('comes back as a new process, and is heard', () => {
    const witness = new Witness().beats(EU).run(10_000).stops(EU);
    witness.detector.gone(EU);
    witness.beats(EU, 2).run(1_000);
    assert.equal(witness.of(EU), 'suspected');
    assert.equal(witness.detector.incarnationOf(EU), 2);
  });
});
