// The drill of a member whose memory rots: no reply shows it, and it must stop by itself.
//
// `run.ts` calls it last: who has stopped so stays down, as by its exit code it would.
import type { Random } from '../../base/random.ts';
import type { Course } from './course.ts';
import { SIM_HASH_EVERY } from '../machine/rotten-memory.ts';

const ENTRIES_MAX: number = 4 * SIM_HASH_EVERY;
const PLAYS_MS_MAX = 30_000;
/**
 * Members whose checkpoints follow each other walk their states nearly all the time, and a place counts
 * only where a majority and the rotten one are all free. Where many play fast and checkpoints are small
 * that never happens, so now and then they pause, and all walks come to an end.
 */
const COMPARED_MS_MAX = 30_000;
const ROUND_MS = 2_000;
const PAUSE_MS = 700;
const SERVE_ELECTIONS_MAX = 20;

/** A follower of the group becomes something else, and ends before much is decided; the others serve. */
export function rotMemory(course: Course, { group, random }: { group: number; random: Random }): void {
  const { cluster, electionMs, mark, workload } = course.parts;
  const leader = cluster.leaderOf(group);
  if (leader === undefined || !course.isWhole) return;
  // A leader would hand what it has become on to a follower that trails.
  const node = random.pick(cluster.votersOf(group).incoming.filter((each) => each !== leader));
  const host = node === undefined ? undefined : cluster.globals.get(node);
  const copy = host?.groups.get(group);
  if (node === undefined || host === undefined || copy === undefined) return;
  mark(`the memory of node ${node} rots`);
  const before = copy.applied;
  host.isRotten = true;
  workload.isOver = false;
  workload.begin();
  const hasStopped = (): boolean => host.isRefused;
  const isDecided = (): boolean => copy.applied >= before + ENTRIES_MAX;
  const isAsked = course.until(() => hasStopped() || isDecided(), PLAYS_MS_MAX);
  // A world that hardly plays comes by no place at which it would be compared.
  if (!isAsked) host.isRotten = false;
  else if (!hasStoppedInTime(course, hasStopped)) {
    course.broken('ROT', `node ${node} goes on with a state that no other member has: ${course.picture()}`);
  }
  course.serve(SERVE_ELECTIONS_MAX * electionMs, `after node ${node} had to stop`);
}

function hasStoppedInTime(course: Course, hasStopped: () => boolean): boolean {
  const { workload } = course.parts;
  for (let ms = 0; ms < COMPARED_MS_MAX; ms += ROUND_MS) {
    if (course.until(hasStopped, ROUND_MS - PAUSE_MS)) return true;
    workload.isOver = true;
    if (course.until(hasStopped, PAUSE_MS)) return true;
    workload.isOver = false;
    workload.begin();
  }
  return hasStopped();
}
