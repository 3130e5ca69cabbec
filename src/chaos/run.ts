// `bluemarble chaos`: one drill from the first process to the verdict.
//
// The CLI calls `runChaos`. In order: draw and print the schedule, start a world, let the players in, strike
// while they play, heal, wait until the world is whole, read everything, judge, draw the picture.
// Invariant: whatever happens in between, no process and no temporary file is left; a world that broke its
// promise keeps its folder, for whoever looks into it.
import { makeTempFolder, mustTakeFiles, removeFolder, writeText } from '../adapters/node/drill-files.ts';
import { enterOwnNetwork } from '../adapters/node/own-network.ts';
import { StartError } from '../adapters/node/start-error.ts';
import { formatDuration, spanOf } from '../host/duration.ts';
import type { KeeperEvent } from '../host/node-keeper.ts';
import type { RunDoors } from '../host/run.ts';
import { Stops } from '../host/stops.ts';
import type { WorldView } from '../host/view.ts';
import type { DrawnWorldFile } from '../host/world-file.ts';
import { pauseUntil, waitFor } from '../host/waits.ts';
import type { Appointment } from '../verify/invariants.ts';
import { ChatHistory } from './chat-history.ts';
import { Cluster } from './cluster.ts';
import { againLine, describeStop, EXIT_STOPPED, exitCodeOf } from './ending.ts';
import { endsIn } from './gone-disks.ts';
import { Load } from './load.ts';
import { missingNemeses, strikeAll, type Struck } from './nemesis.ts';
import { mustShow, OwnDrill } from './own-drill.ts';
import { drawPicture } from './picture.ts';
import { Promotions } from './promotions.ts';
import { Recorder } from './recorder.ts';
import { RegionBook } from './region-book.ts';
import { type ChannelsRead, Residents } from './residents.ts';
import { describeStrike, drawSchedule, type NemesisName, type Strike } from './schedule.ts';
import { Timeline } from './timeline.ts';
import { describeVerdict, judge, type Story, type Verdict } from './verdict.ts';
import { appointed, digests, isWhole, moved, standingIn } from './world-facts.ts';

/** A world that is not whole by then never will be. */
const SETTLE_MS_MAX = 60_000;
/** Longer than any gateway goes on asking: what is not decided then never will be. */
const LAST_ASKS_MS = 3_500;
const READ_MS_MAX = 30_000;
const PROGRESS_EVERY_MS = 1_000;
/** In the world's folder. */
const TAP_FOLDER = 'applied';
/** The schedule of a few minutes; of longer ones a file has the rest. */
const SHOWN_STRIKES_MAX = 100;

export interface ChaosOptions {
  /** How the command is typed here, up to its options. */
  readonly command: string;
  readonly forMs: number;
  readonly seed: number;
  readonly nemeses: readonly NemesisName[];
  readonly clients: number;
  /** The world's folder, which then stays; `undefined`: a temporary one. */
  readonly folder: string | undefined;
  /** A studio's features beside the stock ones, and what players do with them; `undefined`: none. */
  readonly world: DrawnWorldFile | undefined;
  /** Where histories and picture go. */
  readonly out: string;
  readonly basePort: number | undefined;
  readonly isWan: boolean;
  readonly isKernel: boolean;
  readonly isJson: boolean;
}

/** What is left of a drill besides its verdict. */
export interface Traces {
  readonly schedule: readonly Strike[];
  readonly struck: readonly Struck[];
  /** Paths. */
  readonly files: readonly string[];
  readonly picture: string;
}

/** What a drill came to. */
export interface Drilled {
  readonly seed: number;
  readonly verdict: Verdict;
  readonly story: Story;
  readonly traces: Traces;
  /** How many faults hit somebody. */
  readonly faults: number;
  /** The operator ended it before its time. */
  readonly isStopped: boolean;
}

/** Runs a drill; the exit code. Throws `StartError` when the world can not start, or no fault can come. */
export function runChaos(options: ChaosOptions, doors: RunDoors): Promise<number> {
  return runDrill(options, doors, (drilled) => {
    if (options.isJson) doors.terminal.print(`${JSON.stringify(reportOf(drilled))}\n`);
  });
}

/** For scripts, as one line of JSON. */
export function reportOf({ seed, verdict, story, faults, isStopped, traces }: Drilled): object {
  return { seed, ...verdict, ...story, faults, isStopped, ...traces };
}

/** As `runChaos`, but prints nothing for scripts: `judged` is told what it came to, unless it never began. */
export async function runDrill(
  options: ChaosOptions,
  doors: RunDoors,
  judged: (drilled: Drilled) => void,
): Promise<number> {
  mustTakeFiles(options.out);
  if (options.world !== undefined) mustShow(options.world, options);
  if (options.isKernel) enterOwnNetwork();
  const folder = options.folder ?? makeTempFolder('bluemarble-chaos-');
  const drill = new Drill(options, doors, folder);
  let verdict: Verdict | undefined;
  try {
    return await drill.run((drilled) => {
      ({ verdict } = drilled);
      judged(drilled);
    });
  } finally {
    if (options.folder === undefined && verdict?.verdict !== 'violated') removeFolder(folder);
    else if (options.folder === undefined) drill.note(`the world is kept for whoever looks: ${folder}`);
  }
}

interface Readings {
  readonly load: Load;
  readonly residents: Residents;
  readonly own: OwnDrill | undefined;
  readonly book: RegionBook;
  readonly chat: ChatHistory;
  readonly promotions: Promotions;
  readonly recorder: Recorder;
  readonly settledMs: number | undefined;
  readonly areAllIn: boolean;
  readonly faults: number;
}

class Drill {
  readonly #options: ChaosOptions;
  readonly #doors: RunDoors;
  readonly #folder: string;
  readonly #ending = new AbortController();
  readonly #leaders: Appointment[] = [];
  #beganMs: number = Number.POSITIVE_INFINITY;

  constructor(options: ChaosOptions, doors: RunDoors, folder: string) {
    this.#options = options;
    this.#doors = doors;
    this.#folder = folder;
  }

  /** Where the nodes write down what they apply, if they are to. */
  get #tapFolder(): string {
    return `${this.#folder}/${TAP_FOLDER}`;
  }

  note(text: string): void {
    const { terminal } = this.#doors;
    if (this.#options.isJson) terminal.note(`${text}\n`);
    else terminal.print(`${text}\n`);
  }

  async run(judged: (drilled: Drilled) => void): Promise<number> {
    const { terminal, clock } = this.#doors;
    const stops = new Stops(terminal, clock);
    void stops.first.then(() => this.#ending.abort());
    const shimsFolder = makeTempFolder('bluemarble-shims-');
    let cluster: Cluster | undefined;
    try {
      cluster = await this.#open(shimsFolder);
      stops.onSecond(() => cluster?.abort());
      const schedule = this.#draw(cluster);
      this.note('starting the world');
      const started = await Promise.race([cluster.start().then(() => true), stops.first.then(() => false)]);
      if (!started) {
        this.note(describeStop(0, this.#options.forMs));
        return EXIT_STOPPED;
      }
      const drilled = await this.#drill(cluster, schedule);
      const { verdict } = drilled.verdict;
      const isStopped = this.#ending.signal.aborted;
      judged({ ...drilled, isStopped });
      return stops.isAtOnce ? EXIT_STOPPED : exitCodeOf(verdict, isStopped);
    } finally {
      await cluster?.stop();
      removeFolder(shimsFolder);
      stops.release();
    }
  }

  #open(shimsFolder: string): Promise<Cluster> {
    const { basePort, isWan, isKernel } = this.#options;
    return Cluster.open({
      folder: this.#folder,
      file: this.#options.world,
      tapFolder: this.#options.world === undefined ? undefined : this.#tapFolder,
      shimsFolder,
      basePort,
      isWan,
      isKernel,
      doors: this.#doors,
      told: (event) => this.#told(event),
      happened: (text) => this.note(`${seconds(this.#sinceBeginMs())}  ${text}`),
    });
  }

  #draw(cluster: Cluster): readonly Strike[] {
    const { seed, forMs, nemeses, out } = this.#options;
    const missing = missingNemeses(cluster);
    const absent = nemeses.flatMap((nemesis) => {
      const reason = missing.get(nemesis);
      return reason === undefined ? [] : [`${nemesis} (${reason})`];
    });
    for (const words of absent) this.note(`left out: ${words}`);
    if (absent.length === nemeses.length) {
      throw new StartError(`None of the faults can be had on this machine: ${absent.join(', ')}.`);
    }
    const schedule = drawSchedule({
      seed,
      forMs,
      nemeses: nemeses.filter((nemesis) => !missing.has(nemesis)),
      globals: cluster.globals,
      gateways: cluster.gateways,
      regions: cluster.regions,
      groups: cluster.groups,
    });
    if (schedule.length === 0) {
      throw new StartError(`No fault has room in ${spanOf(forMs)}: give the drill more time with --for.`);
    }
    this.note(`seed ${seed}: ${schedule.length} faults in ${formatDuration(forMs)}`);
    const lines = schedule.map((strike) => `  ${describeStrike(strike)}`);
    for (const line of lines.slice(0, SHOWN_STRIKES_MAX)) this.note(line);
    const hidden = lines.length - SHOWN_STRIKES_MAX;
    if (hidden > 0) {
      const file = writeText(out, `seed-${seed}-schedule.txt`, `${lines.join('\n')}\n`);
      this.note(`  and ${hidden.toLocaleString('en')} more: ${file} has all of them`);
    }
    return schedule;
  }

  async #drill(cluster: Cluster, schedule: readonly Strike[]): Promise<Omit<Drilled, 'isStopped'>> {
    const { seed, clients, forMs, out, world } = this.#options;
    const { clock } = this.#doors;
    const { topology } = cluster.world;
    const timeline = new Timeline(() => this.#sinceBeginMs());
    const recorder = new Recorder(out, `seed-${seed}`, world !== undefined);
    const load = new Load({ topology, seed, clients, recorder, timeline });
    const promotions = new Promotions(topology, (node) => cluster.nameOf(node));
    const book = new RegionBook(recorder, topology.regions.map(({ name }) => name));
    const chat = new ChatHistory();
    recorder.begin('chat', []);
    recorder.begin('world', undefined);
    const residents = new Residents({ topology, seed, book, chat, timeline });
    const tapFolder = this.#tapFolder;
    const own = world && new OwnDrill({ world, topology, seed, recorder, timeline, tapFolder });
    const parties = [load, residents, ...(own === undefined ? [] : [own.load])];
    const further = own === undefined ? '' : `, and ${own.load.count} players of your features`;
    this.note(`${clients} traders and ${residents.count} residents are coming${further}`);
    this.#beganMs = performance.now();
    const progress = this.#showProgress(cluster, recorder, promotions);
    try {
      const areAllIn = await allBegin(parties);
      this.#beganMs = performance.now();
      const striking = strikeAll(areAllIn ? schedule : [], {
        cluster,
        clock,
        sinceBeginMs: () => this.#sinceBeginMs(),
        ending: this.#ending.signal,
        told: (words) => this.note(`${seconds(this.#sinceBeginMs())}  ${words}`),
      });
      const struck = await striking;
      const faults = struck.filter(({ nodes }) => nodes.length > 0).length;
      await this.#pause(areAllIn ? forMs - this.#sinceBeginMs() : 0);
      const healedMs = this.#sinceBeginMs();
      this.note(`${seconds(healedMs)}  all faults end`);
      const settledMs = await this.#settle(cluster);
      // A little of ordinary life, so that the picture shows that it is one.
      await this.#pause(PROGRESS_EVERY_MS);
      await Promise.all(parties.map((party) => party.finish()));
      const told = { residents, own, book, chat, promotions };
      const read = { ...told, load, recorder, settledMs, areAllIn, faults };
      const verdict = await this.#read(cluster, read);
      const story = {
        ...timeline.totals,
        leaderChanges: cluster.watch.leaderChanges,
        promotions: promotions.count,
        lostEntries: promotions.lostEntries,
      };
      const left = { schedule, struck, faults, healedMs, timeline, recorder, cluster };
      const traces = this.#leaveTraces({ verdict, story, ...left });
      return { seed, verdict, story, faults, traces };
    } finally {
      await progress.stop();
      for (const party of parties) party.leave();
    }
  }

  /** Heals again and again: a node that was to be killed may have been brought up by nobody. */
  async #settle(cluster: Cluster): Promise<number | undefined> {
    const beganMs = performance.now();
    const hasSettled = await pauseUntil(this.#doors.clock, SETTLE_MS_MAX, async () => {
      cluster.heal();
      this.#noteLeaders(await cluster.look());
      return isWhole(cluster.watch.view);
    });
    return hasSettled ? performance.now() - beganMs : undefined;
  }

  async #read(cluster: Cluster, o: Readings): Promise<Verdict> {
    const { clock } = this.#doors;
    const { load, residents, book, promotions } = o;
    await waitFor(clock, LAST_ASKS_MS).over;
    const giveUp = AbortSignal.timeout(READ_MS_MAX);
    const closing = await load.lastReads(giveUp);
    await residents.settle(giveUp);
    if (o.settledMs !== undefined) book.noteWhole();
    let channels: ChannelsRead = { unread: [], areEqual: true };
    await pauseUntil(clock, READ_MS_MAX, async () => {
      channels = await residents.readChannels(AbortSignal.timeout(READ_MS_MAX));
      await cluster.look(true);
      promotions.note(cluster.watch.statuses);
      const areEqual = cluster.watch.standings().every(({ isEqual, compared, members }) => {
        return isEqual && compared === members;
      });
      const areRead = channels.areEqual && channels.unread.length === 0;
      return areEqual && areRead && standingIn(cluster) === residents.count;
    });
    for (const end of endsIn(cluster.goneFolders, cluster.world.topology)) promotions.noteGone(end);
    book.finish(promotions.lostPlaces, standingIn(cluster));
    o.recorder.add('chat', o.chat.lines(o.recorder.beganMs));
    o.recorder.observe('world', 'primary', appointed([...this.#leaders, ...promotions.appointments]));
    o.recorder.observe('world', 'digest', digests(cluster));
    const own = o.own?.judge(promotions.lostPlaces);
    this.note(`checking ${o.recorder.operations} operations`);
    return judge({
      players: this.#options.clients,
      areAllIn: o.areAllIn,
      faults: o.faults,
      histories: o.recorder.finish(),
      opening: load.opening,
      closing,
      totals: cluster.watch.holdings,
      replicas: cluster.watch.standings(),
      leaders: this.#leaders,
      primaries: promotions.appointments,
      unread: channels.unread,
      own,
      nodes: cluster.supervisor.facts,
      settledMs: o.settledMs,
    });
  }

  #leaveTraces(o: {
    readonly verdict: Verdict;
    readonly story: Story;
    readonly schedule: readonly Strike[];
    readonly struck: readonly Struck[];
    readonly faults: number;
    readonly healedMs: number;
    readonly timeline: Timeline;
    readonly recorder: Recorder;
    readonly cluster: Cluster;
  }): Traces {
    const { seed, out, forMs, clients } = this.#options;
    const { verdict, story, schedule, struck, faults, healedMs, timeline, recorder, cluster } = o;
    const title = `seed ${seed}, ${clients} players, ${faults} faults: ${verdict.verdict}`;
    const svg = drawPicture({ title, spans: timeline.spans, struck, healedMs });
    const picture = writeText(out, `seed-${seed}.svg`, svg);
    const files = recorder.paths;
    this.note(`${faults} of ${schedule.length} faults hit somebody`);
    for (const line of describeVerdict(verdict, story)) this.note(line);
    const { kernel } = cluster;
    if (kernel !== undefined) this.note(`the kernel sent ${kernel.retransmitted} segments again`);
    if (this.#ending.signal.aborted) this.note(describeStop(healedMs, forMs));
    this.note(againLine({ ...this.#options, worldFile: this.#options.world?.file }));
    for (const path of files) this.note(`history: ${path}`);
    this.note(`picture: ${picture}`);
    return { schedule, struck, files, picture };
  }

  #showProgress(
    cluster: Cluster,
    recorder: Recorder,
    promotions: Promotions,
  ): { stop(): Promise<void> } {
    const { clock } = this.#doors;
    let isOver = false;
    let wait = waitFor(clock, 0);
    let before = 0;
    const loop = async (): Promise<void> => {
      while (!isOver) {
        const view = await cluster.look();
        this.#noteLeaders(view);
        promotions.note(cluster.watch.statuses);
        const leaders = view.groups.map(({ group, leader }) => `${group} ${leader ?? 'nobody'}`);
        const up = view.nodes.filter(({ condition }) => condition === 'up').length;
        const perLook = recorder.operations - before;
        before = recorder.operations;
        const words = [`${up}/${view.nodes.length} up`, `${perLook} operations`, ...leaders, ...moved(view)];
        this.note(`${seconds(this.#sinceBeginMs())}  ${words.join(', ')}`);
        wait = waitFor(clock, PROGRESS_EVERY_MS);
        await wait.over;
      }
    };
    const running = loop();
    return {
      stop: () => {
        isOver = true;
        wait.cut();
        return running;
      },
    };
  }

  #noteLeaders({ groups }: WorldView): void {
    for (const { group, leader, term } of groups) {
      if (leader !== undefined) this.#leaders.push({ group, epoch: term, node: leader });
    }
  }

  #told({ node, kind, words }: KeeperEvent): void {
    if (this.#beganMs === Number.POSITIVE_INFINITY) return;
    if (kind !== 'restarting' && kind !== 'failed') return;
    this.note(`${seconds(this.#sinceBeginMs())}  ${node} is ${kind} (${words})`);
  }

  async #pause(durationMs: number): Promise<void> {
    if (durationMs <= 0 || this.#ending.signal.aborted) return;
    const wait = waitFor(this.#doors.clock, durationMs);
    this.#ending.signal.addEventListener('abort', wait.cut, { once: true });
    await wait.over;
  }

  #sinceBeginMs(): number {
    return performance.now() - this.#beganMs;
  }
}

/** One after the other; false as soon as not all of one could be let in. */
async function allBegin(parties: readonly { begin(): Promise<boolean> }[]): Promise<boolean> {
  for (const party of parties) if (!(await party.begin())) return false;
  return true;
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1_000).toFixed(1).padStart(6)} s`;
}
