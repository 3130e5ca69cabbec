// The drill at the end of a primacy: a primary is cut off while a player on its side goes on playing.
//
// `run.ts` calls it. What a promotion may get wrong shows in the few milliseconds between the appointment
// and the first entry of the new epoch, and in what the old primary has alone or with one copy that could
// not tell it. Chaos seldom leaves that behind, and seldom asks at that moment.
import type { Random } from '../../base/random.ts';
import type { RegionPlan } from '../../services/topology/topology.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Course } from './course.ts';
import { acrossOf, type Way } from '../nemesis/cuts.ts';
import { CALM_MS } from './drills.ts';
import type { Nemesis } from '../nemesis/nemesis.ts';
import type { DeposeDrill } from '../plan/plan.ts';
import { orderChat } from './region-events.ts';
import { gatewayBeside, RegionPlayer } from '../play/region-player.ts';

/** A silent node fails after 4.5 seconds, and is deserted after as many; then it is decided and promised. */
const DEPOSE_MS_MAX = 10_000;
/** So long the old primary and the new one are both asked. */
const BOTH_SIDES_MS = 1_500;
/** So long the player plays before anything is wrong. */
const PLAYS_MS_MAX = 300;
/** The primary hears no copy for so long before it is cut off. */
const UNANSWERED_MS_MAX = 300;
const SYNC_MS_MAX = 40;
/** The player of the drill: nobody else has this number. */
const PLAYER = 910_000_000;

/**
 * A primary that no majority of witnesses hears, or no majority of its copies, is replaced, and serves nobody
 * after that, though its own gateway goes on asking it.
 */
export function deposePrimary(
  course: Course,
  nemesis: Nemesis,
  { drill: { region, shape }, random }: { readonly drill: DeposeDrill; readonly random: Random },
): void {
  const { cluster, mark, verdicts, workload } = course.parts;
  const plan = workload.regions.find(({ number }) => number === region);
  const primary = cluster.primaryOf(region);
  if (plan === undefined || primary === undefined || course.isBroken) return;
  const beside = gatewayBeside(cluster, plan, primary);
  const quicken = slowDisks(cluster, region, random);
  // Where no other region node reaches the primary, its own gateway still does.
  const gateway = shape === 'no-copies' ? primary : beside;
  const player = new RegionPlayer(workload, { region: plan, gateway, number: PLAYER, ack: 'one' });
  player.begin();
  course.for(random.integer(0, PLAYS_MS_MAX));
  mark(`node ${primary}, primary of region ${region}, is cut off (${shape})`);
  const heals: (() => void)[] = [];
  if (shape === 'with-gateway') {
    heals.push(nemesis.block(unansweredOf(plan, primary)));
    course.for(random.integer(0, UNANSWERED_MS_MAX));
    heals.push(nemesis.block(allButOf(cluster, primary, beside)));
  } else heals.push(nemesis.cut(primary, shape));
  const isReplaced = (): boolean => ![undefined, primary].includes(cluster.primaryOf(region));
  if (!course.until(isReplaced, DEPOSE_MS_MAX)) {
    const what = `region ${region} has no other primary after ${DEPOSE_MS_MAX} ms: ${course.picture()}`;
    course.broken('LEAD', what);
  }
  course.for(BOTH_SIDES_MS);
  player.isOver = true;
  for (const heal of heals) heal();
  quicken();
  course.for(CALM_MS);
  orderChat(cluster, verdicts);
}

/** The primary hears no copy, and only one of them hears it. */
function unansweredOf({ copies }: RegionPlan, primary: number): readonly Way[] {
  const others = copies.filter((node) => node !== primary);
  const deaf = others.map((from): Way => [from, primary]);
  return [...deaf, ...others.slice(1).map((to): Way => [primary, to])];
}

function allButOf({ globals, regions }: Cluster, primary: number, beside: number): readonly Way[] {
  const others = [...globals.keys(), ...regions.keys()];
  return acrossOf([primary], others.filter((node) => node !== primary && node !== beside));
}

/** Of the region's copies, so that what is appointed, sent and applied lies apart; returns what ends it. */
function slowDisks({ regions }: Cluster, region: number, random: Random): () => void {
  const drives = [...regions.values()].flatMap((host) => host.drives.get(region) ?? []);
  const slowed = drives.map((drive) => ({ drive, us: random.integer(0, SYNC_MS_MAX) * 1_000 }));
  for (const { drive, us } of slowed) drive.syncExtraUs += us;
  return () => {
    for (const { drive, us } of slowed) drive.syncExtraUs -= us;
  };
}
