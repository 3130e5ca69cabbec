// The safety of every region, looked at after every step of every process that holds copies.
//
// `cluster.ts` and `region-host.ts` report what disks, links and machines do. What a copy says of itself
// is believed nowhere: it is held against the disks, which report here what they have.
import { ByteReader } from '../../base/bytes.ts';
import { crc32c } from '../../base/crc32c.ts';
import { decodeMessage } from '../../protocols/primary/codec.ts';
import type { LogWrite, Recovered } from '../../protocols/raft/messages.ts';
import type { StateMachine } from '../../protocols/state-machine.ts';
import { readChanges, recordAt } from '../../runtime/journal-record.ts';
import { emptyRecovered } from '../../runtime/journal.ts';
import type { ReplicaSet } from '../../runtime/replica-set.ts';
import type { RegionPlan, Topology } from '../../services/topology/topology.ts';
import { decodeCommand, decodeQuery } from '../../wire/command.ts';
import { deliverEvents, openEvent } from '../../wire/events.ts';
import { decodePeerMessage } from '../../wire/peer.ts';
import { promiseEpoch } from '../../wire/placement.ts';
import { decodeWith } from '../../wire/schema.ts';
import { chatHeard } from '../../world/features/chat.ts';
import type { Place } from './epoch-chain.ts';
import { RegionHistory, textOf } from './region-history.ts';
import type { Verdicts } from './violation.ts';
import { watchedMachine } from './watched-machine.ts';

/** Every so many entries the whole state is compared between the copies. */
const HASH_EVERY = 32;
const CHECKPOINT_NAME = /^checkpoint-.+-([0-9a-f]{16})-([0-9a-f]{16})\.bin$/;
const TAIL_NAME = /^lost-(\d+)-(\d+)-(\d+)-(\d+)\.bin$/;
// As in `wire/peer.ts`: looked at without decoding the whole.
const ASK_COMMAND = 2;
const ASK_QUERY = 3;
const NOTICE = 8;
const REGION = 10;
const PROMISE = 'placement.promise';
const DELIVER = 'events.deliver';
/** A checksum stays below. */
const SUM_SPAN: number = 2 ** 32;

/** One copy while its process lives. */
interface LivingCopy {
  readonly set: ReplicaSet;
  readonly history: RegionHistory;
  /** As it stood when it was looked at. */
  epoch: number;
  committed: number;
  wasPrimary: boolean;
}

/** What a disk told about itself before it was read. */
export interface FoundOn {
  readonly machineDied: boolean;
  readonly isDamaged: boolean;
}

export class RegionInvariants {
  readonly histories: ReadonlyMap<number, RegionHistory>;
  /** For a timeline. */
  note: ((lane: number, what: string) => void) | undefined;
  readonly #verdicts: Verdicts;
  readonly #living = new Map<number, readonly LivingCopy[]>();
  /** Asks that were sent to a node by their askers. */
  readonly #asked = new Set<number>();

  constructor(topology: Topology, verdicts: Verdicts) {
    this.#verdicts = verdicts;
    this.histories = new Map(
      topology.regions.map((region) => [region.number, new RegionHistory(region, verdicts)]),
    );
  }

  /** How often a primary was appointed, in all regions. */
  get appointments(): number {
    let sum = 0;
    for (const { appointments } of this.histories.values()) sum += appointments;
    return sum;
  }

  /** Bytes of a file of a copy became durable. */
  durable(node: number, region: number, file: { readonly name: string; readonly bytes: Uint8Array }): void {
    const history = this.histories.get(region);
    const disk = history?.disks.get(node);
    if (history === undefined || disk === undefined) return;
    const { name, bytes } = file;
    if (name.startsWith('journal-')) {
      for (const write of writesIn(bytes, region)) history.writes(node, write);
      return;
    }
    const [, ...tail] = TAIL_NAME.exec(name) ?? [];
    if (tail.length > 0) {
      const [fromEpoch = 0, fromSequence = 0, toEpoch = 0, toSequence = 0] = tail.map(Number);
      disk.tails.push({ fromEpoch, fromSequence, toEpoch, toSequence });
      return;
    }
    const mark = CHECKPOINT_NAME.exec(name);
    if (mark === null) return;
    const [epoch = 0, sequence = 0] = mark.slice(1).map((each) => Number.parseInt(each, 16));
    disk.checkpoints.add(textOf({ epoch, sequence }));
  }

  /** A copy's journal was read. What was durable must be there, unless the disk was damaged. */
  recovered(node: number, region: number, o: { found: Recovered | undefined } & FoundOn): void {
    const history = this.histories.get(region);
    const disk = history?.disks.get(node);
    if (history === undefined || disk === undefined) return;
    const { found, machineDied, isDamaged } = o;
    const { hardState, snapshot, entries, healUntil = 0 } = found ?? emptyRecovered();
    let last: Place = { epoch: snapshot.term, sequence: snapshot.index };
    for (const { term: epoch, index: sequence, timeMs, data } of entries) {
      history.reads(last.epoch, { epoch, sequence, timeMs, data });
      last = { epoch, sequence };
    }
    if (!isDamaged) {
      const isLess = hardState.term < disk.promised || !history.chain.holds(last, disk.last);
      if (isLess) {
        const had = `promised ${disk.promised}, log up to ${textOf(disk.last)}`;
        const has = `promised ${hardState.term}, log up to ${textOf(last)}`;
        this.#verdicts.broken('FORGET', `${history.name} at ${node}: had ${had}; finds ${has}`);
      }
    } else if (!history.chain.holds(last, disk.last)) disk.destroyed.push(disk.last);
    const isBlank = found === undefined || healUntil > 0;
    if (machineDied || isDamaged) history.found(node, last, { promised: hardState.term, isBlank });
  }

  /** The copies of a process that starts. */
  lives(node: number, sets: ReadonlyMap<number, ReplicaSet>): void {
    const living: LivingCopy[] = [];
    for (const [number, set] of sets) {
      const history = this.histories.get(number);
      if (history !== undefined) living.push({ set, history, epoch: 0, committed: 0, wasPrimary: false });
    }
    if (living.length > 0) this.#living.set(node, living);
  }

  died(node: number): void {
    // It may have done something, and told others, in the very step in which it died.
    this.stepped(node);
    this.#living.delete(node);
  }

  /** A step of a process is done. */
  stepped(node: number): void {
    const living = this.#living.get(node);
    if (living !== undefined) for (const copy of living) this.#look(node, copy);
  }

  /** The machine of one copy, watched. */
  watched(node: number, { number }: RegionPlan, machine: StateMachine): StateMachine {
    const history = this.histories.get(number);
    if (history === undefined) return machine;
    return watchedMachine(machine, {
      apply: (entry) => {
        const applied = machine.apply(entry);
        history.applies(node, entry, applied);
        if (entry.index % HASH_EVERY === 0) {
          history.hashes(node, entry.index, crc32c(machine.snapshot()));
        }
        return applied;
      },
      query: (request, index, timeMs) => {
        this.#served(node, number, request);
        return machine.query(request, index, timeMs);
      },
    });
  }

  /** A frame leaves: what it says of its sender's disk must be so. */
  sent(node: number, to: number, frame: Uint8Array): void {
    if (this.#living.size === 0) return;
    const kind = frame[0];
    if (kind === REGION) this.#copySays(node, frame);
    else if (kind === ASK_COMMAND || kind === ASK_QUERY) this.#asks(node, to, frame);
    else if (kind === NOTICE) this.#tells(node, frame);
  }

  #look(node: number, copy: LivingCopy): void {
    const { set, history } = copy;
    const { role, promised: epoch, committed } = set.standing;
    const isPrimary = role === 'primary';
    const isAsBefore = epoch === copy.epoch && committed === copy.committed;
    if (isAsBefore && isPrimary === copy.wasPrimary) return;
    if (epoch < copy.epoch) {
      this.#verdicts.broken('MT', `${history.name} at ${node}: epoch ${epoch} after ${copy.epoch}`);
    }
    copy.epoch = epoch;
    copy.committed = committed;
    copy.wasPrimary = isPrimary;
    if (!isPrimary) return;
    if (!history.hasLed(epoch)) this.note?.(node, `is primary of ${history.name} in epoch ${epoch}`);
    history.leads(node, epoch);
    history.commits(node, { epoch, sequence: committed });
  }

  #served(node: number, number: number, request: Uint8Array): void {
    const copy = this.#living.get(node)?.find(({ set }) => set.number === number);
    if (copy === undefined) return;
    const { role, promised: epoch } = copy.set.standing;
    // What a node asks its own copy is no answer to anybody.
    if (role === 'primary' && decodeQuery(request).player > 0) copy.history.serves(node, epoch);
  }

  #copySays(node: number, frame: Uint8Array): void {
    const reader = new ByteReader(frame, 1);
    const history = this.histories.get(reader.varint());
    const disk = history?.disks.get(node);
    if (history === undefined || disk === undefined) return;
    const message = decodeMessage(reader.view(frame.length));
    const claims = (place: string, sequence: number): void => {
      if (sequence <= disk.last.sequence) return;
      const what = `${node} says that it holds ${sequence} (${place}), and its disk ends at`;
      this.#verdicts.broken('CQ', `${history.name}: ${what} ${textOf(disk.last)}`);
    };
    const promises = (epoch: number): void => {
      if (epoch <= disk.promised) return;
      const what = `${node} speaks of epoch ${epoch} (${message.kind}), and its disk promises`;
      this.#verdicts.broken('MV', `${history.name}: ${what} ${disk.promised}`);
    };
    switch (message.kind) {
      case 'append':
        claims('append', message.previous.sequence + message.entries.length);
        return;
      case 'append-reply':
        promises(message.epoch);
        if (message.result.kind === 'matched') claims('matched', message.result.sequence);
        return;
      case 'state-reply':
        promises(message.epoch);
        if (message.nextPart === Number.MAX_SAFE_INTEGER) claims('state', message.sequence);
        return;
      case 'refused':
        promises(message.epoch);
        return;
      case 'whereabouts':
        promises(message.at.promised);
    }
  }

  #asks(node: number, to: number, frame: Uint8Array): void {
    const message = decodePeerMessage(frame);
    if (message.kind !== 'ask') return;
    const { body, group, mode, isForwarded = false } = message;
    if (this.histories.has(group)) this.#hops({ node, to, body, isForwarded });
    if (mode === 'query') return;
    const { call, args } = decodeCommand(body);
    if (call === PROMISE) this.#promises(node, args);
    else if (call === DELIVER) this.#emits(node, args);
  }

  /** Who hands an ask on was asked it by its asker. */
  #hops(o: {
    readonly node: number;
    readonly to: number;
    readonly body: Uint8Array;
    readonly isForwarded: boolean;
  }): void {
    const { node, to, body, isForwarded } = o;
    const sum = crc32c(body);
    if (!isForwarded) this.#asked.add(to * SUM_SPAN + sum);
    else if (!this.#asked.has(node * SUM_SPAN + sum)) {
      this.#verdicts.broken('HOP', `${node} hands an ask on to ${to} that was handed on to it`);
    }
  }

  /** What leaves for another log is on the disks of a majority. */
  #emits(node: number, args: Uint8Array): void {
    const { origin, events } = decodeWith(deliverEvents.args, args);
    const copy = this.#living.get(node)?.find(({ set }) => set.number === origin);
    if (copy === undefined) return;
    this.#look(node, copy);
    const { committed, name } = copy.history;
    for (const { body } of events) {
      const event = openEvent(body);
      if (event.name !== chatHeard.name) continue;
      const { number } = chatHeard.args.decode(event.args);
      if (number <= committed.sequence) continue;
      const what = `${node} sends an event of ${number}, and a majority has ${textOf(committed)}`;
      this.#verdicts.broken('EFFECT', `${name}: ${what}`);
    }
  }

  /** A promise that is on its way to placement is on the disk, and says what the disk holds. */
  #promises(node: number, args: Uint8Array): void {
    const promise = decodeWith(promiseEpoch.args, args);
    const history = this.histories.get(promise.region);
    const disk = history?.disks.get(node);
    if (history === undefined || disk === undefined) return;
    const { epoch, last, isBlank } = promise;
    const isTrue =
      epoch <= disk.promised &&
      (isBlank || !disk.isBlank) &&
      // An ask that is repeated says what was so when the promise was given.
      (disk.last.epoch >= epoch || history.chain.holds(disk.last, last));
    if (isTrue) return;
    const told = `epoch ${epoch}, log up to ${textOf(last)}${isBlank ? ', blank' : ''}`;
    const had = `${disk.promised}, ${textOf(disk.last)}${disk.isBlank ? ', blank' : ''}`;
    this.#verdicts.broken('MV', `${history.name}: ${node} promises ${told}; its disk has ${had}`);
  }

  /** What players are told of a region is on the disks of a majority. */
  #tells(node: number, frame: Uint8Array): void {
    const message = decodePeerMessage(frame);
    if (message.kind !== 'notice' || message.push !== 'chat') return;
    const said = JSON.parse(message.value) as { readonly region: string; readonly number: number };
    const copy = this.#living.get(node)?.find(({ history }) => history.name === said.region);
    if (copy === undefined) return;
    this.#look(node, copy);
    const { history } = copy;
    if (said.number <= history.committed.sequence) return;
    const what = `${node} tells players of ${said.number}, and a majority has`;
    this.#verdicts.broken('EFFECT', `${history.name}: ${what} ${textOf(history.committed)}`);
  }
}

function writesIn(bytes: Uint8Array, region: number): readonly LogWrite[] {
  const record = recordAt(bytes, 0);
  if (record === undefined) return [];
  return readChanges(bytes, record).flatMap((item) =>
    item.kind === 'write' && item.group === region ? [item.write] : [],
  );
}

