// Which of the regions that a node has it hands over to others by itself: those that may go home, and all of
// them when it ends in order.
//
// `appointments.ts` owns one and asks it each second, and at the end. Where nobody can have a region, it
// stays: it will have a successor as if this node had died. Nothing is lost by a hand-over: the old primary
// promises first, and its heir has all that was sent to him before he does. What is known of heirs may be a
// second old, so that a node that has just started asks anew and waits a little before it gives up.
import type { NodeId } from '../../base/id.ts';
import type { Clock, Logger } from '../../runtime/ports.ts';
import { leaveRegion, type PlacedRegion, returnHome } from '../../wire/placement.ts';
import type { PlacementCalls } from '../calls/placement-calls.ts';
import { Homing } from './homing.ts';
import type { PlacedCopy } from './placed-copy.ts';

/**
 * How long a node that ends may take to hand its regions over, and how often it looks how far that is:
 * several times what it takes between continents, and half of what a supervisor waits before it kills.
 */
const ALL_MS_MAX = 2_500;
/** So long it waits for a linked copy to become an heir: who is level and trusted is told each second. */
const PATIENT_MS_MAX = 1_200;
const LOOK_EVERY_MS = 20;

export interface HandOverOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly calls: PlacementCalls;
  readonly copies: ReadonlyMap<number, PlacedCopy>;
  /** What placement said last about a region. */
  readonly region: (number: number) => PlacedRegion | undefined;
  readonly isTrusted: (node: NodeId) => boolean;
  /** Whether a link to the node stands. */
  readonly isLinked: (node: NodeId) => boolean;
  /** How long nothing may have been wrong before a region goes home. */
  readonly homeAfterMs: number;
  /** Placement has been asked for a change. */
  readonly asked: () => void;
}

export class HandOvers {
  readonly #o: HandOverOptions;
  readonly #homing: Homing;
  /** Regions for which placement was asked to find an heir, and has not answered yet. */
  readonly #asking = new Set<number>();

  constructor(options: HandOverOptions) {
    this.#o = options;
    this.#homing = new Homing(options.homeAfterMs);
  }

  /** Hands the regions that this node has by mischance alone back to their first copies. */
  home(): void {
    const { calls, clock, logger, self: node } = this.#o;
    const nowMs = clock.monotonicMs();
    for (const { copy, placed } of this.#held()) {
      const isSound = (home: NodeId): boolean => this.#isSound(home, copy);
      if (!this.#homing.isDue(placed, nowMs, isSound)) continue;
      const { number: region, epoch } = placed;
      calls.ask('return', returnHome, { region, epoch, node }, ({ kind }) => {
        if (kind === 'done') logger.log('info', 'goes-home', { region, epoch });
      });
    }
  }

  /** Resolves once nothing is left that somebody else can have, and within 2.5 seconds. */
  all(): Promise<void> {
    const { clock } = this.#o;
    const beganMs = clock.monotonicMs();
    this.#o.asked();
    return new Promise((resolve) => {
      const look = (): void => {
        const nowMs = clock.monotonicMs();
        const isPatient = nowMs < beganMs + PATIENT_MS_MAX;
        if (nowMs >= beganMs + ALL_MS_MAX || !this.#leave(isPatient)) resolve();
        else clock.wakeAt(nowMs + LOOK_EVERY_MS, look);
      };
      look();
    });
  }

  /** False when nothing is left to wait for. */
  #leave(isPatient: boolean): boolean {
    const { asked, calls, logger, self: node } = this.#o;
    let isLeft = false;
    for (const { copy, placed } of this.#held()) {
      const to = placed.fence === null ? this.#heirOf(copy) : undefined;
      isLeft ||= placed.fence !== null || to !== undefined || (isPatient && this.#isAccompanied(copy));
      const { number: region, epoch } = placed;
      if (to === undefined || this.#asking.has(region)) continue;
      this.#asking.add(region);
      calls.ask('leave', leaveRegion, { region, epoch, node, to }, ({ kind }) => {
        this.#asking.delete(region);
        if (kind === 'done') logger.log('info', 'hands-over', { region, epoch, to });
        asked();
      });
    }
    return isLeft;
  }

  /** The regions that this node is primary of, also while another one is sought. */
  *#held(): Generator<{ readonly copy: PlacedCopy; readonly placed: PlacedRegion }> {
    for (const [region, copy] of this.#o.copies) {
      const placed = this.#o.region(region);
      if (placed?.primary === this.#o.self) yield { copy, placed };
    }
  }

  /** Whoever holds most of those that could serve at once. */
  #heirOf(copy: PlacedCopy): NodeId | undefined {
    const heirs = copy.status().copies.filter(({ node }) => {
      return node !== this.#o.self && this.#isSound(node, copy);
    });
    return heirs.sort((one, other) => (other.last ?? 0) - (one.last ?? 0))[0]?.node;
  }

  /** Another copy is within reach, and may become an heir. */
  #isAccompanied(copy: PlacedCopy): boolean {
    const { isLinked, self } = this.#o;
    return copy.status().copies.some(({ node }) => node !== self && isLinked(node));
  }

  /** Trusted by the witnesses, within reach, and as far as a healthy copy must be. */
  #isSound(node: NodeId, copy: PlacedCopy): boolean {
    const { isLinked, isTrusted } = this.#o;
    const { role, copies } = copy.status();
    const isHealthy = copies.some((each) => each.node === node && each.isHealthy);
    return role === 'primary' && isTrusted(node) && isLinked(node) && isHealthy;
  }
}
