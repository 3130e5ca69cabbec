// Moves events from the outboxes of the logs that this node leads to the logs that they are for.
//
// The roles of nodes give it the groups that they are members of and the regions of which they hold a
// copy. It looks where something has changed, and now and then everywhere, since leadership may have come
// meanwhile. What it knows is in the logs; a pump that begins anew sends again what was not yet trimmed.
// 1. Only committed events leave.
// 2. For each origin and destination one batch is under way, until the origin has forgotten what of it
//    was taken. Another node that also takes itself for the leader can at most repeat what is taken once.
import { invariant } from '../../base/errors.ts';
import type { Clock, Events, Published } from '../../runtime/ports.ts';
import { type EventBatch, pendingEvents, trimEvents } from '../../wire/events.ts';
import type { AckLevel } from '../../wire/levels.ts';
import type { GroupAnswer } from '../../wire/peer.ts';
import type { Feature } from '../../world/feature.ts';
import { serviceCommand, serviceQuery, serviceValue } from '../calls/service-calls.ts';

const PENDING = { name: 'events.pending', shape: pendingEvents };
const TRIM = { name: 'events.trim', shape: trimEvents };
/** After a change: what changes at the same time then leaves together. */
const LOOK_MS = 5;
const LOOK_EVERYWHERE_MS = 250;
/** Before a batch goes out again that was not taken: the destination is away, or between leaders. */
const AGAIN_MS = 250;

/** A log of which this node holds a copy; its features emit or take events. */
export interface EventSource {
  readonly number: number;
  /** Up to where the log can not be undone any more; `undefined` while another node leads it. */
  committed(): number | undefined;
  read(request: Uint8Array): Uint8Array;
  propose(command: Uint8Array, answer: (answer: GroupAnswer) => void, level?: AckLevel): void;
}

/** Whether a log with these features has anything for a pump to look at. */
export function emitsEvents(features: readonly Feature[]): boolean {
  return features.some(({ events }) => events !== undefined);
}

interface Watched {
  readonly source: EventSource;
  /** Destinations that have a batch under way, or wait before the next. */
  readonly busy: Set<number>;
  isDue: boolean;
}

export class EventPump {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #watched: ReadonlyMap<number, Watched>;
  readonly #cancels = new Set<() => void>();
  #isStopped = false;

  constructor(o: { clock: Clock; events: Events; sources: readonly EventSource[] }) {
    this.#clock = o.clock;
    this.#events = o.events;
    this.#watched = new Map(
      o.sources.map((source) => [source.number, { source, busy: new Set(), isDue: false }]),
    );
  }

  start(): void {
    if (this.#watched.size > 0) this.#lookEverywhere();
  }

  stop(): void {
    this.#isStopped = true;
    for (const cancel of this.#cancels) cancel();
  }

  /** Something was applied or committed in this log; one without events is ignored. */
  changed(number: number): void {
    const watched = this.#watched.get(number);
    if (watched === undefined || watched.isDue) return;
    watched.isDue = true;
    this.#after(LOOK_MS, () => {
      watched.isDue = false;
      this.#look(watched);
    });
  }

  #lookEverywhere(): void {
    for (const watched of this.#watched.values()) this.#look(watched);
    this.#after(LOOK_EVERYWHERE_MS, () => this.#lookEverywhere());
  }

  #look({ source, busy }: Watched): void {
    const committed = source.committed();
    if (committed === undefined) return;
    const request = serviceQuery(PENDING, { committed, busy: [...busy] });
    const batches = serviceValue(PENDING, source.read(request));
    invariant(batches !== undefined, 'a log with events says which of them wait');
    for (const batch of batches) {
      busy.add(batch.to);
      this.#events.publish(batch, (published) => this.#published(batch, published));
    }
  }

  #published(batch: EventBatch, published: Published): void {
    const first = batch.events[0];
    const watched = this.#watched.get(batch.origin);
    if (first === undefined || watched === undefined || this.#isStopped) return;
    // Nothing of it was taken where the way back for answers is full: as if nobody had been there.
    if (published.kind === 'unknown' || published.upTo < first.number) {
      return this.#again(watched, batch.to);
    }
    const { upTo } = published;
    watched.source.propose(serviceCommand(TRIM, { to: batch.to, upTo }), (answer) => {
      if (answer.kind !== 'answered') return this.#again(watched, batch.to);
      watched.busy.delete(batch.to);
      this.changed(batch.origin);
    }, 'one');
  }

  #again(watched: Watched, to: number): void {
    this.#after(AGAIN_MS, () => {
      watched.busy.delete(to);
      this.changed(watched.source.number);
    });
  }

  #after(ms: number, run: () => void): void {
    if (this.#isStopped) return;
    const cancel = this.#clock.wakeAt(this.#clock.monotonicMs() + ms, () => {
      this.#cancels.delete(cancel);
      run();
    });
    this.#cancels.add(cancel);
  }
}
