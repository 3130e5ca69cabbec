// Crafting: materials gathered in a region, and jobs that turn them into others or into rare items.
//
// Players ask. Promise: regional; what is common lives and ends here. A rare item is taken from and put
// into `holdings` in the economy, by the events of `crafting-events`.
// 1. A refusal changes nothing. A job that the economy refuses gives back what it took here.
// 2. A job waits for at most one answer of the economy, and can not be collected meanwhile.
//    In a region that was put back it ends at the economy's last word, and never gives or takes twice.
// 3. Work is done one job after the other, by the log's time; nothing has to happen when it is finished.
// 4. A workshop and what is in it are replaced, never changed: a checkpoint may be walking over the old.
import { type ByteReader, ByteWriter } from '../../base/bytes.ts';
import { CowMap } from '../../base/cow-map.ts';
import { CorruptionError, type Decision, done, rejected } from '../../base/errors.ts';
import { type PlayerId, playerId } from '../../base/id.ts';
import { loadedInSlices, type Loading, savedMap } from '../../base/slices.ts';
import {
  collectCraft,
  type CollectRefusal,
  CRAFT_JOBS_MAX,
  gather,
  type GatherRefusal,
  job as jobSchema,
  type Job,
  type Material,
  myWorkshop,
  startCraft,
  type StartRefusal,
  STOCK_MAX,
  wentBack,
} from '../../wire/regional-calls.ts';
import {
  acknowledgedAt,
  command,
  type CommandContext,
  type EventContext,
  type Feature,
  query,
  taker,
} from '../feature.ts';
import {
  ALREADY_MADE,
  awaiting,
  type AwaitingJob,
  consumeItem,
  itemConsumed,
  itemMade,
  lastWord,
  lastWordSaid,
  makeItem,
} from './crafting-events.ts';
import { type CraftingRules, gathered, type Recipe, stockRules } from './recipes.ts';
import { countOf, withMore } from './stock.ts';

export const GATHERED_AT_ONCE = 4;
const WORKSHOPS_MAX = 1_000_000;

interface Workshop {
  readonly materials: readonly Material[];
  readonly jobs: readonly Job[];
  readonly gatherAtMs: number;
  /** When the last job that is worked on will be finished. */
  readonly busyUntilMs: number;
}

export interface Crafting {
  readonly workshops: CowMap<number, Workshop>;
  readonly workshopsMax: number;
  readonly rules: CraftingRules;
}

const EMPTY: Workshop = { materials: [], jobs: [], gatherAtMs: 0, busyUntilMs: 0 };
/** That holdings have everything back again is worth a round to another copy; wood is not. */
const GATHER_ACK = 'one';
const WENT_BACK = 'went-back';

export const crafting: Feature<Crafting> = craftingBy(stockRules);

/** The feature in a world of these rules: all its copies go by the same ones, or they part. */
export function craftingBy(rules: CraftingRules): Feature<Crafting> {
  return {
    name: 'crafting',
    promise: 'regional',
    version: 1,
    needs: [],
    commands: {
      gather: acknowledgedAt(GATHER_ACK, command('player', gather, applyGather)),
      start: command('player', startCraft, applyStart),
      collect: command('player', collectCraft, applyCollect),
      wentBack: command('service', wentBack, applyWentBack),
    },
    queries: {
      mine: query('player', myWorkshop, ({ workshops }: Crafting, _none, { player }) => {
        const { materials, jobs } = workshops.get(player) ?? EMPTY;
        return done({ materials, jobs });
      }),
    },
    events: [
      taker(itemConsumed, takeConsumed),
      taker(itemMade, takeMade),
      taker(lastWordSaid, takeLastWord),
    ],
    create: () => newCrafting({ rules }),
    advance() {},
    save,
    load: (reader) => load(reader, rules),
    slices: ({ workshops }) => savedMap(new ByteWriter(), workshops, saveWorkshop),
  };
}

/** A region without workshops, and room for so many. */
export function newCrafting({
  workshopsMax = WORKSHOPS_MAX,
  rules = stockRules,
}: Partial<Pick<Crafting, 'workshopsMax' | 'rules'>> = {}): Crafting {
  return { workshops: new CowMap(), workshopsMax, rules };
}

function applyGather(
  { workshops, workshopsMax, rules }: Crafting,
  { material: kind }: { readonly material: string },
  { player, nowMs }: CommandContext,
): Decision<Material, GatherRefusal> {
  if (!gathered.includes(kind)) return rejected('unknown-material');
  const known = workshops.get(player);
  if (known === undefined && workshops.size >= workshopsMax) return rejected('region-full');
  const workshop = known ?? EMPTY;
  if (workshop.gatherAtMs > nowMs) return rejected('too-soon');
  const count = countOf(workshop.materials, kind) + GATHERED_AT_ONCE;
  if (count > STOCK_MAX) return rejected('stock-full');
  const materials = withMore(workshop.materials, [{ kind, count: GATHERED_AT_ONCE }]);
  workshops.set(player, { ...workshop, materials, gatherAtMs: nowMs + rules.gatherEveryMs });
  return done({ kind, count });
}

function applyStart(
  { workshops, rules }: Crafting,
  { recipe: name, item }: { readonly recipe: string; readonly item: number | null },
  context: CommandContext,
): Decision<Job, StartRefusal> {
  const { player, order, nowMs } = context;
  const recipe = recipeOf(rules, name);
  if (recipe === undefined) return rejected('unknown-recipe');
  const workshop = workshops.get(player) ?? EMPTY;
  const refusal = startRefusal(workshop, recipe, item);
  if (refusal !== undefined) return rejected(refusal);
  const materials = withMore(workshop.materials, negative(recipe.materials));
  const none = { job: order, recipe: name, item: item ?? 0, made: 0, reason: '' };
  if (recipe.item === undefined) {
    const busyUntilMs = Math.max(workshop.busyUntilMs, nowMs) + recipe.takesMs;
    const job: Job = { ...none, state: 'working', finishesAtMs: busyUntilMs };
    workshops.set(player, { ...workshop, materials, busyUntilMs, jobs: [...workshop.jobs, job] });
    return done(job);
  }
  const claim = { player, job: order, item: none.item, kind: recipe.item };
  if (!ask(context, (to) => context.emit(consumeItem, claim, { to, keep: 'always' }))) {
    return rejected('too-busy');
  }
  const job: Job = { ...none, state: 'claiming', finishesAtMs: 0 };
  workshops.set(player, { ...workshop, materials, jobs: [...workshop.jobs, job] });
  return done(job);
}

function applyCollect(
  { workshops }: Crafting,
  { job: number }: { readonly job: number },
  context: CommandContext,
): Decision<Job, CollectRefusal> {
  const { player, nowMs } = context;
  const workshop = workshops.get(player) ?? EMPTY;
  const job = workshop.jobs.find((each) => each.job === number);
  if (job === undefined) return rejected('no-such-job');
  const without = { ...workshop, jobs: workshop.jobs.filter((each) => each !== job) };
  if (job.state === 'made' || job.state === 'refused') {
    workshops.set(player, without);
    return done(job);
  }
  if (job.state !== 'working' || job.finishesAtMs > nowMs) return rejected('not-ready');
  if (job.item === 0) {
    if (countOf(workshop.materials, job.recipe) >= STOCK_MAX) return rejected('stock-full');
    const materials = withMore(workshop.materials, [{ kind: job.recipe, count: 1 }]);
    workshops.set(player, { ...without, materials });
    return done(job);
  }
  const product = { player, job: number, item: job.item, kind: job.recipe };
  if (!ask(context, (to) => context.emit(makeItem, product, { to, keep: 'always' }))) {
    return rejected('too-busy');
  }
  const delivering: Job = { ...job, state: 'delivering', reason: '' };
  workshops.set(player, replaced(workshop, delivering));
  return done(delivering);
}

/** Events between two logs keep their order: what was asked before is answered before this. */
function applyWentBack(
  { workshops }: Crafting,
  _none: null,
  context: CommandContext,
): Decision<{ readonly asked: number; readonly unasked: number }, never> {
  const counts = { asked: 0, unasked: 0 };
  for (const [player, { jobs }] of workshops) {
    for (const { job, state: now } of jobs) {
      const state = awaiting.find((each) => each === now);
      if (state === undefined) continue;
      const word = { player, job, state };
      const isAsked = ask(context, (to) => context.emit(lastWord, word, { to, keep: 'always' }));
      counts[isAsked ? 'asked' : 'unasked'] += 1;
    }
  }
  return done(counts);
}

/** A job that waits even now had its answer in a past that is no more: it must not be asked again. */
function takeLastWord(
  state: Crafting,
  { player, job: number, state: waits }: AwaitingJob,
  context: EventContext,
): void {
  if (waits === 'claiming') return takeConsumed(state, { player, job: number, reason: WENT_BACK }, context);
  const workshop = state.workshops.get(player);
  const job = waitingJob(workshop, number, waits);
  if (workshop === undefined || job === undefined) return;
  const settled: Job = { ...job, state: 'made', reason: WENT_BACK };
  state.workshops.set(player, replaced(workshop, settled));
  tellJob(context, player, settled);
}

/** The economy has answered a claim: the work begins, or what it took is given back. */
function takeConsumed(
  { workshops, rules }: Crafting,
  { player, job: number, reason }: { player: number; job: number; reason: string },
  context: EventContext,
): void {
  const workshop = workshops.get(player);
  const job = waitingJob(workshop, number, 'claiming');
  const recipe = job === undefined ? undefined : recipeOf(rules, job.recipe);
  if (workshop === undefined || job === undefined || recipe === undefined) return;
  if (reason !== '') {
    const refused: Job = { ...job, state: 'refused', reason };
    const materials = withMore(workshop.materials, recipe.materials);
    workshops.set(player, { ...replaced(workshop, refused), materials });
    return tellJob(context, player, refused);
  }
  const busyUntilMs = Math.max(workshop.busyUntilMs, context.nowMs) + recipe.takesMs;
  const working: Job = { ...job, state: 'working', finishesAtMs: busyUntilMs };
  workshops.set(player, { ...replaced(workshop, working), busyUntilMs });
  tellJob(context, player, working);
}

/** The product is in the holdings; or it is not, and can be collected again later. */
function takeMade(
  { workshops }: Crafting,
  { player, job: number, item, reason }: { player: number; job: number; item: number; reason: string },
  context: EventContext,
): void {
  const workshop = workshops.get(player);
  const job = waitingJob(workshop, number, 'delivering');
  if (workshop === undefined || job === undefined) return;
  const answered = deliveredAs(job, item, reason);
  workshops.set(player, replaced(workshop, answered));
  tellJob(context, player, answered);
}

function deliveredAs(job: Job, item: number, reason: string): Job {
  if (reason === '') return { ...job, state: 'made', made: item };
  if (reason === ALREADY_MADE) return { ...job, state: 'made', reason: WENT_BACK };
  return { ...job, state: 'working', reason };
}

function recipeOf({ recipes }: CraftingRules, name: string): Recipe | undefined {
  return recipes.find((recipe) => recipe.name === name);
}

function startRefusal(
  { materials, jobs }: Workshop,
  recipe: Recipe,
  item: number | null,
): StartRefusal | undefined {
  if (recipe.item === undefined && item !== null) return 'no-item-needed';
  if (recipe.item !== undefined && item === null) return 'item-needed';
  if (jobs.some((job) => job.item === item && job.state === 'claiming')) return 'item-in-use';
  if (jobs.length >= CRAFT_JOBS_MAX) return 'queue-full';
  const lacks = recipe.materials.some(({ kind, count }) => countOf(materials, kind) < count);
  return lacks ? 'not-enough-materials' : undefined;
}

/** False when the economy can not be asked now, so that nothing may be taken here either. */
function ask({ here }: CommandContext, emit: (economy: number) => boolean): boolean {
  const economy = here.homeOf('holdings');
  return economy !== undefined && emit(economy);
}

function waitingJob(
  workshop: Workshop | undefined,
  number: number,
  state: Job['state'],
): Job | undefined {
  return workshop?.jobs.find((job) => job.job === number && job.state === state);
}

function replaced(workshop: Workshop, by: Job): Workshop {
  return { ...workshop, jobs: workshop.jobs.map((job) => (job.job === by.job ? by : job)) };
}

function negative(materials: readonly Material[]): readonly Material[] {
  return materials.map(({ kind, count }) => ({ kind, count: -count }));
}

function tellJob({ tell }: EventContext, player: number, job: Job): void {
  const to: PlayerId = playerId(player);
  tell(to, 'crafting', job);
}

function save({ workshops }: Crafting, writer: ByteWriter): void {
  writer.varint(workshops.size);
  for (const entry of workshops) saveWorkshop(writer, entry);
}

function saveWorkshop(writer: ByteWriter, [player, workshop]: readonly [number, Workshop]): void {
  const { materials, jobs, gatherAtMs, busyUntilMs } = workshop;
  writer.varint(player).varint(gatherAtMs).varint(busyUntilMs);
  writer.varint(materials.length);
  for (const { kind, count } of materials) writer.text(kind).varint(count);
  writer.varint(jobs.length);
  for (const job of jobs) jobSchema.encode(writer, job);
}

function* load(reader: ByteReader, rules: CraftingRules): Loading<Crafting> {
  const state = newCrafting({ rules });
  const { workshops } = state;
  yield* loadedInSlices(reader, reader.varint(), () => {
    const player = reader.varint();
    if (workshops.has(player)) throw new CorruptionError(`player ${player} is saved twice`);
    const [gatherAtMs, busyUntilMs] = [reader.varint(), reader.varint()];
    const materials = Array.from({ length: lengthOf(reader, STOCK_MAX) }, () => ({
      kind: reader.text(),
      count: reader.varint(),
    }));
    const jobs = Array.from({ length: lengthOf(reader, CRAFT_JOBS_MAX) }, () =>
      jobSchema.decode(reader),
    );
    workshops.set(player, { materials, jobs, gatherAtMs, busyUntilMs });
  });
  return state;
}

function lengthOf(reader: ByteReader, max: number): number {
  const length = reader.varint();
  if (length > max) throw new CorruptionError(`a workshop of ${length} things is saved`);
  return length;
}
