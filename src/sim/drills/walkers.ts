// All players who walk in a simulated world, and what must become of them where nothing is wrong.
//
// `run.ts` owns them. While faults last, nearly anything may excuse that somebody is not seen. When they
// have ended, everyone must stand in one region, the one of his place, and those near must see him there.
// While it stays calm after that, he never vanishes for them, whatever edges he walks over.
import { Random } from '../../base/random.ts';
import type { Place } from '../../wire/calls.ts';
import { FORGET_AFTER_MS } from '../../wire/motion.ts';
import { regionAt } from '../../world/space/region-map.ts';
import { UNNAMED_MS_MAX } from '../../world/space/residents.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Course } from './course.ts';
import type { MotionPlan } from '../plan/motion-plan.ts';
import type { Stand } from '../checks/space-invariants.ts';
import type { Verdicts } from '../checks/violation.ts';
import { Walker } from '../play/walker.ts';

/** Nobody else has these numbers. */
const FIRST_PLAYER = 700_000_001;
const BEGIN_US = 600_000;
/** Who is left behind is let go and was shown until then, and is forgotten so much later. */
const SETTLE_MS_MAX: number = UNNAMED_MS_MAX + FORGET_AFTER_MS + 2_500;
/**
 * Who is shown elsewhere than he is, is shown so no more after so long, and is seen where he is: the region
 * that is not told of the end of his stay keeps him until he goes unnamed, by a word that came late.
 */
const STALE_US_MAX: number = (UNNAMED_MS_MAX + 2_500) * 1_000;
/** Whom a region has let go is shown beyond its edge so much longer, by a word that came late. */
const GHOST_US_MAX: number = (FORGET_AFTER_MS + 3_000) * 1_000;
/** By the slowest clock everybody in sight is told of within so long, and the tick that is due. */
const WHOLE_US_MAX = 2_000_000;
const WATCH_US = 250_000;
/** What was held up before is past by then, and everybody may go as far at once as anybody may. */
const CATCH_UP_US = 4_000_000;
/** From one end of the planet to the other and back, twice, and what timers and links add to it. */
const HAND_OVER_US_MAX = 1_000_000;

/** How one walker sees another. */
interface Sight {
  /** When he was last shown him where he was at that time, and when elsewhere. */
  trueUs: number;
  falseUs: number;
}

export class Walkers {
  readonly all: readonly Walker[];
  readonly #cluster: Cluster;
  readonly #verdicts: Verdicts;
  readonly #sights = new Map<string, Sight>();
  /** Where each stands in a settled world, and since when. */
  readonly #stands = new Map<number, { readonly text: string; readonly sinceUs: number }>();
  #isWatched = false;
  #watchedSinceUs = 0;
  /** When everyone was last found in his place, and in no other. */
  #placedUs = 0;

  constructor(cluster: Cluster, plan: { readonly seed: number; readonly motion: MotionPlan | undefined }) {
    this.#cluster = cluster;
    const { verdicts, topology, spaceInvariants } = cluster.world;
    this.#verdicts = verdicts;
    const { walkers = 0, region = 0, lat = 0 } = plan.motion ?? {};
    const lon = topology.regions.find(({ number }) => number === region)?.westLon ?? 0;
    this.all = Array.from({ length: walkers }, (_, place) => {
      const player = FIRST_PLAYER + place;
      spaceInvariants.walks(player);
      return new Walker({
        player,
        cluster,
        random: new Random(`walker ${place} of ${plan.seed}`),
        edge: { lat, lon },
        shown: (other, where) => this.#shown(player, other, where),
        misled: (what) => verdicts.broken('STAY', what),
        lies: (who, where) => spaceInvariants.lies(who, where),
        held: (what) => this.#held(what),
      });
    });
  }

  begin(): void {
    const { queue } = this.#cluster.world;
    for (const walker of this.all) queue.at(BEGIN_US, () => walker.begin());
    if (this.all.length > 0) queue.at(BEGIN_US, () => this.#watch());
  }

  /**
   * Demands that everyone stands where he is and is seen there, and leaves them walking and watched.
   * `oneGoes`: one of them is far off by then, and must be seen no more.
   */
  settle(course: Course, when: string, oneGoes: boolean = false): void {
    const last = this.all.at(-1);
    if (last === undefined) return;
    for (const walker of this.all) walker.isResting = true;
    last.restsFar = oneGoes;
    if (!course.until(() => this.#misplaced() === undefined, SETTLE_MS_MAX)) {
      course.broken('PLACE', `${this.#misplaced()} ${SETTLE_MS_MAX} ms ${when}: ${course.picture()}`);
    }
    const { queue } = this.#cluster.world;
    this.#placedUs = queue.nowUs;
    if (!course.until(() => this.#unseen() === undefined, SETTLE_MS_MAX)) {
      course.broken('GHOST', `${this.#unseen()} ${SETTLE_MS_MAX} ms ${when}`);
    }
    for (const walker of this.all) walker.isResting = false;
    last.restsFar = false;
    this.#stands.clear();
    this.#isWatched = true;
    this.#watchedSinceUs = queue.nowUs;
  }

  /** From now on something may be wrong again. */
  unwatch(): void {
    this.#isWatched = false;
  }

  /** Who does not stand in one region, the one of his place, on the node that has it. */
  #misplaced(): string | undefined {
    const { spaceInvariants, topology } = this.#cluster.world;
    for (const { player, isIn, place } of this.all) {
      const region = regionAt(topology.regions, place);
      const primary = this.#cluster.primaryOf(region?.number ?? 0);
      const stands = spaceInvariants.standsAt(player);
      const [one] = stands;
      const isRight = stands.length === 1 && one?.node === primary && one?.region === region?.number;
      if (isRight && isIn) continue;
      const who = `${player} is ${isIn ? '' : 'not '}in the world in ${region?.name}`;
      return `${who}, and stands ${textOf(stands)}`;
    }
    return undefined;
  }

  /** Who is not seen by another near him, or is seen where he is not. */
  #unseen(): string | undefined {
    const { nowUs } = this.#cluster.world.queue;
    for (const viewer of this.all) {
      for (const seen of this.all) {
        if (seen === viewer) continue;
        const { trueUs, falseUs } = this.#sight(viewer.player, seen.player);
        const story = `${viewer.player} sees ${seen.player}`;
        if (seen.restsFar && seen.nearSinceUs < Infinity) return `${seen.player} has not gone`;
        const isGone = seen.nearSinceUs === Infinity;
        const sinceUs = isGone ? Math.max(falseUs, seen.goneUs) : falseUs;
        if (nowUs - sinceUs <= WHOLE_US_MAX) return `${story} where he is not`;
        const areNear = viewer.nearSinceUs < Infinity && seen.nearSinceUs < Infinity;
        if (areNear && nowUs - trueUs > WHOLE_US_MAX) return `${story} no more`;
      }
    }
    return undefined;
  }

  #watch(): void {
    const { queue } = this.#cluster.world;
    queue.after(WATCH_US, () => this.#watch());
    if (!this.#isWatched) return;
    for (const walker of this.all) this.#standsOnce(walker);
    const sinceUs = queue.nowUs - STALE_US_MAX;
    const near = this.all.filter(({ nearSinceUs }) => nearSinceUs < sinceUs);
    for (const viewer of near) {
      for (const seen of near) {
        if (seen === viewer || this.#sight(viewer.player, seen.player).trueUs >= sinceUs) continue;
        const what = `${seen.player} has vanished for ${viewer.player}, who is near him all the while`;
        this.#verdicts.broken('GHOST', what);
      }
    }
  }

  /** Between two regions he is in both, for the time of a hand-over, and never in none. */
  #standsOnce({ player, nearSinceUs, isLingering }: Walker): void {
    const { queue, spaceInvariants } = this.#cluster.world;
    const stands = spaceInvariants.standsAt(player);
    const now = { text: textOf(stands), sinceUs: queue.nowUs };
    const before = this.#stands.get(player);
    const isAsBefore = before?.text === now.text;
    if (!isAsBefore) this.#stands.set(player, now);
    if (isLingering || stands.length === 1 || !isAsBefore) return;
    // Who was out of the world stood rightly in none until he came in.
    if (queue.nowUs - Math.max(before.sinceUs, nearSinceUs) < HAND_OVER_US_MAX) return;
    this.#verdicts.broken('PLACE', `${player} stands ${now.text}, where nothing is wrong`);
  }

  /** A node or a link that stood still for long makes an honest walker late: only then he may be held. */
  #held(what: string): void {
    const sinceUs = this.#cluster.world.queue.nowUs - this.#watchedSinceUs;
    if (this.#isWatched && sinceUs >= CATCH_UP_US) this.#verdicts.broken('SPEED', what);
  }

  #shown(viewer: number, player: number, where: Place): void {
    const seen = this.all[player - FIRST_PLAYER];
    if (seen === undefined || viewer === player) return;
    const { nowUs } = this.#cluster.world.queue;
    const awayUs = seen.awayUs(where);
    const sight = this.#sight(viewer, player);
    const story = `${viewer} is shown ${player} at ${where.lat},${where.lon}`;
    if (awayUs === undefined) this.#verdicts.broken('STAY', `${story}, where he never was`);
    else if (awayUs <= STALE_US_MAX) {
      // Who has gone out of sight is not to be shown any more, once that is known.
      if (seen.nearSinceUs === Infinity && awayUs > 0) sight.falseUs = nowUs;
      else sight.trueUs = nowUs;
    } else {
      sight.falseUs = nowUs;
      if (!this.#isWatched || this.#isLeftOver(player, where)) return;
      const agoMs = Math.floor(awayUs / 1_000);
      this.#verdicts.broken('GHOST', `${story}, where he was ${agoMs} ms ago`);
    }
  }

  /** The ghost of a stay that had ended when all were in their places: nobody may have seen it there yet. */
  #isLeftOver(player: number, where: Place): boolean {
    const { queue, spaceInvariants } = this.#cluster.world;
    const hadUs = spaceInvariants.hadUs(player, where);
    return hadUs <= this.#placedUs && queue.nowUs - hadUs < GHOST_US_MAX;
  }

  #sight(viewer: number, player: number): Sight {
    const key = `${viewer} ${player}`;
    const known = this.#sights.get(key) ?? { trueUs: -Infinity, falseUs: -Infinity };
    this.#sights.set(key, known);
    return known;
  }
}

function textOf(stands: readonly Stand[]): string {
  if (stands.length === 0) return 'nowhere';
  return stands.map(({ region, node, epoch }) => `in ${region} at ${node} under ${epoch}`).join(' and ');
}
