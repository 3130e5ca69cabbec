// The failure detector of one witness: what it thinks of each node that ought to beat.
//
// `services/witness` hands in beats, hints and the time, and carries changed opinions to `placement`,
// which alone decides. A node beats once a second. Three missed beats and half a beat of grace make it
// `suspected`: whom a majority suspects is passed over where others can serve, and its role stays. One
// second more makes it `failed`, which is a proposal and nothing else until enough witnesses say the same.
// 1. The table is seeded from the membership, so a node that is dead from the start is noticed too.
// 2. A beat counts once, and only of the newest incarnation: late and doubled ones prove nothing.
// 3. A witness that stood still itself credits all others with the time it was deaf.
// 4. A node that was doubted is trusted again only after a calm without a missed beat.
// Patience does most of the work here, not cleverness: see docs/placement.md for what was measured.
// Source: seed, Part III.1; Chandra and Toueg 1996 (a detector may be wrong, hence no role hangs on it).
import type { NodeId } from '../../base/id.ts';

/** How often a node beats. */
export const BEAT_MS = 1_000;
/** How often `tick` is to be called; how late it comes tells how long this process stood still. */
export const DETECTOR_TICK_MS = 100;

export interface DetectorLimits {
  /** Silence that makes a node suspected: three beats and a half. */
  readonly suspectMs: number;
  /** Silence that makes it failed. */
  readonly failMs: number;
  /** Silence, from the witness's own start, that makes one failed that it never heard. */
  readonly bootMs: number;
  /** How long a doubted node must beat without a gap before it is trusted again. */
  readonly calmMs: number;
  /** The longest pause between two beats that is no gap: one beat and a half. */
  readonly gapMs: number;
  /** A tick that is later than this was late because the witness stood still. */
  readonly stallMs: number;
}

export const DETECTOR_LIMITS: DetectorLimits = {
  suspectMs: 3_500,
  failMs: 4_500,
  bootMs: 10_000,
  calmMs: 5_000,
  gapMs: 1_500,
  stallMs: 200,
};

/** `trusted` and `suspected` are for routing. Only `failed` asks for a change of roles. */
export type Opinion = 'trusted' | 'suspected' | 'failed';

/** What a node says of itself with each beat. */
export interface Beat {
  /** Of the process: a later start has a higher one. From 1. */
  readonly incarnation: number;
  /** Of the beat within it, from 1. */
  readonly sequence: number;
}

export interface NodeOpinion {
  readonly node: NodeId;
  /** The newest that was heard; 0 for a node that never was. */
  readonly incarnation: number;
  readonly opinion: Opinion;
}

interface Watched {
  opinion: Opinion;
  incarnation: number;
  sequence: number;
  heardMs: number;
  /** Since when a doubted node has beaten without a gap. */
  calmSinceMs: number;
}

export class Detector {
  readonly #limits: DetectorLimits;
  readonly #watched = new Map<NodeId, Watched>();
  #tickedMs: number;

  /** `nodes` are all that ought to beat, heard or not; others are never spoken of. */
  constructor(nodes: readonly NodeId[], nowMs: number, limits: DetectorLimits = DETECTOR_LIMITS) {
    this.#limits = limits;
    this.#tickedMs = nowMs;
    for (const node of nodes) {
      this.#watched.set(node, {
        opinion: 'trusted',
        incarnation: 0,
        sequence: 0,
        heardMs: nowMs,
        calmSinceMs: nowMs,
      });
    }
  }

  /** False for a beat that proves nothing: late, doubled, of an older process or of a stranger. */
  beat(node: NodeId, { incarnation, sequence }: Beat, nowMs: number): boolean {
    const watched = this.#watched.get(node);
    if (watched === undefined || incarnation < watched.incarnation) return false;
    if (incarnation === watched.incarnation && sequence <= watched.sequence) return false;
    if (nowMs - watched.heardMs > this.#limits.gapMs) watched.calmSinceMs = nowMs;
    if (watched.opinion === 'failed') {
      watched.opinion = 'suspected';
      watched.calmSinceMs = nowMs;
    }
    watched.incarnation = incarnation;
    watched.sequence = sequence;
    watched.heardMs = nowMs;
    return true;
  }

  /**
   * The link to a node broke and nobody listens there any more: its process ended. Waiting would add
   * nothing. Of a node that was never heard it says nothing, for that one may not have started yet.
   */
  gone(node: NodeId): void {
    const watched = this.#watched.get(node);
    if (watched === undefined || watched.incarnation === 0) return;
    watched.opinion = 'failed';
  }

  /** Judges all nodes by what was heard until now; to be called every `DETECTOR_TICK_MS`. */
  tick(nowMs: number): void {
    const lateMs = nowMs - this.#tickedMs - DETECTOR_TICK_MS;
    this.#tickedMs = nowMs;
    for (const watched of this.#watched.values()) {
      // Whatever was sent meanwhile may still wait in the sockets of this process.
      if (lateMs > this.#limits.stallMs) {
        watched.heardMs = Math.min(watched.heardMs + lateMs, nowMs);
      }
      watched.opinion = this.#judge(watched, nowMs);
    }
  }

  /** The newest incarnation that was heard of a node; 0 when there is none. */
  incarnationOf(node: NodeId): number {
    return this.#watched.get(node)?.incarnation ?? 0;
  }

  /** Of every watched node, in the order of the membership. */
  opinions(): readonly NodeOpinion[] {
    return [...this.#watched].map(([node, { incarnation, opinion }]) => {
      return { node, incarnation, opinion };
    });
  }

  #judge({ opinion, incarnation, heardMs, calmSinceMs }: Watched, nowMs: number): Opinion {
    const { suspectMs, failMs, bootMs, calmMs } = this.#limits;
    const silentMs = nowMs - heardMs;
    // Once failed, only a beat makes a node more than that.
    if (opinion === 'failed') return 'failed';
    if (silentMs >= (incarnation === 0 ? bootMs : failMs)) return 'failed';
    if (silentMs >= suspectMs) return 'suspected';
    if (opinion === 'trusted') return 'trusted';
    const isCalm = silentMs <= this.#limits.gapMs && heardMs - calmSinceMs >= calmMs;
    return isCalm ? 'trusted' : 'suspected';
  }
}
