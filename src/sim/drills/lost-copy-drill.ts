// The drill of a copy that comes back without its log, while the primary that knows what it had is dead.
//
// `run.ts` calls it. A copy that has forgotten what it acknowledged looks like one that never had anything.
// Chaos seldom takes it away while the third copy trails and the primary is gone, and then nobody is left
// who may lead.
import type { Random } from '../../base/random.ts';
import type { Course } from './course.ts';
import { acrossOf } from '../nemesis/cuts.ts';
import { CALM_MS } from './drills.ts';
import { loseCopy } from '../nemesis/lost-copies.ts';
import type { Nemesis } from '../nemesis/nemesis.ts';
import { gatewayBeside, RegionPlayer } from '../play/region-player.ts';

/** The player of the drill: nobody else has this number. */
const PLAYER = 930_000_000;
const PLAYS_MS_MIN = 100;
const PLAYS_MS_MAX = 500;
/** The dead primary's connections break: witnesses say so at once, and its place is sought. */
const SOUGHT_MS_MIN = 600;
const SOUGHT_MS_MAX = 2_000;

/** Nobody leads by the word of a copy that has lost its log, and once the primary is back, it leads again. */
export function forgetCopy(
  course: Course,
  nemesis: Nemesis,
  o: { readonly region: number; readonly random: Random; readonly serveMs: number },
): void {
  const { cluster, mark, workload } = course.parts;
  const { region, random } = o;
  const plan = workload.regions.find(({ number }) => number === region);
  const primary = cluster.primaryOf(region);
  if (plan === undefined || primary === undefined || course.isBroken) return;
  const [trails, forgets] = plan.copies.filter((node) => node !== primary);
  if (trails === undefined || forgets === undefined) return;
  const gateway = gatewayBeside(cluster, plan, primary);
  mark(`node ${trails} hears no more of region ${region}`);
  const heal = nemesis.block(acrossOf([primary], [trails]));
  const player = new RegionPlayer(workload, { region: plan, gateway, number: PLAYER, ack: 'quorum' });
  player.begin();
  course.for(random.integer(PLAYS_MS_MIN, PLAYS_MS_MAX));
  mark(`node ${primary}, its primary, dies, and ${forgets} comes back without its log`);
  cluster.kill(primary, false);
  loseCopy(cluster, region, forgets)?.();
  course.for(random.integer(SOUGHT_MS_MIN, SOUGHT_MS_MAX));
  player.isOver = true;
  heal();
  cluster.start(primary);
  course.serve(o.serveMs, `after node ${primary} came back`);
  course.for(CALM_MS);
}
