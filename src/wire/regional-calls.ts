// The calls of the regional features: chat and crafting, as `calls.ts` describes those of the groups.
//
// A region's copies answer them; every region has channels and workshops of its own.
import { type Shape, shape } from './call-shape.ts';
import { integer, list, nothing, nullable, object, oneOf, type Schema, text } from './schema.ts';
import { visibleText } from './visible-text.ts';

export const CHAT_TEXT_MAX = 200;
/** Of each channel and, on the world channel, of each region: older messages are forgotten. */
export const CHAT_HISTORY_MAX = 100;
/** Of one player, whatever their state, until he collects them. */
export const CRAFT_JOBS_MAX = 8;
/** Of each material that one player has in one region. */
export const STOCK_MAX = 1_000;
/** More kinds of materials than any world's recipes name. */
export const MATERIALS_MAX = 32;
const ID_MAX: number = Number.MAX_SAFE_INTEGER;

/**
 * A message as everyone sees it. `region` and `number` name it for ever; a channel's order is that of
 * `timeMs`, then `region`, then `number`, and within one region that is the order of its log.
 */
export interface ChatMessage {
  readonly channel: string;
  readonly region: string;
  readonly number: number;
  readonly player: number;
  readonly text: string;
  readonly timeMs: number;
}

export interface Material {
  readonly kind: string;
  readonly count: number;
}

export const jobStates = ['claiming', 'working', 'delivering', 'made', 'refused'] as const;
/**
 * - `claiming`: the rare item is asked of the economy; the work has not begun.
 * - `working`: done at `finishesAtMs`, from when on it may be collected.
 * - `delivering`: the economy is asked to put the product into the player's holdings.
 * - `made`: it is there, as item number `made`; 0 where that was forgotten, for `reason`.
 * - `refused`: the economy did not give the rare item, for `reason`; what else it took is back.
 */
export type JobState = (typeof jobStates)[number];

/** A job of a workshop; `item` is the rare item that goes into it, 0 for none. */
export interface Job {
  readonly job: number;
  readonly recipe: string;
  readonly item: number;
  readonly state: JobState;
  /** By the log's time, Unix ms; 0 while that is not known. */
  readonly finishesAtMs: number;
  /** The number of the item that it became; 0 for none yet. */
  readonly made: number;
  /** Why it was refused, or not made yet; `went-back`: what became of it is forgotten here. */
  readonly reason: string;
}

export interface Workshop {
  readonly materials: readonly Material[];
  readonly jobs: readonly Job[];
}

const id = integer(1, ID_MAX);
const count = integer(0, ID_MAX);
const word = text(1, 32, /^[a-z-]+$/, 'a-z and -');
/** Its text was looked at when it was said: a stricter rule must not make older states unreadable. */
export const chatMessage: Schema<ChatMessage> = object({
  channel: word,
  region: text(1, 32),
  number: id,
  player: id,
  text: text(1, CHAT_TEXT_MAX),
  timeMs: count,
});
/** What refused jobs give back may lie above what may be gathered. */
const material: Schema<Material> = object({ kind: word, count: integer(0, STOCK_MAX * 2) });
export const job: Schema<Job> = object({
  job: id,
  recipe: word,
  item: count,
  state: oneOf(jobStates),
  finishesAtMs: count,
  made: count,
  reason: text(0, 64),
});

export interface Say {
  readonly channel: string;
  readonly text: string;
}
/** What names a message that was said. */
export type Said = Pick<ChatMessage, 'region' | 'number' | 'timeMs'>;

export const say: Shape<Say, Said, 'unknown-channel' | 'too-fast'> = shape(
  object({ channel: word, text: visibleText(CHAT_TEXT_MAX) }),
  object({ region: text(1, 32), number: id, timeMs: count }),
  ['unknown-channel', 'too-fast'],
);
/** The newest messages of a channel, oldest first. */
export const chatHistory: Shape<
  { readonly channel: string },
  readonly ChatMessage[],
  'unknown-channel'
> = shape(object({ channel: word }), list(chatMessage, CHAT_HISTORY_MAX), ['unknown-channel']);

export type GatherRefusal = 'unknown-material' | 'too-soon' | 'stock-full' | 'region-full';
/** Answers how much of it he has now. */
export const gather: Shape<{ readonly material: string }, Material, GatherRefusal> = shape(
  object({ material: word }),
  material,
  ['unknown-material', 'too-soon', 'stock-full', 'region-full'],
);

const startRefusals = [
  'unknown-recipe',
  'not-enough-materials',
  'queue-full',
  'item-needed',
  'no-item-needed',
  'item-in-use',
  'too-busy',
] as const;
export type StartRefusal = (typeof startRefusals)[number];
/** `item` is the number of the rare item out of his holdings that the recipe needs, else `null`. */
export const startCraft: Shape<
  { readonly recipe: string; readonly item: number | null },
  Job,
  StartRefusal
> = shape(object({ recipe: word, item: nullable(id) }), job, startRefusals);

const collectRefusals = ['no-such-job', 'not-ready', 'stock-full', 'too-busy'] as const;
export type CollectRefusal = (typeof collectRefusals)[number];
/**
 * A job that is `made` or `refused` is taken off the list; one whose work is done goes into the stock
 * or, where its product is an item, on its way into the holdings.
 */
export const collectCraft: Shape<{ readonly job: number }, Job, CollectRefusal> = shape(
  object({ job: id }),
  job,
  collectRefusals,
);
/**
 * The region was put back to an earlier state: answers of the economy that came after it are not given
 * again, so every job that waits for one is asked about. Answers how many are, and how many could not be.
 */
export const wentBack: Shape<null, { readonly asked: number; readonly unasked: number }, never> = shape(
  nothing,
  object({ asked: count, unasked: count }),
  [],
);
export const myWorkshop: Shape<null, Workshop, never> = shape(
  nothing,
  object({ materials: list(material, MATERIALS_MAX), jobs: list(job, CRAFT_JOBS_MAX) }),
  [],
);
