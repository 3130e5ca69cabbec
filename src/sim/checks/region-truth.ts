// What clients were told of regions, held against what the regions' copies have on their disks.
//
// `workload.ts` reports every answer. A decided command must stand in the log at its order with this very
// reply, and on as many disks as its level says. A read must hold what its bound promises: all that was
// acknowledged before, or before its age; and what its own session has seen, unless a promotion lost it.
import { isEqual } from '../../base/equal-bytes.ts';
import { decodeReply, isSessionRefusal, type Reply } from '../../wire/command.ts';
import type { Place } from './epoch-chain.ts';
import { type RegionHistory, textOf } from './region-history.ts';
import type { Call, RegionalPart } from './truth.ts';
import type { Verdicts } from './violation.ts';

/** A replica judges ages by its own clock, which may run so much more slowly than the world's. */
const SLOWEST_CLOCK = 1.2;
/** Clocks show whole milliseconds. */
const CLOCK_STEP_US = 2_000;

/** One asking of a call. */
export interface Asking {
  readonly beganUs: number;
  /** What the session had seen of the region when it began. */
  readonly seen: Place | undefined;
}

export class RegionTruth {
  readonly #histories: ReadonlyMap<number, RegionHistory>;
  readonly #verdicts: Verdicts;
  readonly #refused: Call[] = [];
  decided = 0;

  constructor(
    histories: ReadonlyMap<number, RegionHistory>,
    verdicts: Verdicts,
  ) {
    this.#histories = histories;
    this.#verdicts = verdicts;
  }

  /** A decided answer, of the epoch that the region's copy names. Returns it decoded. */
  answered(
    call: Call,
    regional: RegionalPart,
    o: Asking & { readonly bytes: Uint8Array; readonly epoch: number; readonly nowUs: number },
  ): Reply {
    const reply = decodeReply(o.bytes);
    this.decided += 1;
    const history = this.#histories.get(call.group);
    if (history === undefined) return reply;
    const place: Place = { epoch: o.epoch, sequence: reply.order };
    const asked = { ...o, call, regional, place };
    if (call.mode === 'query') this.#isNewEnough(history, asked);
    else if (!isSessionRefusal(reply)) this.#isDecided(history, asked);
    // As with groups, it tells nothing of former attempts.
    else call.mayHappen = true;
    return reply;
  }

  /** The client gives up a call of which every ask was refused. */
  neverHappens(call: Call): void {
    if (call.session > 0 && !call.mayHappen) this.#refused.push(call);
  }

  /** When all is over. */
  finish(): void {
    for (const { group, session, number, name, mayHappen, answer } of this.#refused) {
      // A copy of it may have been under way when it was given up.
      if (mayHappen || answer !== undefined) continue;
      const [place] = this.#histories.get(group)?.appliedAt(session, number) ?? [];
      if (place === undefined) continue;
      const what = `${name} (${session}.${number}) was unavailable, and is applied at ${textOf(place)}`;
      this.#verdicts.broken('TRUTH', what);
    }
  }

  #isDecided(history: RegionHistory, o: Answered): void {
    const { call, regional, place, bytes, nowUs } = o;
    const { epoch, sequence } = place;
    const { chain } = history;
    const story = `${history.name}: ${call.name} (${call.session}.${call.number}) answered with`;
    // A repeat is answered in a later epoch with the place at which it was applied first.
    const at: Place = { epoch: chain.epochAt(chain.logOf(epoch), sequence) ?? 0, sequence };
    const decided = history.at(at);
    if (decided?.reply === undefined || !isEqual(decided.reply, bytes)) {
      this.#verdicts.broken('TRUTH', `${story} ${textOf(at)}, which the log does not say`);
    } else if (!isEqual(decided.data, call.body)) {
      this.#verdicts.broken('TRUTH', `${story} ${textOf(at)}, which is another command`);
    }
    this.#isSafe(history, o, at);
    history.acknowledged(regional.level === 'one' ? 'one' : 'quorum', at, nowUs);
    if (call.session === 0) return;
    if (call.answer === undefined || regional.answeredAt === undefined) {
      call.answer = bytes;
      regional.answeredAt = at;
    } else if (!isEqual(call.answer, bytes) && chain.holds(at, regional.answeredAt)) {
      this.#verdicts.broken('EO', `${story} ${textOf(at)}, and otherwise before`);
    }
  }

  /** On as many disks as its level says. */
  #isSafe(history: RegionHistory, { call, regional }: Answered, at: Place): void {
    const { committed, chain, copies } = history;
    const missing = copies.filter((node) => !history.hadOnDisk(node, at));
    const { level } = regional;
    const isEverywhere = level !== 'all' || missing.length === 0;
    const isCommitted = level === 'one' || chain.holds(committed, at);
    if (isEverywhere && isCommitted && missing.length < copies.length) return;
    const what = `${call.name} was acknowledged at ${level} as ${textOf(at)}`;
    const where = `a majority has ${textOf(committed)}, and it is not on ${missing.join(', ')}`;
    this.#verdicts.broken('CQ', `${history.name}: ${what}; ${where}`);
  }

  #isNewEnough(history: RegionHistory, { call, regional, place, seen, beganUs }: Answered): void {
    const { msOld } = regional;
    const { chain } = history;
    const ageUs = msOld === undefined ? 0 : Math.ceil(msOld * 1_000 * SLOWEST_CLOCK) + CLOCK_STEP_US;
    const story = `${history.name}: ${call.name} reads ${textOf(place)}`;
    // Without a bound the session reads at the primary, or what it has seen itself.
    const isOfAll = msOld !== undefined || seen === undefined;
    const atUs = beganUs - ageUs;
    const known = Math.max(history.quorumBefore(atUs), history.oneBefore(place.epoch, atUs));
    if (isOfAll && place.sequence < known) {
      const bound = msOld === undefined ? 'the primary' : `at most ${msOld} ms old`;
      this.#verdicts.broken('BOUND', `${story} (${bound}), and ${known} was known before`);
    }
    if (seen === undefined || place.sequence >= seen.sequence) return;
    const isLost = chain.epochAt(chain.logOf(place.epoch), seen.sequence) !== seen.epoch;
    if (place.epoch > seen.epoch && isLost) return;
    this.#verdicts.broken('BOUND', `${story}, and its session had seen ${textOf(seen)}`);
  }
}

interface Answered extends Asking {
  readonly call: Call;
  readonly regional: RegionalPart;
  readonly bytes: Uint8Array;
  readonly place: Place;
  readonly nowUs: number;
}
