// One simulated player in the world: enters, walks over an edge and back, leaps, leaves, changes his link.
//
// `walkers.ts` owns them. What a real client does with a gateway's answers, and no more. Every report is of
// a place of its own, so that what others are shown tells which report it is.
import { cosine, distanceMm, MM_PER_UNIT, normalPlace } from '../../base/earth.ts';
import { playerId } from '../../base/id.ts';
import type { Random } from '../../base/random.ts';
import type { EnterOutcome, Presences, Viewer } from '../../services/space/presences.ts';
import type { Place } from '../../wire/calls.ts';
import { type Correction, decodeServerMotion, encodeUpdate, REGION_STRAY_MM } from '../../wire/motion.ts';
import { BURST_METRES, SPEED_METRES_PER_SECOND } from '../../world/space/footing.ts';
import { regionAt } from '../../world/space/region-map.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { VirtualProcess } from '../machine/process.ts';

const STEP_MM = 1_400;
/** Farther than anybody can go before he leaps again: he is put back. */
const TOO_FAR_MM = 3_000_000;
/** So far he can go at once, and in each second after that by the fastest clock. */
const BURST_MM: number = BURST_METRES * 1_000;
const SPEED_MM_PER_SECOND: number = SPEED_METRES_PER_SECOND * 1_150;
/** Walkers turn back so far from the edge. */
const WAY_MM = 9_000;
/** So far off along the edge, and so far from it, nobody of either side is in sight. */
const FAR_UNITS = 200_000;
const FAR_MM = 1_500_000;
/** He stays there for so many steps. */
const FAR_STEPS = 15;
const STEP_MS_MIN = 130;
const STEP_MS_MAX = 280;
const RECONNECT_MS_MAX = 700;
/** A gateway notices the end of a link so late. */
const HALF_OPEN_MS_MAX = 2_000;
/** And so long it takes until no region has him by that link. */
const LINGERS_MS = 500;
const AWAY_MS_MAX = 1_500;
const ENTERING_US_MAX = 4_000_000;

/** A player's link at a gateway, while its process lives. */
interface Link {
  readonly gateway: number;
  readonly life: VirtualProcess;
  isOpen: boolean;
}

/** Where he was let in by a call, and when he asked for it. */
interface Leap {
  readonly place: Place;
  readonly atUs: number;
}

export interface WalkerOptions {
  readonly player: number;
  readonly cluster: Cluster;
  readonly random: Random;
  /** A place on the edge. */
  readonly edge: Place;
  /** He was shown another one. */
  readonly shown: (player: number, place: Place) => void;
  /** He was told where he stands by a region that does not have him. */
  readonly misled: (what: string) => void;
  /** He reports a place where he can not be. */
  readonly lies: (player: number, place: Place) => void;
  /** He was put back as too fast, and was not. */
  readonly held: (what: string) => void;
}

export class Walker {
  readonly player: number;
  /** He stands still, in the world, until it is false again. */
  isResting = false;
  /** He does so far from the others. */
  restsFar = false;
  /** He walks to the other side of the edge, and does nothing else meanwhile. */
  isCrossing = false;
  /** Since when he is in the world without a leap, within sight of the edge. */
  nearSinceUs: number = Infinity;
  /** When he last was that. */
  goneUs: number = -Infinity;
  #place: Place;
  readonly #o: WalkerOptions;
  #link: Link | undefined;
  #lingersUntilUs = 0;
  #isIn = false;
  #isEntering = false;
  #leapt: Leap | undefined;
  /** He has gone no faster than he may since. */
  #isHonest = true;
  #heading = 1;
  #sequence = 0;
  #reports = 0;
  #pausedUntilUs = 0;
  #wasCrossing = false;
  /** When he left each place that he reported; infinity for the one where he is. */
  readonly #leftUs = new Map<string, number>();

  constructor(options: WalkerOptions) {
    this.#o = options;
    this.player = options.player;
    this.#place = options.edge;
  }

  get place(): Place {
    return this.#place;
  }

  /** As far on the other side of the edge. */
  get beyond(): Place {
    const { lat, lon } = this.#place;
    return normalPlace({ lat, lon: 2 * this.#o.edge.lon - lon });
  }

  /** In the world by his own account. */
  get isIn(): boolean {
    return this.#isIn && this.#isLinked;
  }

  /** A former link of his may still be taken for him. */
  get isLingering(): boolean {
    return this.#nowUs < this.#lingersUntilUs;
  }

  get gateway(): number | undefined {
    return this.#isLinked ? this.#link?.gateway : undefined;
  }

  begin(): void {
    this.#step();
  }

  /** For how long he has not been there; `undefined` if he never was. Others know a place only so well. */
  awayUs(place: Place): number | undefined {
    const leftUs = this.#leftUs.get(textOf(place));
    if (leftUs === undefined) return undefined;
    if (this.#isIn && distanceMm(place, this.#place) <= 2 * REGION_STRAY_MM) return 0;
    return Math.max(0, this.#nowUs - leftUs);
  }

  get #nowUs(): number {
    return this.#o.cluster.world.queue.nowUs;
  }

  get #isLinked(): boolean {
    const { isOpen, life } = this.#link ?? {};
    return isOpen === true && life?.alive === true;
  }

  #step(): void {
    const { cluster, random } = this.#o;
    const stepMs = random.integer(STEP_MS_MIN, STEP_MS_MAX);
    cluster.world.queue.after(stepMs * 1_000, () => this.#step());
    if (!this.#isLinked) this.#lost();
    else if (this.#isEntering) return;
    else if (this.#isIn) this.#act();
    else if (this.#nowUs >= this.#pausedUntilUs) this.#enter(this.#near());
  }

  #act(): void {
    const { random } = this.#o;
    if (this.isResting && (this.#isFar || !this.restsFar)) return this.#report(this.#place);
    if (this.isResting) return this.#goFar();
    if (this.#isFar) {
      if (random.chance(1, FAR_STEPS)) this.#enter(this.#near());
      return;
    }
    const dice = this.isCrossing ? 99 : random.integer(0, 199);
    if (dice < 2) this.#enter(this.#near());
    else if (dice < 4) this.#goFar();
    else if (dice < 6) this.#leave();
    else if (dice < 8) this.#changeLink();
    else if (dice < 10) this.#walk(TOO_FAR_MM);
    else this.#walk();
  }

  #goFar(): void {
    const { edge, random } = this.#o;
    const lat = edge.lat - FAR_UNITS;
    const east = random.chance(1, 2) ? FAR_MM : -FAR_MM;
    this.#enter({ lat, lon: edge.lon + unitsOf(east, lat) });
  }

  #walk(byMm: number = STEP_MM): void {
    if (byMm > STEP_MM) this.#isHonest = false;
    const { random, edge } = this.#o;
    const offMm = eastOfMm(edge, this.#place);
    const isTurning = this.isCrossing ? !this.#wasCrossing : Math.abs(offMm) > WAY_MM;
    this.#wasCrossing = this.isCrossing;
    if (isTurning) this.#heading = -Math.sign(offMm) || 1;
    else if (!this.isCrossing && random.chance(1, 12)) this.#heading = -this.#heading;
    this.#report({ ...this.#place, lon: this.#place.lon + this.#heading * unitsOf(byMm, edge.lat) });
  }

  get #isFar(): boolean {
    return Math.abs(this.#place.lat - this.#o.edge.lat) > FAR_UNITS / 2;
  }

  #near(): Place {
    const { edge, random } = this.#o;
    const east = random.integer(-WAY_MM, WAY_MM);
    return { lat: edge.lat, lon: edge.lon + unitsOf(east, edge.lat) };
  }

  /** That place, moved by a hair, so that he never was there before. */
  #fresh({ lat, lon }: Place): Place {
    const { edge } = this.#o;
    const base = Math.abs(lat - edge.lat) > FAR_UNITS / 2 ? edge.lat - FAR_UNITS : edge.lat;
    this.#reports += 1;
    return normalPlace({ lat: base - this.#reports, lon });
  }

  #goes(place: Place): void {
    this.#leftUs.set(textOf(this.#place), this.#nowUs);
    this.#place = place;
    this.#leftUs.set(textOf(place), Infinity);
  }

  #report(to: Place): void {
    const link = this.#link;
    const place = this.#fresh(to);
    this.#goes(place);
    this.#sequence += 1;
    const timeMs = Math.floor(this.#nowUs / 1_000) % 2 ** 32;
    const update = encodeUpdate({ sequence: this.#sequence, timeMs, ...place, north: 0, east: 0 });
    const leapt = this.#leapt;
    this.#at(link, (presences) => {
      if (!canBe(place, leapt, this.#nowUs)) this.#o.lies(this.player, place);
      if (presences.holds(playerId(this.player))) presences.moved(playerId(this.player), update);
      else if (link === this.#link && this.isIn) this.#o.misled(`${this.player} is forgotten by his gateway`);
    });
  }

  #enter(to: Place): void {
    const link = this.#link;
    const place = this.#fresh(to);
    const leapt = { place, atUs: this.#nowUs };
    this.#isEntering = true;
    this.#isGone();
    const settle = (outcome: EnterOutcome): void => {
      if (link !== this.#link) return;
      this.#isEntering = false;
      if (outcome.kind !== 'done') return;
      this.#goes(place);
      this.#leapt = leapt;
      this.#isHonest = true;
      this.#isIn = true;
      this.nearSinceUs = this.#isFar ? Infinity : this.#nowUs;
    };
    this.#at(link, (presences) => {
      // Others may be shown him there before he is answered, or though he never is.
      this.#leftUs.set(textOf(place), this.#nowUs + ENTERING_US_MAX);
      presences.enter(playerId(this.player), { place, viewer: this.#viewer(link), settle });
    });
  }

  #leave(): void {
    this.#gone();
    this.#end(this.#link);
    this.#pause(AWAY_MS_MAX);
  }

  /** He is somewhere else on the net at once; his gateway may learn of it later. */
  #changeLink(): void {
    this.#close(this.#o.random.integer(0, HALF_OPEN_MS_MAX));
    this.#lost();
  }

  #close(afterMs: number): void {
    const link = this.#link;
    this.#link = undefined;
    this.#gone();
    this.#lingersUntilUs = this.#nowUs + (afterMs + LINGERS_MS) * 1_000;
    if (link === undefined) return;
    this.#o.cluster.world.queue.after(afterMs * 1_000, () => {
      link.isOpen = false;
      // Unless a later link of his is there by then, and has ended this one.
      if (this.#link?.life !== link.life) this.#end(link);
    });
  }

  #end(link: Link | undefined): void {
    this.#at(link, (presences) => presences.leave(playerId(this.player)));
  }

  #gone(): void {
    this.#leftUs.set(textOf(this.#place), this.#nowUs);
    this.#isIn = false;
    this.#isEntering = false;
    this.#isGone();
  }

  #isGone(): void {
    if (this.nearSinceUs < Infinity) this.goneUs = this.#nowUs;
    this.nearSinceUs = Infinity;
  }

  #pause(msMax: number): void {
    this.#pausedUntilUs = this.#nowUs + this.#o.random.integer(0, msMax) * 1_000;
  }

  /** Tries another gateway when his link is gone. */
  #lost(): void {
    if (this.#link !== undefined) {
      this.#gone();
      this.#link = undefined;
      this.#pause(RECONNECT_MS_MAX);
    }
    if (this.#nowUs < this.#pausedUntilUs) return;
    const { cluster, random } = this.#o;
    const gateway = random.pick([...cluster.regions.keys()]) ?? 0;
    const life = cluster.life(gateway);
    if (life === undefined) return;
    this.#link = { gateway, life, isOpen: true };
    // A gateway has one link of a player: the one before ends with this one.
    this.#end(this.#link);
  }

  #viewer(link: Link | undefined): Viewer {
    const { shown } = this.#o;
    return {
      offer: (bytes) => {
        if (link !== this.#link) return true;
        const motion = decodeServerMotion(bytes);
        if (motion.kind === 'tick') {
          for (const { player, lat, lon } of motion.avatars) shown(player, { lat, lon });
        } else this.#corrected(motion.correction);
        return true;
      },
      crossed: (entered) => {
        if (link === this.#link) this.#isMine(entered.region);
      },
      superseded: () => {
        if (link === undefined) return;
        link.isOpen = false;
        this.#o.cluster.world.queue.after(0, () => this.#end(link));
      },
    };
  }

  #corrected({ lat, lon, sequence, reason }: Correction): void {
    const { regions } = this.#o.cluster.world.topology;
    const place = { lat, lon };
    const isWronged = reason === 'too-fast' && this.#isHonest;
    if (isWronged) this.#o.held(`${this.player} is put back to ${textOf(place)} as too fast, and was not`);
    this.#isMine(regionAt(regions, place)?.name ?? '');
    // What he has reported since is judged by itself.
    if (sequence === this.#sequence) this.#goes(place);
  }

  /** Whoever says where he is, has him. */
  #isMine(region: string): void {
    const host = this.#o.cluster.regions.get(this.#link?.gateway ?? 0);
    const has = host?.spaces?.presences.regionOf(playerId(this.player))?.name;
    if (has === region) return;
    this.#o.misled(`${this.player} is told that ${region} has him, and ${has ?? 'nobody'} does`);
  }

  #at(link: Link | undefined, step: (presences: Presences) => void): void {
    if (link === undefined || !link.life.alive) return;
    const host = this.#o.cluster.regions.get(link.gateway);
    host?.walk(({ presences }) => step(presences));
  }
}

function eastOfMm(edge: Place, place: Place): number {
  const east = normalPlace({ lat: 0, lon: place.lon - edge.lon }).lon;
  return east * MM_PER_UNIT * cosine(edge.lat);
}

/** Whatever way he went since that leap. */
function canBe(place: Place, leapt: Leap | undefined, nowUs: number): boolean {
  if (leapt === undefined) return true;
  const seconds = (nowUs - leapt.atUs) / 1_000_000;
  return distanceMm(leapt.place, place) <= BURST_MM + SPEED_MM_PER_SECOND * seconds;
}

function unitsOf(mm: number, lat: number): number {
  return Math.round(mm / (MM_PER_UNIT * cosine(lat)));
}

function textOf({ lat, lon }: Place): string {
  return `${lat},${lon}`;
}
