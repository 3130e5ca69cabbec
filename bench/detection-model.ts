// Four regions of the planet in virtual time: nodes that beat, witnesses as shipped, and what they decide.
//
// `detection.ts` runs it under loss and stalls. The detector and the counting of words are the shipped code;
// delays, losses, stalls and the log that records the words are modelled here. A process that stalls
// neither sends nor reads, and reads all that came when it goes on. Every run ends with one crash.
import { type NodeId, nodeId } from '../src/base/id.ts';
import { Random } from '../src/base/random.ts';
import {
  BEAT_MS,
  Detector,
  DETECTOR_LIMITS,
  DETECTOR_TICK_MS,
  type DetectorLimits,
} from '../src/protocols/liveness/detector.ts';
import { EventQueue } from '../src/sim/machine/queue.ts';
import { Placement } from '../src/world/placement/state.ts';

/** One way between the regions, in microseconds. */
const DELAY_US: readonly (readonly number[])[] = [
  [300, 32_000, 45_000, 85_000],
  [32_000, 300, 70_000, 110_000],
  [45_000, 70_000, 300, 60_000],
  [85_000, 110_000, 60_000, 300],
];
/** Two witnesses in one region, one in each other. */
const WITNESS_REGIONS = [0, 0, 1, 2, 3];
/** After so long another witness leads the log in place of one that stalls. */
const ELECTION_US = 1_000_000;
const CRASH_WATCH_MS = 15_000;

export interface Weather {
  readonly name: string;
  /** Of a thousand messages. */
  readonly lost: number;
  readonly stallsPerHour: number;
  readonly stallMs: readonly [number, number];
}

export interface Rule {
  readonly name: string;
  readonly limits: DetectorLimits;
  /** How many witnesses must call a node failed. */
  readonly votes: number;
}

export interface Observed {
  hours: number;
  /** From the crash to three witnesses' suspicion, and to the decision. */
  readonly suspectedMs: number[];
  readonly failedMs: number[];
  /** Words of single witnesses against nodes that did not crash. */
  suspicions: number;
  /** Of these against nodes that had not even stalled. */
  suspicionsOfRunning: number;
  /** Decisions against nodes that did not crash, and of these against nodes that had not even stalled. */
  failures: number;
  failuresOfRunning: number;
}

interface Process {
  readonly region: number;
  stalledUntilUs: number;
  /** When it last stood still, for judging words about it. */
  stalledAtUs: number;
  isCrashed: boolean;
}

export function nothingObserved(): Observed {
  const counts = { suspicions: 0, suspicionsOfRunning: 0, failures: 0, failuresOfRunning: 0 };
  return { hours: 0, suspectedMs: [], failedMs: [], ...counts };
}

/** Runs one world and adds what was observed. `breaks`: the crash breaks its links, and nobody listens. */
export function observeRun(o: {
  readonly seed: number;
  readonly nodes: number;
  readonly minutes: number;
  readonly weather: Weather;
  readonly rule: Rule;
  readonly breaks: boolean;
  readonly into: Observed;
}): void {
  new World(o).run();
}

class World {
  readonly #o: Parameters<typeof observeRun>[0];
  readonly #queue = new EventQueue();
  readonly #random: Random;
  readonly #placement = new Placement();
  readonly #nodes: readonly Process[];
  readonly #witnesses: readonly Process[];
  readonly #detectors: readonly Detector[];
  readonly #said: string[];
  readonly #number: number[];
  readonly #sequence: number[];
  readonly #failed = new Set<NodeId>();
  #crashedAtUs = Number.POSITIVE_INFINITY;
  #victim: NodeId | undefined;
  #isSuspected = false;

  constructor(o: Parameters<typeof observeRun>[0]) {
    this.#o = o;
    this.#random = new Random(`detection ${o.seed}`);
    const process = (region: number): Process => {
      return { region, stalledUntilUs: 0, stalledAtUs: -1e12, isCrashed: false };
    };
    this.#nodes = Array.from({ length: o.nodes }, (_, place) => process(place % DELAY_US.length));
    this.#witnesses = WITNESS_REGIONS.map(process);
    const ids = this.#nodes.map((_, place) => idOf(place));
    this.#detectors = this.#witnesses.map(() => new Detector(ids, 0, o.rule.limits));
    this.#said = this.#witnesses.map(() => '');
    this.#number = this.#witnesses.map(() => 0);
    this.#sequence = this.#nodes.map(() => 0);
    this.#placement.setWitnesses(this.#witnesses.map((_, place) => witnessId(place)));
  }

  run(): void {
    const { minutes, into } = this.#o;
    for (const [place, node] of this.#nodes.entries()) {
      this.#every(node, BEAT_MS, this.#random.integer(0, BEAT_MS), () => this.#beat(place));
    }
    for (const [place, witness] of this.#witnesses.entries()) {
      this.#every(witness, DETECTOR_TICK_MS, place, () => this.#tick(place));
    }
    for (const process of [...this.#nodes, ...this.#witnesses]) this.#stallSoon(process);
    const calmUs = minutes * 60_000_000;
    this.#queue.at(calmUs, () => this.#crash());
    while (this.#queue.step(calmUs + CRASH_WATCH_MS * 1_000));
    into.hours += minutes / 60;
  }

  /** A timer: what falls into a stall happens once at its end, and the next in time. */
  #every(process: Process, everyMs: number, firstMs: number, work: () => void): void {
    const at = (dueUs: number): void => {
      this.#queue.at(Math.max(dueUs, process.stalledUntilUs), () => {
        if (process.isCrashed) return;
        if (process.stalledUntilUs > this.#queue.nowUs) return at(dueUs);
        work();
        at(Math.max(dueUs + everyMs * 1_000, this.#queue.nowUs));
      });
    };
    at(firstMs * 1_000);
  }

  #stallSoon(process: Process): void {
    const { stallsPerHour, stallMs } = this.#o.weather;
    if (stallsPerHour === 0) return;
    const meanUs = 3_600_000_000 / stallsPerHour;
    const waitUs = -Math.log((this.#random.uint32() + 1) / 2 ** 32) * meanUs;
    this.#queue.after(waitUs, () => {
      process.stalledAtUs = this.#queue.nowUs;
      const [leastMs, mostMs] = stallMs;
      process.stalledUntilUs = this.#queue.nowUs + this.#random.integer(leastMs, mostMs) * 1_000;
      this.#stallSoon(process);
    });
  }

  /** A message that may be lost; who stalls reads it when he goes on. */
  #send(from: Process, to: Process, read: () => void): void {
    if (this.#random.chance(this.#o.weather.lost, 1_000)) return;
    this.#queue.after(delayUs(from, to), () => this.#awake(to, read));
  }

  #awake(process: Process, read: () => void): void {
    if (process.stalledUntilUs <= this.#queue.nowUs) return read();
    this.#queue.at(process.stalledUntilUs, () => this.#awake(process, read));
  }

  #beat(place: number): void {
    const node = this.#nodes[place] as Process;
    const sequence = (this.#sequence[place] = (this.#sequence[place] ?? 0) + 1);
    for (const [at, witness] of this.#witnesses.entries()) {
      this.#send(node, witness, () => {
        this.#detectors[at]?.beat(idOf(place), { incarnation: 1, sequence }, this.#queue.nowMs);
      });
    }
  }

  #tick(place: number): void {
    const detector = this.#detectors[place] as Detector;
    const before = new Map(detector.opinions().map(({ node, opinion }) => [node, opinion]));
    detector.tick(this.#queue.nowMs);
    for (const { node, opinion } of detector.opinions()) {
      if (opinion === 'trusted' || before.get(node) !== 'trusted') continue;
      if (node === this.#victim) continue;
      this.#o.into.suspicions += 1;
      if (this.#isRunning(node)) this.#o.into.suspicionsOfRunning += 1;
    }
    this.#state(place);
  }

  /** What a witness thinks is recorded by the log that the first witness leads. */
  #state(place: number): void {
    const opinions = (this.#detectors[place] as Detector).opinions();
    const words = opinions.map(({ opinion }) => opinion).join();
    if (words === this.#said[place]) return;
    this.#said[place] = words;
    const number = (this.#number[place] = (this.#number[place] ?? 0) + 1);
    const [witness, leader] = [this.#witnesses[place] as Process, this.#witnesses[0] as Process];
    // Links carry these in order and repeat what is lost; a majority is as far as the third nearest.
    const arrivedUs = this.#queue.nowUs + delayUs(witness, leader);
    const heldUpUs = Math.min(Math.max(0, leader.stalledUntilUs - arrivedUs), ELECTION_US);
    const majorityUs = 2 * (DELAY_US[0]?.[1] ?? 0);
    this.#queue.at(arrivedUs + heldUpUs + majorityUs, () => {
      this.#placement.hear({ witness: witnessId(place), number, opinions });
      this.#decide();
    });
  }

  #decide(): void {
    const { into, rule } = this.#o;
    for (const [place] of this.#nodes.entries()) {
      const node = idOf(place);
      const { failedBy, suspectedBy } = this.#placement.standingOf(node);
      const sinceMs = (this.#queue.nowUs - this.#crashedAtUs) / 1_000;
      if (node === this.#victim && suspectedBy >= 3 && !this.#isSuspected) {
        this.#isSuspected = true;
        into.suspectedMs.push(sinceMs);
      }
      if (failedBy < rule.votes) this.#failed.delete(node);
      if (failedBy < rule.votes || this.#failed.has(node)) continue;
      this.#failed.add(node);
      if (node === this.#victim) into.failedMs.push(sinceMs);
      else into.failures += 1;
      if (node !== this.#victim && this.#isRunning(node)) into.failuresOfRunning += 1;
    }
  }

  /** Neither crashed nor still within the last five seconds. */
  #isRunning(node: NodeId): boolean {
    const process = this.#nodes[node - idOf(0)] as Process;
    const endedUs = Math.max(process.stalledAtUs, process.stalledUntilUs);
    return !process.isCrashed && this.#queue.nowUs - endedUs > 5_000_000;
  }

  /** The first node that does not stand still just now ends. */
  #crash(): void {
    const { nowUs } = this.#queue;
    const place = this.#nodes.findIndex((_, at) => !this.#failed.has(idOf(at)) && this.#isRunning(idOf(at)));
    const node = this.#nodes[place];
    if (node === undefined) return;
    node.isCrashed = true;
    this.#crashedAtUs = nowUs;
    this.#victim = idOf(place);
    if (!this.#o.breaks) return;
    for (const [at, witness] of this.#witnesses.entries()) {
      // The break travels one way, the call that is refused there and back.
      this.#queue.after(3 * delayUs(node, witness) + 20_000, () => {
        this.#awake(witness, () => {
          this.#detectors[at]?.gone(idOf(place));
          this.#state(at);
        });
      });
    }
  }
}

export const SHIPPED: Rule = {
  name: 'as shipped: 3.5 s, 4.5 s, 3 of 5, stall credit',
  limits: DETECTOR_LIMITS,
  votes: 3,
};

function delayUs(from: Process, to: Process): number {
  return DELAY_US[from.region]?.[to.region] ?? 0;
}

function witnessId(place: number): NodeId {
  return nodeId(place + 1);
}

function idOf(place: number): NodeId {
  return nodeId(place + 1 + WITNESS_REGIONS.length);
}
