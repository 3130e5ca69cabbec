// What a world that is whole must bear, one thing at a time: each drill has one fault, and a demand.
//
// `run.ts` calls them after all faults have ended. In the chaos before, nearly anything may excuse that
// something did not happen; here nothing does.
import type { Random } from '../../base/random.ts';
import { type NodeId, nodeId } from '../../base/id.ts';
import type { RegionPlan } from '../../services/topology/topology.ts';
import type { Course } from './course.ts';
import type { Nemesis } from '../nemesis/nemesis.ts';
import type { Drill, ExchangeDrill, TransferDrill } from '../plan/plan.ts';

export const CALM_MS = 900;
/** Who was doubted is trusted again after five seconds; then regions go one after the other. */
const HOME_MS_MAX = 15_000;
export const DEAF_LEADER_ELECTIONS_MAX = 20;
const TRANSFER_ELECTIONS_MAX = 4;
const CHANGE_ELECTIONS_MAX = 20;
/** Learners take longer than this to be taken in. */
const LEARNING_MS_MAX = 150;
/** A node that is in no topology. */
const NOBODY = 60_000;

/** Every region goes home, unless an operator moved it: afterwards nothing is left to change by itself. */
export function goHome(course: Course, calmMs: number): void {
  const { cluster, mark } = course.parts;
  const { regions } = cluster.world.topology;
  const isHome = ({ number, copies: [home] }: RegionPlan): boolean =>
    cluster.primaryOf(number) === home || cluster.lastAppointment(number)?.cause === 'moved';
  mark(`regions go home after ${calmMs} ms of calm`);
  const limitMs = calmMs + HOME_MS_MAX;
  if (course.until(() => regions.every(isHome), limitMs)) return;
  course.broken('LEAD', `not every region has gone home within ${limitMs} ms: ${course.picture()}`);
}

/** Players play and nothing is wrong: no leader changes. */
export function keepCalm(course: Course): void {
  const { workload } = course.parts;
  workload.isOver = false;
  workload.begin();
  const before = course.elections;
  course.for(CALM_MS);
  course.sameLeaders(before, `in ${CALM_MS} ms without any fault`);
}

/** A node that leads nothing is cut off and comes back: no leader changes by that. */
export function rejoin(course: Course, nemesis: Nemesis, { rejoin: shape, rejoinMs }: Drill): void {
  const idle = idleNode(course);
  if (idle === undefined || !course.isWhole) return;
  const before = course.elections;
  course.parts.mark(`node ${idle} is ${shape} for ${rejoinMs} ms`);
  const heal = nemesis.cut(idle, shape);
  course.for(rejoinMs);
  heal();
  course.for(CALM_MS);
  course.sameLeaders(before, `while node ${idle}, which leads nothing, was ${shape} and came back`);
}

/** A leader that hears no other node can not serve: it is replaced while that lasts. */
export function deafenLeader(course: Course, nemesis: Nemesis, group: number): void {
  const { cluster, electionMs, mark } = course.parts;
  const leader = cluster.leaderOf(group);
  if (leader === undefined || !course.isWhole) return;
  mark(`node ${leader}, leader of group ${group}, hears no other global node`);
  const heal = nemesis.cut(leader, 'deaf-to-peers');
  course.serve(DEAF_LEADER_ELECTIONS_MAX * electionMs, 'while a leader hears nobody');
  heal();
  course.for(CALM_MS);
}

/** Leadership goes to a member that is well and back, and stays where it is when that can not be. */
export function transfer(course: Course, { group, to }: TransferDrill): void {
  const { cluster, electionMs, mark, operator } = course.parts;
  const leader = cluster.leaderOf(group);
  if (leader === undefined || !course.isWhole) return;
  const voters = cluster.votersOf(group).incoming;
  const target = to === 'stranger' ? strangerTo(course, voters) : successorOf(course, leader, voters);
  mark(`group ${group}: leadership is to go from ${leader} to ${target}, a ${to}`);
  if (to === 'dead') cluster.kill(target, false);
  operator.transfer(group, target);
  const limitMs = TRANSFER_ELECTIONS_MAX * electionMs;
  if (to !== 'voter') {
    course.serve(limitMs, `after a transfer to a ${to}`);
    if (cluster.leaderOf(group) !== leader && !course.isBroken) {
      course.broken('CALM', `a transfer to a ${to} has cost node ${leader} its place`);
    }
  } else {
    goesTo(course, { group, target, limitMs });
    course.for(CALM_MS);
    operator.transfer(group, leader);
    goesTo(course, { group, target: leader, limitMs });
    course.serve(limitMs, 'after leadership went there and back');
  }
  cluster.start(target);
  course.for(CALM_MS);
}

function goesTo(
  course: Course,
  o: { readonly group: number; readonly target: number; readonly limitMs: number },
): void {
  const { cluster } = course.parts;
  if (course.until(() => cluster.leaderOf(o.group) === o.target, o.limitMs)) return;
  course.broken('CHANGE', `leadership did not go to ${o.target}: ${course.picture()}`);
}

/** A change of members ends although the leader dies at one moment of it. */
export function exchange(course: Course, drill: ExchangeDrill, random: Random): void {
  const { cluster, electionMs, mark, operator } = course.parts;
  const { group, strike, leaderGoes } = drill;
  const leader = cluster.leaderOf(group);
  if (leader === undefined || !course.isWhole) return;
  const voters = cluster.votersOf(group).incoming;
  const goes = leaderGoes ? leader : successorOf(course, leader, voters);
  const fresh = [...cluster.globals.keys()].find((node) => !voters.includes(nodeId(node)));
  const target = voters.filter((node) => node !== goes);
  if (fresh !== undefined) target.push(nodeId(fresh));
  mark(`group ${group}: ${fresh ?? 'nobody'} comes for ${goes}, and ${strike} strikes ${leader}`);
  const desist = operator.insist(group, target);
  if (strike !== 'none') strikeLeader(course, { leader, fresh, drill, random });
  const isDone = (): boolean => areSame(cluster.votersOf(group).incoming, target) && operator.isDone;
  const limitMs = CHANGE_ELECTIONS_MAX * electionMs;
  if (!course.until(isDone, limitMs)) {
    const wanted = target.join(', ');
    const what = `the voters of group ${group} are not ${wanted} within ${limitMs} ms`;
    course.broken('CHANGE', `${what}: ${course.picture()}`);
  }
  desist();
  course.serve(CHANGE_ELECTIONS_MAX * electionMs, 'after a change of members');
  cluster.start(leader);
  course.for(CALM_MS);
}

function strikeLeader(
  course: Course,
  o: {
    readonly leader: number;
    readonly fresh: number | undefined;
    readonly drill: ExchangeDrill;
    readonly random: Random;
  },
): void {
  const { cluster } = course.parts;
  const { leader, fresh, random } = o;
  const { group, strike } = o.drill;
  const sees = (): { readonly learns: boolean; readonly isJoint: boolean } => {
    const membership = cluster.globals.get(leader)?.groups.get(group)?.node.membership;
    const { learners = [], outgoing = [] } = membership ?? {};
    return { learns: learners.length > 0, isJoint: outgoing.length > 0 };
  };
  const waitMs = CHANGE_ELECTIONS_MAX * course.parts.electionMs;
  if (strike === 'learning' && fresh !== undefined) {
    course.untilSeen(() => sees().learns, waitMs);
    course.for(random.integer(0, LEARNING_MS_MAX));
  } else {
    course.untilSeen(() => sees().isJoint, waitMs);
  }
  if (strike === 'unaware' && fresh !== undefined) {
    const { network } = cluster.world;
    // What told it of the joint phase has left already: the link must lose that as well.
    network.block(nodeId(leader), nodeId(fresh), Infinity);
    network.break(nodeId(leader), nodeId(fresh));
    course.untilSeen(() => !sees().isJoint, waitMs);
    course.until(() => false, random.integer(10, 60));
    cluster.kill(leader, false);
    network.unblock(nodeId(leader), nodeId(fresh));
    return;
  }
  cluster.kill(leader, random.chance(1, 2), random.integer(0, 3));
  course.until(() => cluster.life(leader) === undefined, LEARNING_MS_MAX);
  cluster.kill(leader, false);
}

function idleNode({ parts: { cluster } }: Course): number | undefined {
  const leaders = cluster.world.topology.groups.map(({ number }) => cluster.leaderOf(number));
  const idle = [...cluster.globals].find(
    ([node, { life }]) => life !== undefined && !leaders.includes(node),
  );
  return idle?.[0];
}

/** Another voter, and if there is one, none that leads another group. */
export function successorOf(course: Course, leader: number, voters: readonly NodeId[]): number {
  const { cluster } = course.parts;
  const leaders = cluster.world.topology.groups.map(({ number }) => cluster.leaderOf(number));
  const others = voters.filter((node) => node !== leader);
  return others.find((node) => !leaders.includes(node)) ?? others[0] ?? leader;
}

function strangerTo({ parts: { cluster } }: Course, voters: readonly NodeId[]): number {
  return [...cluster.globals.keys()].find((node) => !voters.includes(nodeId(node))) ?? NOBODY;
}

function areSame(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((node) => b.includes(node));
}
