// Keeps one process running: starts it, starts it again when it ends by itself, and obeys the operator.
//
// `supervisor.ts` has one for each node. A process that ended by itself comes back after a delay that
// doubles; one that said why it can not run (exit code 2) does not, since nothing would change; one
// that an operator killed stays down until he says `restart`. The delay is forgotten once it ran well.
// Invariant: at most one process at a time; nothing is started after `stop` or `abort`.
import type { Child, ChildListener, Ended } from '../adapters/node/children.ts';
import type { Clock } from '../runtime/ports.ts';
import type { NodeCondition, NodeFacts } from './view.ts';

export const RESTART_MS_MIN = 200;
export const RESTART_MS_MAX = 5_000;
/** A process that was ready for so long has nothing to do with the failures before. */
export const RAN_WELL_MS = 10_000;
/** How long a process may take to end in order. */
export const GRACE_MS = 5_000;
/** How long a process may take to say that it has heard a word. */
const HEARD_MS_MAX = 1_000;
/** The exit code of a process that was told to stop. */
const EXIT_TOLD = 0;
/** The exit code of a process that said why it can not run on this machine or configuration. */
const EXIT_CONFIGURATION = 2;

export interface KeeperOptions {
  readonly name: string;
  readonly clock: Clock;
  start(listener: ChildListener): Child;
  /** Something happened that an operator wants to read. */
  told(event: KeeperEvent): void;
}

export interface KeeperEvent {
  readonly node: string;
  readonly kind: 'ready' | 'restarting' | 'failed' | 'killed' | 'paused' | 'resumed' | 'ended';
  /** One sentence, or the last words of the process; empty when the kind says it all. */
  readonly words: string;
}

export class NodeKeeper {
  readonly name: string;
  readonly #options: KeeperOptions;
  #child: Child | undefined;
  #condition: NodeCondition = 'down';
  /** What the process should do: `run` brings it back when it ends. */
  #intent: 'run' | 'end' = 'end';
  /** How often it was ended by order. */
  #ends = 0;
  #selfExits = 0;
  #outsideEnds = 0;
  #failuresInRow = 0;
  #readyAtMs: number | undefined;
  #sentence = '';
  #cancelRestart: () => void = () => {};
  #whenEnded: (() => void)[] = [];
  #whenForewarned: () => void = () => {};

  constructor(options: KeeperOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get facts(): NodeFacts {
    return {
      name: this.name,
      condition: this.#condition,
      pid: this.#child?.pid,
      selfExits: this.#selfExits,
      outsideEnds: this.#outsideEnds,
    };
  }

  /** Why it failed, or its last words when it ended by itself; empty otherwise. */
  get sentence(): string {
    return this.#sentence;
  }

  start(): void {
    this.#cancelRestart();
    this.#intent = 'run';
    this.#launch();
  }

  /** Ends it at once and leaves it down. Resolves when it is gone; false when it was not there. */
  async kill(): Promise<boolean> {
    this.#endFromNowOn();
    if (this.#child === undefined) return false;
    this.#child.signal('SIGKILL');
    await this.#ended();
    this.#tell('killed');
    return true;
  }

  /** Stops its execution where it stands; false when there is nothing that runs. */
  pause(): boolean {
    if (this.#child === undefined || this.#condition === 'paused') return false;
    this.#child.signal('SIGSTOP');
    this.#condition = 'paused';
    this.#tell('paused');
    return true;
  }

  /** Lets it go on; false when it was not paused. */
  resume(): boolean {
    if (this.#child === undefined || this.#condition !== 'paused') return false;
    this.#child.signal('SIGCONT');
    this.#condition = this.#readyAtMs === undefined ? 'starting' : 'up';
    this.#tell('resumed');
    return true;
  }

  /** Ends it in order when it runs, paused or not, and starts it again. */
  async restart(): Promise<void> {
    const stopped = this.stop();
    const ends = this.#ends;
    await stopped;
    // Meanwhile it may have been ended for good.
    if (this.#ends !== ends) return;
    this.#failuresInRow = 0;
    this.start();
  }

  /** Ends it in order, or at once after `GRACE_MS`. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#endFromNowOn();
    const child = this.#child;
    if (child === undefined) return;
    child.signal('SIGTERM');
    // A paused process can not hear the first signal.
    child.signal('SIGCONT');
    const { clock } = this.#options;
    const cancel = clock.wakeAt(clock.monotonicMs() + GRACE_MS, () => child.signal('SIGKILL'));
    await this.#ended();
    cancel();
  }

  /**
   * Lets it know that the whole world ends. Resolves when it has heard, when it is gone, or after a
   * while; at once where nobody can hear.
   */
  async forewarn(): Promise<void> {
    if (this.#condition !== 'up') return;
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.wakeAt(clock.monotonicMs() + HEARD_MS_MAX, resolve);
    this.#whenForewarned = resolve;
    this.#whenEnded.push(resolve);
    this.tell({ kind: 'world-ends' });
    await promise;
    cancel();
  }

  /** Tells the process something; lost when there is none. */
  tell(message: object): void {
    this.#child?.tell(message);
  }

  /** Ends it at once, without waiting. */
  abort(): void {
    this.#endFromNowOn();
    this.#child?.signal('SIGKILL');
  }

  #launch(): void {
    if (this.#child !== undefined) return;
    this.#condition = 'starting';
    this.#readyAtMs = undefined;
    this.#sentence = '';
    this.#child = this.#options.start({
      message: (message) => this.#heard(message),
      ended: (how) => this.#wasEnded(how),
    });
  }

  #heard(message: unknown): void {
    if (typeof message !== 'object' || message === null || !('kind' in message)) return;
    if (message.kind === 'ready' && this.#readyAtMs === undefined) {
      this.#readyAtMs = this.#options.clock.monotonicMs();
      if (this.#condition === 'starting') this.#condition = 'up';
      this.#tell('ready');
    } else if (message.kind === 'failed' && 'sentence' in message) {
      this.#sentence = String(message.sentence);
    } else if (message.kind === 'forewarned') {
      this.#whenForewarned();
    }
  }

  #wasEnded(how: Ended): void {
    this.#child = undefined;
    const waiting = this.#whenEnded;
    this.#whenEnded = [];
    if (this.#intent === 'end') this.#condition = 'down';
    else if (how.code === EXIT_CONFIGURATION) this.#fail(how);
    else this.#comeBack(how);
    for (const resolve of waiting) resolve();
  }

  #fail(how: Ended): void {
    this.#intent = 'end';
    this.#condition = 'failed';
    this.#selfExits += 1;
    this.#sentence ||= lastLine(how.tail) || 'It ended without saying why.';
    this.#tell('failed', this.#sentence);
  }

  #comeBack(how: Ended): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#readyAtMs !== undefined && nowMs - this.#readyAtMs >= RAN_WELL_MS) {
      this.#failuresInRow = 0;
    }
    const delayMs = Math.min(RESTART_MS_MAX, RESTART_MS_MIN * 2 ** this.#failuresInRow);
    this.#failuresInRow += 1;
    if (isFromOutside(how)) this.#outsideEnds += 1;
    else this.#selfExits += 1;
    this.#condition = 'restarting';
    const cause = how.signal ?? `exit code ${how.code ?? 'unknown'}`;
    this.#sentence = lastLine(how.tail);
    const words = this.#sentence === '' ? cause : `${cause}: ${this.#sentence}`;
    this.#cancelRestart = clock.wakeAt(nowMs + delayMs, () => this.#launch());
    this.#tell('restarting', words);
  }

  #endFromNowOn(): void {
    this.#cancelRestart();
    this.#ends += 1;
    this.#intent = 'end';
    if (this.#child === undefined && this.#condition !== 'failed') this.#condition = 'down';
  }

  #ended(): Promise<void> {
    return new Promise((resolve) => this.#whenEnded.push(resolve));
  }

  #tell(kind: KeeperEvent['kind'], words: string = ''): void {
    this.#options.told({ node: this.name, kind, words });
  }
}

/** No process kills itself so, nor leaves in order without being told. */
function isFromOutside({ code, signal }: Ended): boolean {
  return signal === 'SIGKILL' || code === EXIT_TOLD;
}

/** The line that names the error, where there is one, else the last one with anything on it. */
function lastLine(tail: string): string {
  const lines = tail.split('\n').map((line) => line.trim());
  const error = lines.findLast((line) => /^(?:[A-Za-z]*Error\b|error:)/.test(line));
  return error ?? lines.findLast((line) => line !== '' && !/^Node\.js v/.test(line)) ?? '';
}
