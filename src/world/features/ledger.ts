// The ledger: all gold and all items of the world, and who holds them.
//
// `holdings` and `trade` work on it; only this file changes a balance or an owner.
// 1. Double entry: gold comes into being only by moving it out of the mint's account, and each move
//    takes from one account what it adds to another. The sum of all balances is therefore always
//    zero, and what the mint is short of is all the gold there is.
// 2. Only the mint's balance is below zero.
// 3. An item has one owner, and its number, counted from 1, is never used again, even if it is consumed.
// 4. An item that was consumed becomes one other at most, whatever the region remembers that works on it.
// Orders that are state: players in the order of opening, a player's items in the order of arrival, items
// in work in the order of their consumption.
import { BeforeImages } from '../../base/before-images.ts';
import { type ByteReader, ByteWriter } from '../../base/bytes.ts';
import { CorruptionError, invariant } from '../../base/errors.ts';
import { type ItemId, itemId, type PlayerId, playerId } from '../../base/id.ts';
import { firstOf, loadedInSlices, type Loading, savedInSlices, type Slices } from '../../base/slices.ts';
import { type Audit, GOLD_MAX, HELD_ITEMS_MAX, type RoomRefusal } from '../../wire/calls.ts';

/** Their items, a few each, then still fit a `Map`. */
const HOLDERS_MAX = 4_000_000;

export interface Account {
  /** 0 for the mint. */
  readonly player: number;
  readonly balance: number;
}

export interface HeldItem {
  readonly id: ItemId;
  readonly kind: string;
  readonly owner: PlayerId;
  /** The number of the offer that it is locked in; 0 when it is free. */
  readonly lockedIn: number;
}

export interface Holder {
  readonly player: PlayerId;
  /** What he may spend. */
  readonly gold: Account;
  /** What stands in his open offers. */
  readonly goldLocked: Account;
  /** Free and locked ones. */
  readonly items: ReadonlySet<HeldItem>;
}

interface OwnItem extends HeldItem {
  owner: PlayerId;
  lockedIn: number;
}

interface OwnHolder extends Holder {
  readonly items: Set<HeldItem>;
}

export class Ledger {
  readonly mint: Account = { player: 0, balance: 0 };
  #itemsMinted = 0;
  #itemsConsumed = 0;
  /** Numbers of consumed items that have not become anything yet. */
  readonly #inWork = new Set<number>();
  readonly #holders = new Map<number, OwnHolder>();
  /** Its order is never used: a snapshot lists items by holder. */
  readonly #items = new Map<number, OwnItem>();
  readonly #before = new BeforeImages<OwnHolder>(copyOf);
  readonly #holdersMax: number;

  constructor(holdersMax: number = HOLDERS_MAX) {
    this.#holdersMax = holdersMax;
  }

  get full(): boolean {
    return this.#holders.size >= this.#holdersMax;
  }

  holder(player: number): Holder | undefined {
    return this.#holders.get(player);
  }

  item(id: number): HeldItem | undefined {
    return this.#items.get(id);
  }

  /** Opens empty holdings; the player must not have any. */
  open(player: PlayerId): Holder {
    invariant(!this.#holders.has(player), 'holdings are opened once');
    const holder = newHolder(player);
    this.#holders.set(player, holder);
    return holder;
  }

  mintItem(kind: string, owner: Holder): HeldItem {
    this.#itemsMinted += 1;
    return this.#put({ id: itemId(this.#itemsMinted), kind, owner: owner.player, lockedIn: 0 });
  }

  /** Makes an item in place of one that is in work. */
  makeOf(consumed: number, kind: string, owner: Holder): HeldItem {
    invariant(this.#inWork.delete(consumed), 'an item that was consumed becomes another once');
    return this.mintItem(kind, owner);
  }

  isInWork(id: number): boolean {
    return this.#inWork.has(id);
  }

  /** Takes an item that is not locked out of the world, to make another of it. */
  consume(id: number): void {
    const item = this.#known(id);
    invariant(item.lockedIn === 0, 'what stands in an offer is not consumed');
    this.#changed(item.owner).items.delete(item);
    this.#items.delete(id);
    this.#inWork.add(id);
    this.#itemsConsumed += 1;
  }

  /** One entry on each side; `from` must have the amount unless it is the mint. */
  move(from: Account, to: Account, amount: number): void {
    invariant(Number.isSafeInteger(amount) && amount >= 0, 'gold is moved in whole amounts');
    invariant(from === this.mint || from.balance >= amount, 'no account is overdrawn');
    if (this.#before.isOn) {
      for (const { player } of [from, to]) if (player > 0) this.#changed(player);
    }
    const debited: { balance: number } = from;
    const credited: { balance: number } = to;
    debited.balance -= amount;
    credited.balance += amount;
  }

  /** Gives an item, by its number, a new owner; it is then free of any lock. */
  pass(id: number, to: Holder): void {
    const item = this.#known(id);
    this.#changed(item.owner).items.delete(item);
    item.owner = to.player;
    item.lockedIn = 0;
    this.#changed(to.player).items.add(item);
  }

  /** Locks an item, by its number, into an offer; frees it when `offer` is 0. */
  lock(id: number, offer: number): void {
    const item = this.#known(id);
    this.#changed(item.owner);
    item.lockedIn = offer;
  }

  /** Why a holder can not take so much more (or less, below zero) of both. */
  roomRefusal(holder: Holder, more: { gold: number; items: number }): RoomRefusal | undefined {
    const gold = holder.gold.balance + holder.goldLocked.balance;
    if (gold + more.gold > GOLD_MAX) return 'too-much-gold';
    return holder.items.size + more.items > HELD_ITEMS_MAX ? 'too-many-items' : undefined;
  }

  /** What was minted, by the books; what is held and locked, counted anew from every holder. */
  audit(): Audit {
    let [goldHeld, goldLocked, itemsHeld, itemsLocked] = [0, 0, 0, 0];
    for (const holder of this.#holders.values()) {
      goldHeld += holder.gold.balance;
      goldLocked += holder.goldLocked.balance;
      for (const item of holder.items) {
        if (item.lockedIn === 0) itemsHeld += 1;
        else itemsLocked += 1;
      }
    }
    const players = this.#holders.size;
    const goldMinted = 0 - this.mint.balance;
    const items = { itemsMinted: this.#itemsMinted, itemsConsumed: this.#itemsConsumed };
    return { players, goldMinted, goldHeld, goldLocked, ...items, itemsHeld, itemsLocked };
  }

  save(writer: ByteWriter): void {
    const kinds: Kinds = new Map();
    this.#saveHead(writer);
    for (const holder of this.#holders.values()) saveHolder(writer, holder, kinds);
  }

  *slices(): Slices {
    const kinds: Kinds = new Map();
    const head = new ByteWriter();
    this.#saveHead(head);
    this.#before.begin();
    const holders = firstOf(this.#holders.values(), this.#holders.size);
    const parts = yield* savedInSlices(head, holders, (writer, holder) => {
      saveHolder(writer, this.#before.of(holder), kinds);
    });
    this.#before.end();
    return parts;
  }

  static *load(reader: ByteReader): Loading<Ledger> {
    const ledger = new Ledger();
    const kinds: string[] = [];
    ledger.#itemsMinted = reader.varint();
    ledger.#itemsConsumed = reader.varint();
    yield* loadedInSlices(reader, reader.varint(), () => ledger.#inWork.add(reader.varint()));
    yield* loadedInSlices(reader, reader.varint(), () => {
      const player = playerId(reader.varint());
      if (ledger.#holders.has(player)) throw new CorruptionError(`player ${player} is saved twice`);
      const holder = ledger.open(player);
      ledger.move(ledger.mint, holder.gold, reader.varint());
      ledger.move(ledger.mint, holder.goldLocked, reader.varint());
      const items = reader.varint();
      for (let k = 0; k < items; k++) ledger.#loadItem(reader, player, kinds);
    });
    return ledger;
  }

  #saveHead(writer: ByteWriter): void {
    writer.varint(this.#itemsMinted).varint(this.#itemsConsumed).varint(this.#inWork.size);
    for (const id of this.#inWork) writer.varint(id);
    writer.varint(this.#holders.size);
  }

  #loadItem(reader: ByteReader, owner: PlayerId, kinds: string[]): void {
    const id = itemId(reader.varint());
    if (this.#items.has(id) || id > this.#itemsMinted) {
      throw new CorruptionError(`item ${id} is saved twice or was never minted`);
    }
    const lockedIn = reader.varint();
    this.#put({ id, lockedIn, owner, kind: loadKind(reader, kinds) });
  }

  #put(item: OwnItem): HeldItem {
    this.#items.set(item.id, item);
    this.#changed(item.owner).items.add(item);
    return item;
  }

  #known(id: number): OwnItem {
    const item = this.#items.get(id);
    invariant(item !== undefined, 'an item that was minted stays');
    return item;
  }

  /** The holder, of whom something is about to change. */
  #changed(player: number): OwnHolder {
    const holder = this.#holders.get(player);
    invariant(holder !== undefined, 'an owner has holdings');
    this.#before.keep(holder);
    return holder;
  }
}

function newHolder(player: PlayerId): OwnHolder {
  const none: Account = { player, balance: 0 };
  return { player, gold: { ...none }, goldLocked: { ...none }, items: new Set() };
}

function copyOf({ player, gold, goldLocked, items }: OwnHolder): OwnHolder {
  const copies = Array.from(items, (item) => ({ ...item }));
  return { player, gold: { ...gold }, goldLocked: { ...goldLocked }, items: new Set(copies) };
}

type Kinds = Map<string, number>;

function saveHolder(
  writer: ByteWriter,
  { player, gold, goldLocked, items }: Holder,
  kinds: Kinds,
): void {
  writer.varint(player).varint(gold.balance).varint(goldLocked.balance).varint(items.size);
  for (const item of items) {
    writer.varint(item.id).varint(item.lockedIn);
    saveKind(writer, item.kind, kinds);
  }
}

/** There are few kinds and many items: a kind is spelled out where it comes first. */
function saveKind(writer: ByteWriter, kind: string, kinds: Kinds): void {
  const number = kinds.get(kind);
  writer.varint(number ?? kinds.size);
  if (number !== undefined) return;
  kinds.set(kind, kinds.size);
  writer.text(kind);
}

function loadKind(reader: ByteReader, kinds: string[]): string {
  const number = reader.varint();
  if (number === kinds.length) kinds.push(reader.text());
  const kind = kinds[number];
  if (kind === undefined) throw new CorruptionError(`kind ${number} is not spelled out`);
  return kind;
}
