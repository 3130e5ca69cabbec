// Area of interest: who is told of whom in a tick, at the price of one packed body per cell.
//
// `region` adds, moves and removes; at each tick every occupied cell packs once those of its avatars
// that moved or were silent for a heartbeat, and all viewers of one cell get the very same frame: the
// bodies of the cells they see. Filtering by exact distance would cost a frame per viewer and show less.
// Invariants: (1) a viewer sees everyone within sight, and some beyond; (2) an avatar is packed at least
// once per heartbeat unless more than `TICK_AVATARS_MAX` of its cell are due: these take turns; (3) a
// frame holds at most `TICK_AVATARS_MAX`: what the nearer cells leave no room for is left out.
import { ByteWriter } from '../../base/bytes.ts';
import { invariant } from '../../base/errors.ts';
import type { PlayerId } from '../../base/id.ts';
import type { Place } from '../../wire/calls.ts';
import {
  AVATAR_BYTES,
  HEARTBEAT_MS,
  TICK_AVATARS_MAX,
  writeAvatar,
  writeTickHead,
} from '../../wire/motion.ts';
import { Cells } from './cells.ts';

/** One tick's frame for one viewer. `bytes` is shared by viewers: never changed, never used again. */
export interface TickFrame {
  readonly player: PlayerId;
  readonly bytes: Uint8Array;
}

interface Tracked {
  readonly player: PlayerId;
  lat: number;
  lon: number;
  cell: Cell;
  /** Its place in `cell.avatars`. */
  slot: number;
  /** Moved since it was last packed. */
  moved: boolean;
  packedAtMs: number;
}

interface Cell {
  readonly key: number;
  /** Keys of the cells seen from here, the nearest first. */
  readonly around: readonly number[];
  readonly avatars: Tracked[];
  /** Where the next packing starts, so that a crowd takes turns. */
  next: number;
  /** This tick's body: its first byte in `#bodies`, how many avatars, and the first one's id. */
  bodyStart: number;
  bodyCount: number;
  bodyFirst: PlayerId | undefined;
}

export class Interest {
  readonly #grid: Cells;
  readonly #tracked = new Map<PlayerId, Tracked>();
  /** Occupied cells only. */
  readonly #cells = new Map<number, Cell>();
  readonly #bodies = new ByteWriter(4_096);
  readonly #frame = new ByteWriter(4_096);

  constructor(sightMetres: number) {
    this.#grid = new Cells(sightMetres);
  }

  get count(): number {
    return this.#tracked.size;
  }

  /** Puts the player there, whether he is new or was elsewhere; the next tick tells of it. */
  place(player: PlayerId, place: Place): void {
    const key = this.#grid.at(place);
    const known = this.#tracked.get(player);
    if (known === undefined) {
      const cell = this.#cellFor(key);
      const slot = cell.avatars.length;
      const { lat, lon } = place;
      const tracked = { player, lat, lon, cell, slot, moved: true, packedAtMs: 0 };
      cell.avatars.push(tracked);
      this.#tracked.set(player, tracked);
      return;
    }
    known.lat = place.lat;
    known.lon = place.lon;
    known.moved = true;
    if (known.cell.key === key) return;
    this.#takeOut(known);
    known.cell = this.#cellFor(key);
    known.slot = known.cell.avatars.length;
    known.cell.avatars.push(known);
  }

  remove(player: PlayerId): void {
    const known = this.#tracked.get(player);
    if (known === undefined) return;
    this.#tracked.delete(player);
    this.#takeOut(known);
  }

  /**
   * Gives every viewer at most one frame, and none to whom it would show nobody but himself. A viewer's
   * own avatar is among the others. `send` may remove the viewer it is called for, and nobody else.
   */
  tick(time: { readonly nowMs: number; readonly tick: number }, send: (frame: TickFrame) => void): void {
    this.#bodies.reset();
    for (const cell of this.#cells.values()) this.#pack(cell, time.nowMs);
    const bodies = this.#bodies.view();
    for (const cell of this.#cells.values()) this.#sendFrom(cell, { bodies, tick: time.tick, send });
  }

  #pack(cell: Cell, nowMs: number): void {
    cell.bodyStart = this.#bodies.length;
    cell.bodyCount = 0;
    cell.bodyFirst = undefined;
    const size = cell.avatars.length;
    let at = cell.next < size ? cell.next : 0;
    for (let looked = 0; looked < size && cell.bodyCount < TICK_AVATARS_MAX; looked++) {
      const avatar = cell.avatars[at];
      at = at + 1 === size ? 0 : at + 1;
      if (avatar === undefined) continue;
      if (!avatar.moved && nowMs - avatar.packedAtMs < HEARTBEAT_MS) continue;
      avatar.moved = false;
      avatar.packedAtMs = nowMs;
      writeAvatar(this.#bodies, avatar);
      cell.bodyCount += 1;
      cell.bodyFirst ??= avatar.player;
    }
    cell.next = at;
  }

  #sendFrom(
    cell: Cell,
    out: {
      readonly bodies: Uint8Array;
      readonly tick: number;
      readonly send: (frame: TickFrame) => void;
    },
  ): void {
    const seen = this.#spoken(cell);
    let due = 0;
    for (const near of seen) due += near.bodyCount;
    if (due === 0) return;
    const count = Math.min(due, TICK_AVATARS_MAX);
    writeTickHead(this.#frame.reset(), { tick: out.tick, count });
    let room = count;
    for (const near of seen) {
      const take = Math.min(near.bodyCount, room);
      const end = near.bodyStart + take * AVATAR_BYTES;
      this.#frame.raw(out.bodies.subarray(near.bodyStart, end));
      room -= take;
    }
    const bytes = this.#frame.finish();
    const only = count === 1 ? seen[0]?.bodyFirst : undefined;
    // From the end, since `send` may take out the viewer and the last one then moves to his slot.
    for (let slot = cell.avatars.length - 1; slot >= 0; slot--) {
      const player = cell.avatars[slot]?.player;
      if (player !== undefined && player !== only) out.send({ player, bytes });
    }
  }

  /** The cells seen from this one that have something to say in this tick, the nearest first. */
  #spoken(cell: Cell): readonly Cell[] {
    const seen: Cell[] = [];
    for (const key of cell.around) {
      const near = this.#cells.get(key);
      if (near !== undefined && near.bodyCount > 0) seen.push(near);
    }
    return seen;
  }

  #cellFor(key: number): Cell {
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const cell: Cell = {
      key,
      around: this.#grid.around(key),
      avatars: [],
      next: 0,
      bodyStart: 0,
      bodyCount: 0,
      bodyFirst: undefined,
    };
    this.#cells.set(key, cell);
    return cell;
  }

  /** The last avatar of the cell moves into the gap; an empty cell is dropped. */
  #takeOut(known: Tracked): void {
    const { cell, slot } = known;
    const last = cell.avatars.pop();
    invariant(last !== undefined, 'a tracked avatar stands in its cell');
    if (last !== known) {
      last.slot = slot;
      cell.avatars[slot] = last;
    }
    if (cell.avatars.length === 0) this.#cells.delete(cell.key);
  }
}
