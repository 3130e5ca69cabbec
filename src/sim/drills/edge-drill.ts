// The drill at the edge of a leadership: a leader is cut off while callers read there and write elsewhere.
//
// `run.ts` calls it. What a lease promises can only break in the few milliseconds between its end and the
// first entry of the next leader, when clocks run as far apart as is allowed; what a leader confirms for a
// follower, while both are cut off and do not know it. Chaos seldom asks anything there; this does every
// millisecond.
import { nodeId } from '../../base/id.ts';
import type { Random } from '../../base/random.ts';
import { encodeCommand, encodeQuery } from '../../wire/command.ts';
import { encodeWith } from '../../wire/schema.ts';
import type { Course } from './course.ts';
import { neighbourOf } from '../nemesis/cuts.ts';
import { CALM_MS, DEAF_LEADER_ELECTIONS_MAX, successorOf } from './drills.ts';
import type { Nemesis } from '../nemesis/nemesis.ts';
import type { EdgeDrill } from '../plan/plan.ts';
import type { Ended, Stage } from '../play/stage.ts';
import type { Call } from '../checks/truth.ts';
import type { GroupCall } from '../../services/calls/group-calls.ts';

const WRITE = 'holdings.open';
const READ = 'holdings.mine';
/** Players and sessions of the drill: nobody else has these numbers. */
const WRITER_ID = 900_000_000;
const FAR_MS = 4_000_000_000_000;
/** By then the leader that is cut off has given up, and whoever can has elected another. */
const CUT_OFF_ELECTIONS = 3;
/** Clocks have run apart, and appends are under way, for so long before it begins. */
const SETTLED_MS_MAX = 120;
const LATE_MS_MIN = 40;
const LATE_MS_MAX = 120;
/** So long the holder is heard while its answers are late already. */
const STILL_HEARD_MS_MAX = 20;
/** Whoever is cut off answers late or never: no more reads wait at it. */
const READS_OPEN_MAX = 300;
/** A lost link is noticed within so long. */
const BREAKS_MS_MAX = 5;

/** No read on the side of a leader that is cut off misses a write that was done elsewhere. */
export function bearTheEdge(
  course: Course,
  nemesis: Nemesis,
  o: { readonly drill: EdgeDrill; readonly random: Random },
): void {
  const { cluster, electionMs, mark, operator, workload } = course.parts;
  const write = workload.calls.get(WRITE);
  const read = workload.calls.get(READ);
  if (write?.group === undefined || read === undefined || !course.isWhole) return;
  const { group } = write;
  const holder = cluster.leaderOf(group);
  if (holder === undefined) return;
  const voters = cluster.votersOf(group).incoming;
  const beside = o.drill === 'with-follower' ? neighbourOf(holder, [...cluster.globals.keys()]) : holder;
  // The two must not be half of the group, or nobody else could lead.
  const canSpare = beside === holder || (voters.includes(nodeId(beside)) && voters.length > 4);
  if (!canSpare) return;
  operator.strainLease(holder);
  const callers = new EdgeCallers(workload, { write, read, gateways: [...cluster.regions.keys()] });
  callers.begin((call, settle) => workload.askHere(beside, call, settle));
  course.for(o.random.integer(20, SETTLED_MS_MAX));
  mark(`node ${holder}, leader of group ${group}, is cut off, and asked nonetheless: ${o.drill}`);
  const heal = cutOff(course, nemesis, { ...o, holder, group });
  course.for(CUT_OFF_ELECTIONS * electionMs);
  callers.isOver = true;
  heal();
  course.serve(DEAF_LEADER_ELECTIONS_MAX * electionMs, 'after a leader that is asked was cut off');
  course.for(CALM_MS);
}

function cutOff(
  course: Course,
  nemesis: Nemesis,
  o: {
    readonly drill: EdgeDrill;
    readonly random: Random;
    readonly holder: number;
    readonly group: number;
  },
): () => void {
  const { cluster, electionMs, operator } = course.parts;
  const { drill, random, holder, group } = o;
  switch (drill) {
    case 'with-follower':
      return nemesis.cut(holder, 'couple');
    case 'silence':
      return nemesis.cut(holder, 'isolated');
    case 'lost-links':
      return nemesis.cut(holder, 'isolated', BREAKS_MS_MAX);
    case 'late-answers': {
      const quicken = nemesis.slow(holder, 'deaf-to-peers', random.integer(LATE_MS_MIN, LATE_MS_MAX));
      course.for(random.integer(1, STILL_HEARD_MS_MAX));
      const heal = nemesis.cut(holder, 'mute');
      return () => {
        heal();
        quicken();
      };
    }
    case 'handover': {
      const target = successorOf(course, holder, cluster.votersOf(group).incoming);
      operator.transfer(group, target);
      const takesOver = (): boolean => {
        const role = cluster.globals.get(target)?.groups.get(group)?.node.role;
        return role === 'candidate' || role === 'leader';
      };
      course.untilSeen(takesOver, electionMs);
      return nemesis.cut(holder, 'isolated');
    }
  }
}

type Ask = (call: Call, settle: (ended: Ended) => void) => void;

/** One writer at each gateway, who waits for his answer, and a reader who does not. */
class EdgeCallers {
  isOver = false;
  readonly #stage: Stage;
  readonly #write: GroupCall;
  readonly #read: GroupCall;
  readonly #gateways: readonly number[];
  #readsOpen = 0;

  constructor(
    stage: Stage,
    o: { readonly write: GroupCall; readonly read: GroupCall; readonly gateways: readonly number[] },
  ) {
    this.#stage = stage;
    this.#write = o.write;
    this.#read = o.read;
    this.#gateways = o.gateways;
  }

  begin(ask: Ask): void {
    for (const gateway of this.#gateways) this.#writeOn(gateway, 1);
    this.#readOn(ask);
  }

  #writeOn(gateway: number, number: number): void {
    if (this.isOver) return;
    const session = WRITER_ID + gateway;
    const body = encodeCommand({
      session,
      sessionExpiresAtMs: FAR_MS,
      number,
      answeredBelow: number,
      player: session,
      call: WRITE,
      args: encodeWith(this.#write.args, null),
    });
    const call = this.#stage.newCall(this.#write, body, { session, number });
    this.#stage.ask(gateway, call, (ended) => {
      if (ended.kind === 'answered') this.#stage.answered(call, ended);
      this.#stage.after(1, () => this.#writeOn(gateway, number + 1));
    });
  }

  #readOn(ask: Ask): void {
    if (this.isOver) return;
    this.#stage.after(1, () => this.#readOn(ask));
    if (this.#readsOpen >= READS_OPEN_MAX) return;
    this.#readsOpen += 1;
    const args = encodeWith(this.#read.args, null);
    const body = encodeQuery({ player: WRITER_ID, call: READ, args });
    const call = this.#stage.newCall(this.#read, body, { session: 0, number: 0 });
    ask(call, (ended) => {
      this.#readsOpen -= 1;
      if (ended.kind === 'answered') this.#stage.answered(call, ended);
    });
  }
}
