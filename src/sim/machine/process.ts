// One process of a simulated world: its life, its event loop, and how both are disturbed.
//
// `cluster.ts` starts one for every life of a node. The loop takes in frames, timers and completions one
// after the other, as Node does: while the process stands still they gather, and when it goes on due
// timers come first, then what was received, then what was deferred.
// Invariant: once it has ended, none of its doors lets anything through.
import type { NodeId } from '../../base/id.ts';
import type { Random } from '../../base/random.ts';
import type { Clock } from '../../runtime/ports.ts';
import type { MachineClock } from './clock.ts';
import type { EventQueue } from './queue.ts';

/** Unwinds the code of a process that was killed within a call of one of its doors. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

/** One for all: an error that notes where it was made is dear, and nobody asks where this one was. */
const KILLED: Killed = new Killed();

export type StepKind = 'start' | 'frames' | 'up' | 'lost' | 'timer' | 'deferred' | 'disk' | 'order';

export interface ProcessWatcher {
  /** A step begins. */
  stepping(life: VirtualProcess, kind: StepKind): void;
  stepped(life: VirtualProcess): void;
  /** The process ended by itself or was killed: `Killed`, or what it threw. Called once. */
  ended(life: VirtualProcess, cause: unknown): void;
}

interface Step {
  readonly kind: StepKind;
  readonly run: () => void;
}

export interface ProcessOptions {
  readonly node: NodeId;
  readonly queue: EventQueue;
  readonly random: Random;
  readonly machine: MachineClock;
  readonly watcher: ProcessWatcher;
  /** A timer may come so much later than it should. */
  readonly timerLateUsMax: number;
}

export class VirtualProcess {
  readonly node: NodeId;
  readonly clock: Clock;
  alive = true;
  readonly #options: ProcessOptions;
  readonly #originUs: number;
  #deferred: (() => void)[] = [];
  #backlog: Step[] = [];
  /** The same for every run of the loop: one is made for each step otherwise. */
  readonly #goDeferred = (): void => this.take('deferred', this.#runDeferred);
  readonly #runDeferred = (): void => {
    const due = this.#deferred;
    this.#deferred = [];
    for (const each of due) each();
  };
  #busyUntilUs = 0;
  #callsLeft = Number.POSITIVE_INFINITY;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.node = options.node;
    this.#originUs = options.machine.monotonicUs - options.random.integer(0, 10_000_000);
    this.clock = {
      monotonicMs: () => this.#monotonicMs(),
      wallMs: () => options.machine.wallMs,
      wakeAt: (atMs, wake) => this.#wakeAt(atMs, wake),
      defer: (run) => this.#defer(run),
    };
  }

  /** Every door calls this first: here a process dies between two effects. */
  touch(): void {
    if (!this.alive) throw new Killed();
    this.#callsLeft -= 1;
    if (this.#callsLeft > 0) return;
    this.end(KILLED);
    throw KILLED;
  }

  /** Kills it at so many calls of its doors from now; 0 is now. */
  killAfter(calls: number): void {
    if (calls === 0) this.end(KILLED);
    else this.#callsLeft = Math.min(this.#callsLeft, calls);
  }

  /** What `killAfter` has not yet done, it will not do. */
  spare(): void {
    this.#callsLeft = Number.POSITIVE_INFINITY;
  }

  end(cause: unknown): void {
    if (!this.alive) return;
    this.alive = false;
    this.#backlog = [];
    this.#deferred = [];
    this.#options.watcher.ended(this, cause);
  }

  /** Something comes in: it is handled now, or when the process goes on. */
  take(kind: StepKind, run: () => void): void {
    if (!this.alive) return;
    if (this.#options.queue.nowUs < this.#busyUntilUs) this.#backlog.push({ kind, run });
    else this.#step(kind, run);
  }

  /** How long it will still do nothing. */
  get busyUs(): number {
    return Math.max(0, this.#busyUntilUs - this.#options.queue.nowUs);
  }

  /** Does nothing for so long: it was stopped, or it waits for its disk. */
  standStill(forUs: number): void {
    const untilUs = this.#options.queue.nowUs + forUs;
    if (untilUs <= this.#busyUntilUs) return;
    this.#busyUntilUs = untilUs;
    this.#options.queue.at(untilUs, () => this.#goOn());
  }

  #step(kind: StepKind, run: () => void): void {
    const { watcher } = this.#options;
    watcher.stepping(this, kind);
    try {
      run();
    } catch (cause) {
      this.end(cause);
    }
    if (this.alive) watcher.stepped(this);
  }

  #goOn(): void {
    const { queue } = this.#options;
    if (!this.alive || queue.nowUs < this.#busyUntilUs) return;
    const gathered = this.#backlog;
    this.#backlog = [];
    const inOrder = [
      ...gathered.filter(({ kind }) => kind === 'timer'),
      ...gathered.filter(({ kind }) => kind !== 'timer' && kind !== 'deferred'),
      ...gathered.filter(({ kind }) => kind === 'deferred'),
    ];
    for (const { kind, run } of inOrder) this.take(kind, run);
  }

  #monotonicMs(): number {
    return Math.floor((this.#options.machine.monotonicUs - this.#originUs) / 1_000);
  }

  #wakeAt(atMs: number, wake: () => void): () => void {
    this.touch();
    const { machine, queue, random, timerLateUsMax } = this.#options;
    let cancelled = false;
    let scheduled = { cancelled };
    const arm = (): void => {
      const dueUs = machine.reachedAtUs(this.#originUs + atMs * 1_000);
      const lateUs = timerLateUsMax === 0 ? 0 : random.integer(0, timerLateUsMax);
      scheduled = queue.at(dueUs + lateUs, () => this.take('timer', fire));
    };
    const fire = (): void => {
      if (cancelled) return;
      if (this.#monotonicMs() < atMs) arm();
      else wake();
    };
    arm();
    return () => {
      cancelled = true;
      scheduled.cancelled = true;
    };
  }

  #defer(run: () => void): void {
    this.touch();
    this.#deferred.push(run);
    if (this.#deferred.length > 1) return;
    this.#options.queue.soon(this.#goDeferred);
  }
}
