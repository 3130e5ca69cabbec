// Where one player is, as his gateway keeps it: which region has him, under which epoch, and the way
// from one region to the next.
//
// `services/presences` has one for each player who wants to be in the world, hands in what his client and
// the regions say and the time, and carries out the effects. The gateway is the only writer of a player's
// epochs, so that whatever a region or a crash makes of it, the higher epoch is right. It also judges each
// report by the regions' own rule of speed (`footing.ts`): regions die, and the next one believes the
// gateway where he is and how far he may go from there. All times are of the gateway's clock.
// Invariants:
//  P1 of all the entries that regions keep of a player for one gateway at most one bears his highest epoch;
//  P2 a region that has accepted him is never left before the next one has accepted him too: he vanishes
//     for nobody, and is owned by one;
//  P3 an epoch is entered at one region only, whichever of his links at this gateway it was issued to;
//  P4 no region hears of a place that he can not have reached since he last leapt: his footing stands in
//     the region that has him, and that of an entry in the region that is asked.
// A crash of either side at any point needs no case of its own: who does not answer is asked again, who
// has forgotten him says so, and what nobody claims any more a region lets go (`residents.ts`).
import { type Decision, done, rejected } from '../../base/errors.ts';
import type { Entered, Place } from '../../wire/calls.ts';
import { Footing } from './footing.ts';

/** An entry that is not answered is repeated after so long: messages between nodes may be lost. */
export const ENTER_REPEAT_MS = 200;
/** A client's own call to enter ends as `unavailable` after so long. */
export const ENTER_DEADLINE_MS = 3_000;
const RETRY_AFTER_MS = 500;

/** Why a region does not let a player in. */
export type EnterRefusal = 'not-on-land' | 'region-full';

export type PresenceEffect =
  /** `allowedMm`: how far he may go at once, when he came on foot; absent when he leaps in. */
  | {
      readonly kind: 'enter';
      readonly region: number;
      readonly epoch: number;
      readonly place: Place;
      readonly allowedMm: number | undefined;
    }
  | { readonly kind: 'move'; readonly region: number; readonly epoch: number; readonly update: Uint8Array }
  | { readonly kind: 'leave'; readonly region: number; readonly epoch: number }
  /** The client's call to enter has its answer; `unavailable` when no region gave one in time. */
  | { readonly kind: 'settle'; readonly decision: Decision<Entered, EnterRefusal> | Unavailable }
  /** The client is told that another region has him now. */
  | { readonly kind: 'crossed'; readonly entered: Entered }
  /** He can not be where that update says: his client and the region are told that he stands there. */
  | {
      readonly kind: 'hold';
      readonly region: number;
      readonly epoch: number;
      readonly place: Place;
      readonly update: Uint8Array;
    }
  /** He could not be taken over the edge: he stands where he was. */
  | { readonly kind: 'put-back'; readonly place: Place };

export interface Unavailable {
  readonly kind: 'unavailable';
  readonly retryAfterMs: number;
}

/** Who has him, or is asked to. */
interface Stay {
  readonly region: number;
  readonly epoch: number;
}

interface Entry extends Stay {
  /** Where he enters. Another one than that of the stay, unless he is to be had again where he stands. */
  readonly footing: Footing;
  /** A client waits for the answer: he leaps in, and does not walk. */
  readonly isAsked: boolean;
  readonly beganAtMs: number;
  askedAtMs: number;
}

interface Report {
  readonly place: Place;
  readonly update: Uint8Array;
}

export class Presence {
  readonly #regionOf: (place: Place) => number;
  #epoch: number;
  /** The region that has accepted him last. */
  #stay: Stay | undefined;
  /**
   * The region that has him, under this epoch at most: it is left under that once another one has him. The
   * epoch is above that of his stay when it was asked anew, and that was given up before it answered.
   */
  #behind: Stay | undefined;
  /** The region that is asked to. */
  #entry: Entry | undefined;
  /** Where the region that has him, or had him last, has him. */
  #footing: Footing | undefined;
  /** Where he is if that region saw him walk over its edge: it has been sent that, and has not said so. */
  #over: Footing | undefined;
  /** The newest report that no region has been sent. */
  #unsent: Report | undefined;
  #effects: PresenceEffect[] = [];

  /**
   * `regionOf` gives the number of the region that holds a place: every place is in one. Epochs count up
   * from `epoch`; one that is taken from the clock at admission lets the later of two links win.
   */
  constructor(regionOf: (place: Place) => number, epoch: number) {
    this.#regionOf = regionOf;
    this.#epoch = epoch;
  }

  /** The highest that was issued, or was heard of. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The region that has him; `undefined` while none does. */
  get region(): number | undefined {
    return this.#stay?.region;
  }

  /** What the regions that keep an entry of him must have it under, first the one that has him. */
  get stays(): readonly Stay[] {
    return [this.#stay, this.#entry].filter((stay) => stay !== undefined);
  }

  /** Whether he is in the world or on his way into it. */
  get isWanted(): boolean {
    return this.#stay !== undefined || this.#entry !== undefined;
  }

  /** When `time` is due; infinity for never. */
  get wakeAtMs(): number {
    const entry = this.#entry;
    if (entry === undefined) return Infinity;
    const deadlineMs = entry.isAsked ? entry.beganAtMs + ENTER_DEADLINE_MS : Infinity;
    return Math.min(entry.askedAtMs + ENTER_REPEAT_MS, deadlineMs);
  }

  /** The client wants to be there: from anywhere, at once. An earlier wish is settled as it stands. */
  enter(place: Place, nowMs: number): readonly PresenceEffect[] {
    if (this.#entry?.isAsked === true) this.#settle(unavailable());
    this.#abandonEntry();
    this.#unsent = undefined;
    this.#ask({ footing: new Footing(place, nowMs), isAsked: true, beganAtMs: nowMs }, nowMs);
    return this.#take();
  }

  /** False when he was not in the world. */
  leave(): { readonly wasIn: boolean; readonly effects: readonly PresenceEffect[] } {
    const wasIn = this.isWanted;
    if (this.#entry?.isAsked === true) this.#settle(unavailable());
    this.#abandonEntry();
    if (this.#behind !== undefined) this.#effects.push({ kind: 'leave', ...this.#behind });
    this.#stay = undefined;
    this.#behind = undefined;
    this.#footing = undefined;
    this.#unsent = undefined;
    return { wasIn, effects: this.#take() };
  }

  /** The client reports where he is; the newest report is kept while no region can take it. */
  moved(place: Place, update: Uint8Array, nowMs: number): readonly PresenceEffect[] {
    const report = { place, update };
    if (this.#entry !== undefined) this.#keep(this.#entry, report, nowMs);
    else this.#handOn(report, nowMs);
    return this.#take();
  }

  /** The region that has him has not taken what it was sent: he stands there. */
  corrected(from: Stay, place: Place): void {
    if (!isSame(this.#stay, from)) return;
    this.#footing?.putBack(place);
    this.#over = undefined;
  }

  /** The region has him now. */
  entered(from: Stay, entered: Entered, nowMs: number): readonly PresenceEffect[] {
    const entry = this.#entry;
    if (entry === undefined || !isSame(entry, from)) {
      // An answer to what is no longer wanted: nothing may stay behind there, unless it had him before.
      if (this.#behind?.region !== from.region) this.#effects.push({ kind: 'leave', ...from });
      return this.#take();
    }
    const behind = this.#behind;
    const unsent = this.#unsent;
    this.#stay = { region: entry.region, epoch: entry.epoch };
    this.#behind = this.#stay;
    this.#footing = entry.footing;
    this.#entry = undefined;
    this.#unsent = undefined;
    if (behind !== undefined) this.#effects.push({ kind: 'leave', ...behind });
    if (entry.isAsked) this.#settle(done(entered));
    else this.#effects.push({ kind: 'crossed', entered });
    if (unsent !== undefined) this.#handOn(unsent, nowMs);
    return this.#take();
  }

  /** The region does not let him in: he stays where he was, if he was anywhere. */
  refused(from: Stay, reason: EnterRefusal, nowMs: number): readonly PresenceEffect[] {
    const entry = this.#entry;
    if (entry === undefined || !isSame(entry, from)) return [];
    this.#entry = undefined;
    this.#unsent = undefined;
    if (entry.isAsked) {
      this.#settle(rejected(reason));
    } else {
      const { place } = this.#footing ?? entry.footing;
      this.#effects.push({ kind: 'put-back', place });
      // Where he was nobody takes him any more: he is out of the world.
      if (entry.footing === this.#footing) this.#footing = undefined;
    }
    this.#stayOn(nowMs);
    return this.#take();
  }

  /**
   * The region that has him saw him walk over its edge, and has him at `back`: the next one is asked to
   * take him, and has him in sight of this one until it does. Unless he has turned back meanwhile.
   */
  walkedOut(from: Stay, back: Place, nowMs: number): readonly PresenceEffect[] {
    const footing = this.#over;
    if (!isSame(this.#stay, from) || this.#entry !== undefined || footing === undefined) return [];
    this.#footing?.putBack(back);
    this.#ask({ footing, isAsked: false, beganAtMs: nowMs }, nowMs);
    return this.#take();
  }

  /**
   * The region knows nothing of this stay, or knows a newer epoch of him: he enters again where he is.
   * `newest` above his own epochs, and `isHere`, mean that another link has him by now, at whatever
   * gateway: unless his client has just asked to enter, `isSuperseded` is true and nothing else is done.
   */
  unknown(
    from: Stay,
    o: { readonly newest: number; readonly isHere: boolean; readonly nowMs: number },
  ): { readonly isSuperseded: boolean; readonly effects: readonly PresenceEffect[] } {
    const isEntry = this.#entry !== undefined && isSame(this.#entry, from);
    if (!isEntry && !isSame(this.#stay, from)) return { isSuperseded: false, effects: [] };
    const entry = this.#entry;
    const isTakingOver = isEntry && entry?.isAsked === true;
    if (o.isHere && o.newest > this.#epoch && !isTakingOver) return { isSuperseded: true, effects: [] };
    this.#epoch = Math.max(this.#epoch, o.newest);
    if (!isEntry) this.#stay = undefined;
    if (!isEntry && !o.isHere) this.#behind = undefined;
    if (isEntry || entry === undefined) this.#again(entry, o.nowMs);
    return { isSuperseded: false, effects: this.#take() };
  }

  /** The region has another primary, which knows nobody yet. */
  regionLost(region: number, nowMs: number): readonly PresenceEffect[] {
    const { region: entering } = this.#entry ?? {};
    if (this.#behind?.region === region) this.#behind = undefined;
    if (this.#stay?.region === region) this.#stay = undefined;
    else if (entering !== region) return [];
    const entry = this.#entry;
    if (entry === undefined || entering === region) this.#again(entry, nowMs);
    return this.#take();
  }

  time(nowMs: number): readonly PresenceEffect[] {
    const entry = this.#entry;
    if (entry === undefined || nowMs < this.wakeAtMs) return [];
    if (entry.isAsked && nowMs >= entry.beganAtMs + ENTER_DEADLINE_MS) {
      this.#settle(unavailable());
      this.#abandonEntry();
      this.#unsent = undefined;
      this.#stayOn(nowMs);
      return this.#take();
    }
    this.#pushEnter(entry, nowMs);
    return this.#take();
  }

  /** To the region that has him, if he can be there by now; beyond its edge it will say so. */
  #handOn({ place, update }: Report, nowMs: number): void {
    const [stay, footing] = [this.#stay, this.#footing];
    if (stay === undefined || footing === undefined) return;
    if (!footing.reaches(place, nowMs)) {
      this.#effects.push({ kind: 'hold', ...stay, place: footing.place, update });
      return;
    }
    const isInside = this.#regionOf(place) === stay.region;
    this.#over = isInside ? undefined : footing.after(place, nowMs);
    if (isInside) footing.go(place, nowMs);
    this.#effects.push({ kind: 'move', ...stay, update });
  }

  /** While he is on his way into a region he walks on; who can not be there is judged when he is in. */
  #keep(entry: Entry, report: Report, nowMs: number): void {
    this.#unsent = report;
    const { footing, isAsked, region } = entry;
    // Whether he leaps is not yet known, and so neither from where he walks.
    if (isAsked || !footing.reaches(report.place, nowMs)) return;
    const at = this.#regionOf(report.place);
    if (at !== region && at !== this.#stay?.region) return;
    footing.go(report.place, nowMs);
    // He turned back before the next region had him: the one that still has him takes him anew. Once is
    // enough: to end an entry into the region that has him would end his stay there too.
    if (at === region) return;
    this.#abandonEntry();
    this.#unsent = undefined;
    this.#ask({ footing, isAsked, beganAtMs: nowMs }, nowMs);
  }

  /** He did not get away: who was in the world, and was forgotten there meanwhile, enters where he was. */
  #stayOn(nowMs: number): void {
    if (this.#stay === undefined) this.#again(undefined, nowMs);
  }

  /** Asks anew what was being asked, or to have him again where he stands. */
  #again(entry: Entry | undefined, nowMs: number): void {
    const { footing, isAsked, beganAtMs } = entry ?? {
      footing: this.#footing,
      isAsked: false,
      beganAtMs: nowMs,
    };
    if (footing !== undefined) this.#ask({ footing, isAsked, beganAtMs }, nowMs);
  }

  #ask(what: Pick<Entry, 'footing' | 'isAsked' | 'beganAtMs'>, nowMs: number): void {
    this.#epoch += 1;
    this.#over = undefined;
    const region = this.#regionOf(what.footing.place);
    this.#entry = { ...what, region, epoch: this.#epoch, askedAtMs: nowMs };
    this.#pushEnter(this.#entry, nowMs);
  }

  #pushEnter(entry: Entry, nowMs: number): void {
    entry.askedAtMs = nowMs;
    const { region, epoch, footing, isAsked } = entry;
    const allowedMm = isAsked ? undefined : Math.floor(footing.allowedMm(nowMs));
    this.#effects.push({ kind: 'enter', region, epoch, place: footing.place, allowedMm });
  }

  /**
   * What was asked for may have been granted: it is given back. Not to the region that has him: that would
   * end his stay there, under whichever epoch, though no other one has him yet.
   */
  #abandonEntry(): void {
    const entry = this.#entry;
    this.#entry = undefined;
    if (entry === undefined) return;
    const { region, epoch } = entry;
    if (this.#behind?.region === region) this.#behind = { region, epoch };
    else this.#effects.push({ kind: 'leave', region, epoch });
  }

  #settle(decision: Decision<Entered, EnterRefusal> | Unavailable): void {
    this.#effects.push({ kind: 'settle', decision });
  }

  #take(): readonly PresenceEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

function isSame(a: Stay | undefined, b: Stay): boolean {
  return a !== undefined && a.region === b.region && a.epoch === b.epoch;
}

function unavailable(): Unavailable {
  return { kind: 'unavailable', retryAfterMs: RETRY_AFTER_MS };
}
