// Area of interest: who is told of whom, when, and in which frame.
//
// `region` adds, moves and removes, and turns the phases of each tick. All viewers of one cell get the
// very same frame: once a second of everybody in sight, in between of those whose way is not as it was
// told. Filtering by exact distance would cost a frame per viewer and show less. Cells take their turn
// in phases spread over the tick, so that no burst of sending holds anybody up; neighbours share one.
// Invariants: (1) a viewer is told of everyone within sight, and of some beyond; (2) who reads every
// frame knows each place to `REGION_STRAY_MM` of the last update, while the budget suffices; (3) a frame
// holds at most `TICK_AVATARS_MAX`, the nearest cells first; what found no room comes with the next ones.
import { ByteWriter } from '../../base/bytes.ts';
import { latAt, lonAt, type Track } from '../../base/dead-reckoning.ts';
import { distanceMm } from '../../base/earth.ts';
import { invariant } from '../../base/errors.ts';
import type { PlayerId } from '../../base/id.ts';
import {
  HEARTBEAT_MS,
  REGION_STRAY_MM,
  SILENT_MS,
  TICK_AVATARS_MAX,
  writeAvatar,
  writeTickHead,
} from '../../wire/motion.ts';
import { Cells } from './cells.ts';

/** A tick is turned in so many steps. */
export const PHASES = 10;
/** With so many in a frame the cells farther away have to wait: each of them comes every third time. */
const CROWD_AVATARS = 200;
const CROWDED_FAR_TURNS = 3;
/** Shown to another region in one go; more of them are shown in the next one. */
const GHOSTS_MAX = 2_000;

/** One frame for all viewers of a cell. `bytes` are shared by them: never changed, never used again. */
export interface TickFrame {
  readonly bytes: Uint8Array;
  readonly viewers: readonly PlayerId[];
  /** Of everybody in sight, or a part of that: who gets no other frames still learns of everyone. */
  readonly isWhole: boolean;
}

/** Somebody's way as the viewers were told it: what all of them predict him by. */
interface Tracked extends Track {
  readonly player: PlayerId;
  /** Of another region, which shows him to this one: he is seen and sees nothing here. */
  isGhost: boolean;
  lat: number;
  lon: number;
  north: number;
  east: number;
  atMs: number;
  /** When the last update of his came, told or not. */
  heardAtMs: number;
  cell: Cell;
  /** Its place in `cell.avatars`. */
  slot: number;
  /** The round in which this way began. */
  changedIn: number;
}

interface Cell {
  readonly key: number;
  readonly phase: number;
  /** Keys of the cells seen from here, the nearest first, and how far each of them was told. */
  readonly around: readonly number[];
  readonly told: (Told | undefined)[];
  readonly avatars: Tracked[];
  /** How many of the avatars are no ghosts. */
  people: number;
  /** The regions that look in from beyond an edge, and what each of them was told. */
  readonly lookers: readonly { readonly region: number; readonly told: Told }[];
  /** The latest of its avatars' rounds: nothing newer is in it. */
  changedIn: number;
  /** When everybody in sight was told of last. */
  wholeAtMs: number;
  turns: number;
}

/** A frame that is being filled. */
interface Packing {
  readonly frame: ByteWriter;
  readonly nowMs: number;
  readonly withGhosts: boolean;
  /** How many more avatars it may hold. */
  room: number;
  last: PlayerId | undefined;
}

/** What the viewers of a cell were told of a cell that they see. */
interface Told {
  /** Whatever changed before this round. */
  before: number;
  /** Who changed in this round or later is among the news, of the frame of now or of the next one. */
  newsFrom: number;
  readonly news: Sweep;
  readonly whole: Sweep;
}

/** A walk over a cell's avatars; one that finds no room goes on in the next frames. */
interface Sweep {
  /** The round in which it began. */
  begunIn: number;
  /** So many avatars are left, from the slot `next` on. */
  left: number;
  next: number;
}

export class Interest {
  readonly #grid: Cells;
  readonly #tracked = new Map<PlayerId, Tracked>();
  /** Occupied cells only; the same ones by phase. */
  readonly #cells = new Map<number, Cell>();
  readonly #phases: readonly Set<Cell>[] = Array.from({ length: PHASES }, () => new Set<Cell>());
  readonly #frame = new ByteWriter(4_096);
  readonly #lookersInto: (key: number, cells: Cells) => readonly number[];
  /** What the turns since the last `takeGhosts` have to show to other regions. */
  readonly #showing = new Map<number, Packing>();
  /** Turns of phases so far. */
  #round = 0;

  /** `lookersInto` tells which other regions look into a cell: see `border.ts`. */
  constructor(
    sightMetres: number,
    lookersInto: (key: number, cells: Cells) => readonly number[] = () => [],
  ) {
    this.#grid = new Cells(sightMetres);
    this.#lookersInto = lookersInto;
  }

  get count(): number {
    return this.#tracked.size;
  }

  /**
   * Puts the player there, whether he is new or was elsewhere. The viewers are told when they could not
   * have predicted it, or could not for a heartbeat from now.
   */
  place(player: PlayerId, track: Track, nowMs: number, isGhost: boolean = false): void {
    const key = this.#grid.at(track);
    const known = this.#tracked.get(player);
    if (known !== undefined && known.isGhost !== isGhost) {
      known.isGhost = isGhost;
      known.cell.people += isGhost ? -1 : 1;
    }
    if (known === undefined) {
      const { lat, lon, north, east, atMs } = track;
      const cell = this.#cellFor(key);
      const slot = cell.avatars.length;
      const way = { lat, lon, north, east, atMs };
      const tracked = { player, isGhost, ...way, heardAtMs: nowMs, cell, slot, changedIn: 0 };
      cell.avatars.push(tracked);
      if (!isGhost) cell.people += 1;
      this.#tracked.set(player, tracked);
      this.#changed(tracked);
      return;
    }
    known.heardAtMs = nowMs;
    const isElsewhere = known.cell.key !== key;
    if (isElsewhere) {
      this.#takeOut(known);
      known.cell = this.#cellFor(key);
      known.slot = known.cell.avatars.length;
      known.cell.avatars.push(known);
      if (!isGhost) known.cell.people += 1;
    }
    const strays = strayMm(known, track, nowMs) > REGION_STRAY_MM;
    if (strays || strayMm(known, track, nowMs + HEARTBEAT_MS) > REGION_STRAY_MM) rebase(known, track);
    else if (!isElsewhere) return;
    this.#changed(known);
  }

  remove(player: PlayerId): void {
    const known = this.#tracked.get(player);
    if (known === undefined) return;
    this.#tracked.delete(player);
    this.#takeOut(known);
  }

  /**
   * Gives every viewer in the cells of that phase at most one frame, and none that would show him
   * nobody but himself. A viewer's own avatar is among the others. `send` may remove players.
   */
  turn(time: { readonly nowMs: number; readonly phase: number }, send: (frame: TickFrame) => void): void {
    this.#round += 1;
    for (const cell of this.#phases[time.phase] ?? []) {
      if (cell.people === 0) continue;
      if (time.nowMs - cell.wholeAtMs >= HEARTBEAT_MS) this.#beginWhole(cell, time.nowMs);
      for (const looker of cell.lookers) this.#showGhosts(cell, looker, time.nowMs);
      const frame = this.#pack(cell, time.nowMs);
      if (frame !== undefined) send(frame);
    }
  }

  /** What the turns since the last call have to show to each of the regions beyond the edges. */
  takeGhosts(): readonly { readonly to: number; readonly bytes: Uint8Array }[] {
    if (this.#showing.size === 0) return [];
    const ghosts = [...this.#showing].map(([to, { frame }]) => ({ to, bytes: frame.finish() }));
    this.#showing.clear();
    return ghosts;
  }

  #showGhosts(cell: Cell, { region, told }: Cell['lookers'][number], nowMs: number): void {
    if (told.whole.left === 0 && !hasNews(told, cell)) return;
    let packing = this.#showing.get(region);
    if (packing === undefined) {
      const frame = new ByteWriter(1_024);
      writeTickHead(frame, nowMs);
      packing = { frame, nowMs, withGhosts: false, room: GHOSTS_MAX, last: undefined };
      this.#showing.set(region, packing);
    }
    tellNews(told, cell, packing, this.#round);
    tellWhole(told, cell, packing);
  }

  /** From now on everybody in sight is told of; and of whom nothing is heard any more, he stands. */
  #beginWhole(cell: Cell, nowMs: number): void {
    cell.wholeAtMs = nowMs;
    for (const { told } of cell.lookers) begin(told.whole, cell, this.#round);
    for (let i = 0; i < cell.around.length; i++) {
      const near = this.#near(cell, i);
      if (near !== undefined) begin(toldOf(cell, i).whole, near, this.#round);
    }
    for (const avatar of cell.avatars) {
      const isWalking = avatar.north !== 0 || avatar.east !== 0;
      if (!isWalking || nowMs - avatar.heardAtMs < SILENT_MS) continue;
      const [lat, lon] = [latAt(avatar, nowMs), lonAt(avatar, nowMs)];
      rebase(avatar, { lat, lon, north: 0, east: 0, atMs: nowMs });
      this.#changed(avatar);
    }
  }

  /** News first, then what only repeats: who turns shall not wait for those who stand. */
  #pack(cell: Cell, nowMs: number): TickFrame | undefined {
    const frame = this.#frame.reset();
    writeTickHead(frame, nowMs);
    const room = TICK_AVATARS_MAX;
    const packing: Packing = { frame, nowMs, withGhosts: true, room, last: undefined };
    cell.turns += 1;
    for (let i = 0; i < cell.around.length && packing.room > 0; i++) {
      const near = this.#near(cell, i);
      if (near === undefined) continue;
      const told = toldOf(cell, i);
      const waits = told.news.left === 0 && isPassedOver(cell, i, packing);
      if (waits) told.newsFrom = told.before;
      else tellNews(told, near, packing, this.#round);
    }
    let isWhole = false;
    for (let i = 0; i < cell.around.length && packing.room > 0; i++) {
      const near = this.#near(cell, i);
      const told = cell.told[i];
      if (near === undefined || told === undefined || told.whole.left === 0) continue;
      isWhole = true;
      tellWhole(told, near, packing);
    }
    const { last } = packing;
    if (last === undefined) return undefined;
    const isOne = packing.room === TICK_AVATARS_MAX - 1;
    const viewers = viewersOf(cell, isOne ? last : undefined);
    return viewers.length === 0 ? undefined : { bytes: frame.finish(), viewers, isWhole };
  }

  #near(cell: Cell, index: number): Cell | undefined {
    return this.#cells.get(cell.around[index] ?? -1);
  }

  #changed(avatar: Tracked): void {
    avatar.changedIn = this.#round;
    avatar.cell.changedIn = this.#round;
  }

  #cellFor(key: number): Cell {
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const phase = this.#grid.phase(key, PHASES);
    const around = this.#grid.around(key);
    const cell: Cell = {
      key,
      phase,
      around,
      told: new Array<Told | undefined>(around.length),
      avatars: [],
      people: 0,
      lookers: this.#lookersInto(key, this.#grid).map((region) => ({ region, told: untold() })),
      changedIn: this.#round,
      wholeAtMs: -HEARTBEAT_MS,
      turns: 0,
    };
    this.#cells.set(key, cell);
    this.#phases[phase]?.add(cell);
    return cell;
  }

  /** The last avatar of the cell moves into the gap; an empty cell is dropped. */
  #takeOut(known: Tracked): void {
    const { cell, slot } = known;
    const last = cell.avatars.pop();
    invariant(last !== undefined, 'a tracked avatar stands in its cell');
    if (!known.isGhost) cell.people -= 1;
    if (last !== known) {
      last.slot = slot;
      cell.avatars[slot] = last;
    }
    if (cell.avatars.length > 0) return;
    this.#cells.delete(cell.key);
    this.#phases[cell.phase]?.delete(cell);
  }
}

function toldOf(cell: Cell, index: number): Told {
  const known = cell.told[index];
  if (known !== undefined) return known;
  const told = untold();
  cell.told[index] = told;
  return told;
}

function untold(): Told {
  const sweep = { begunIn: 0, left: 0, next: 0 };
  return { before: 0, newsFrom: 0, news: sweep, whole: { ...sweep } };
}

/** Whether the cells farther away wait for another turn, since the frame holds a crowd already. */
function isPassedOver(cell: Cell, index: number, { room }: Packing): boolean {
  const isCrowded = room <= TICK_AVATARS_MAX - CROWD_AVATARS;
  return isCrowded && index > 0 && (cell.turns + index) % CROWDED_FAR_TURNS !== 0;
}

function hasNews(told: Told, near: Cell): boolean {
  return told.news.left > 0 || near.changedIn >= told.before;
}

function tellNews(told: Told, near: Cell, packing: Packing, round: number): void {
  const { before, news } = told;
  told.newsFrom = before;
  if (!hasNews(told, near)) return;
  if (news.left === 0) begin(news, near, round);
  sweep(news, near, packing, (avatar) => avatar.changedIn >= before);
  if (news.left === 0) told.before = news.begunIn;
}

function tellWhole({ newsFrom, whole }: Told, near: Cell, packing: Packing): void {
  sweep(whole, near, packing, (avatar) => avatar.changedIn < newsFrom);
}

function begin(sweep: Sweep, near: Cell, round: number): void {
  sweep.left = near.avatars.length;
  sweep.begunIn = round;
}

/** Goes on over a cell while there is room, and packs those who are due. */
function sweep(
  sweep: Sweep,
  { avatars }: Cell,
  packing: Packing,
  isDue: (avatar: Tracked) => boolean,
): void {
  sweep.left = Math.min(sweep.left, avatars.length);
  while (sweep.left > 0 && packing.room > 0) {
    if (sweep.next >= avatars.length) sweep.next = 0;
    const avatar = avatars[sweep.next];
    sweep.next += 1;
    sweep.left -= 1;
    if (avatar === undefined || !isDue(avatar)) continue;
    if (avatar.isGhost && !packing.withGhosts) continue;
    writeAvatar(packing.frame, avatar, packing.nowMs);
    packing.room -= 1;
    packing.last = avatar.player;
  }
}

function viewersOf(cell: Cell, but: PlayerId | undefined): readonly PlayerId[] {
  const viewers: PlayerId[] = [];
  for (const { player, isGhost } of cell.avatars) {
    if (player !== but && !isGhost) viewers.push(player);
  }
  return viewers;
}

/** How far from what was told a player will be at that time if he goes on as he now says. */
function strayMm(told: Track, way: Track, atMs: number): number {
  return distanceMm(
    { lat: latAt(told, atMs), lon: lonAt(told, atMs) },
    { lat: latAt(way, atMs), lon: lonAt(way, atMs) },
  );
}

function rebase(tracked: Tracked, { lat, lon, north, east, atMs }: Track): void {
  Object.assign(tracked, { lat, lon, north, east, atMs });
}
