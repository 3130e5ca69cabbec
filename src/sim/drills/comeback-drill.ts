// The drill of a leader that comes back: its log is long with what nobody took, and its successor is gone.
//
// `run.ts` calls it. Which of two logs knows more shows only where the longer one is the older one, and
// chaos mostly leaves the longer log to whoever led last.
import { encodeCommand } from '../../wire/command.ts';
import { encodeWith } from '../../wire/schema.ts';
import type { Course } from './course.ts';
import { acrossOf } from '../nemesis/cuts.ts';
import { CALM_MS, DEAF_LEADER_ELECTIONS_MAX } from './drills.ts';
import type { Nemesis } from '../nemesis/nemesis.ts';
import type { GroupCall } from '../../services/calls/group-calls.ts';

const WRITE = 'holdings.open';
/** More than a successor commits in its first moments. */
const LEFT_ALONE = 40;
/** Players and sessions of the drill: nobody else has these numbers. */
const WRITER_ID = 920_000_000;
const FAR_MS = 4_000_000_000_000;
/** By then somebody else leads; and so long it alone reaches those who have lost that one again. */
const SUCCESSOR_ELECTIONS_MAX = 10;
const ALONE_ELECTIONS = 4;

/** Nobody leads who lacks what was committed, however much else he has. */
export function comeBack(course: Course, nemesis: Nemesis): void {
  const { cluster, electionMs, mark, workload } = course.parts;
  const write = workload.calls.get(WRITE);
  if (write?.group === undefined || !course.isWhole) return;
  const { group } = write;
  const leader = cluster.leaderOf(group);
  if (leader === undefined) return;
  mark(`node ${leader}, leader of group ${group}, is cut off with what it alone has`);
  const release = nemesis.cut(leader, 'isolated');
  for (let i = 0; i < LEFT_ALONE; i++) proposeAlone(course, leader, { write, session: WRITER_ID + i });
  const hasBegun = (): boolean => {
    const successor = cluster.leaderOf(group) ?? leader;
    const raft = cluster.globals.get(successor)?.groups.get(group)?.node;
    return successor !== leader && raft?.entryAt(raft.commit)?.term === raft?.term;
  };
  course.untilSeen(hasBegun, SUCCESSOR_ELECTIONS_MAX * electionMs);
  const successor = cluster.leaderOf(group) ?? leader;
  mark(`node ${successor}, which leads by now, is cut off, and ${leader} alone reaches the others`);
  const others = [...cluster.globals.keys()].filter((node) => node !== leader);
  const heals = others.map((node) => nemesis.block(acrossOf([node], others.filter((other) => other > node))));
  heals.push(nemesis.block(acrossOf([leader], [successor])));
  release();
  course.for(ALONE_ELECTIONS * electionMs);
  mark('everybody reaches everybody again');
  for (const heal of heals) heal();
  course.serve(DEAF_LEADER_ELECTIONS_MAX * electionMs, 'after a leader had come back');
  course.for(CALM_MS);
}

/** Whoever asked is gone: nobody hears what becomes of it. */
function proposeAlone(
  { parts: { cluster } }: Course,
  leader: number,
  { write, session }: { readonly write: GroupCall; readonly session: number },
): void {
  const command = encodeCommand({
    session,
    sessionExpiresAtMs: FAR_MS,
    number: 1,
    answeredBelow: 1,
    player: session,
    call: WRITE,
    args: encodeWith(write.args, null),
  });
  const host = cluster.globals.get(leader);
  host?.life?.take('order', () => host.groups.get(write.group ?? 0)?.propose(command, () => {}));
}
