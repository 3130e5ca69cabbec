// The crowd as `up` sees it: a child process that reports every second and leaves a result.
//
// It is not brought back when it ends by itself: its books would be gone, so nobody could tell any more
// whether the world kept its word.
import type { Child, ChildListener, Ended } from '../adapters/node/children.ts';
import type { CrowdResult, CrowdStats, FromCrowd, ToCrowd } from '../crowd/messages.ts';
import type { Clock } from '../runtime/ports.ts';

/** Open calls may take 15 s to settle, and counting as long again. */
const FINISH_MS_MAX = 40_000;

export class CrowdProcess {
  readonly #clock: Clock;
  readonly #child: Child;
  /** Resolves when the process is gone, whatever it left. */
  readonly ended: Promise<Ended>;
  #stats: CrowdStats | undefined;
  #result: CrowdResult | undefined;

  constructor(clock: Clock, start: (listener: ChildListener) => Child) {
    this.#clock = clock;
    const { promise, resolve } = Promise.withResolvers<Ended>();
    this.ended = promise;
    this.#child = start({ message: (message) => this.#heard(message), ended: resolve });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The latest that it reported. */
  get stats(): CrowdStats | undefined {
    return this.#result?.stats ?? this.#stats;
  }

  /** Has it settle and count; `undefined` when it ended without a result, or took too long. */
  async finish(): Promise<CrowdResult | undefined> {
    const word: ToCrowd = { kind: 'finish' };
    this.#child.tell(word);
    const cancel = this.#clock.wakeAt(this.#clock.monotonicMs() + FINISH_MS_MAX, () => this.abort());
    await this.ended;
    cancel();
    return this.#result;
  }

  abort(): void {
    this.#child.signal('SIGKILL');
  }

  /** Our own process, running our own code: its messages are what their types say. */
  #heard(message: unknown): void {
    const said = message as FromCrowd;
    if (said.kind === 'stats') this.#stats = said.stats;
    else if (said.kind === 'result') this.#result = said.result;
  }
}
