// Clients of the workload `lin-kv` that ask at random and record what they saw as a history.
//
// Errors are read as Maelstrom reads them: definite ones as `fail`, indefinite ones and silence as
// `info`; after the latter a client goes on as a new process, for its operation may still be open.
import { Random } from '../../src/base/random.ts';
import { type History, HistoryReader } from '../../src/verify/history.ts';
import type { Body, MaelstromNetwork } from './maelstrom-network.ts';

const KEYS = 4;
const VALUES = 5;
/** As Maelstrom's own clients. */
const ANSWER_MS_MAX = 1_000;
const INDEFINITE: readonly unknown[] = [0, 13];
const ABSENT = 20;
const REJECTIONS: ReadonlyMap<unknown, string> = new Map([
  [ABSENT, 'absent'],
  [22, 'mismatch'],
]);

interface Operation {
  readonly f: 'read' | 'write' | 'cas';
  readonly key: number;
  readonly value?: unknown;
}

export class MaelstromClients {
  readonly #network: MaelstromNetwork;
  readonly #random: Random;
  readonly #reader = new HistoryReader();
  readonly #startedMs: number = performance.now();
  #processes = 0;
  #isOver = false;
  /** How many operations of each end there were. */
  readonly counts: Record<'ok' | 'fail' | 'info', number> = { ok: 0, fail: 0, info: 0 };

  constructor(network: MaelstromNetwork, seed: number) {
    this.#network = network;
    this.#random = new Random(seed);
    this.#reader.event({ type: 'init', model: 'register' });
  }

  /** Some clients at each node ask one thing after the other until `stop`. */
  run(perNode: number): Promise<unknown> {
    const nodes = this.#network.names.flatMap((name) => Array<string>(perNode).fill(name));
    return Promise.all(nodes.map((node) => this.#client(node)));
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Every node answers for every key, as it must after all faults are over; false when it does not. */
  async readAll(triesMax: number): Promise<boolean> {
    for (const node of this.#network.names) {
      for (let key = 0; key < KEYS; key++) {
        let tries = 0;
        while ((await this.#operate(this.#processes++, node, { f: 'read', key })) !== 'ok') {
          tries += 1;
          if (tries === triesMax) return false;
        }
      }
    }
    return true;
  }

  history(): History {
    return this.#reader.finish();
  }

  async #client(node: string): Promise<void> {
    let process = this.#processes++;
    while (!this.#isOver) {
      const end = await this.#operate(process, node, this.#operation());
      if (end === 'info') process = this.#processes++;
    }
  }

  #operation(): Operation {
    const key = this.#random.integer(0, KEYS - 1);
    const value = (): number => this.#random.integer(1, VALUES);
    const f = this.#random.pick(['read', 'write', 'cas'] as const) ?? 'read';
    if (f === 'read') return { f, key };
    return { f, key, value: f === 'write' ? value() : [value(), value()] };
  }

  async #operate(
    process: number,
    node: string,
    operation: Operation,
  ): Promise<'ok' | 'fail' | 'info'> {
    const { f, key } = operation;
    this.#record({ type: 'invoke', process, ...operation });
    const answer = await this.#network.ask(`c${process}`, node, bodyOf(operation), ANSWER_MS_MAX);
    const end = endOf(f, answer);
    this.counts[end.type] += 1;
    this.#record({ process, f, key, ...end });
    return end.type;
  }

  #record(event: object): void {
    this.#reader.event({ ...event, time: performance.now() - this.#startedMs });
  }
}

function bodyOf({ f, key, value }: Operation): Body {
  if (f !== 'cas') return { type: f, key, ...(f === 'write' ? { value } : {}) };
  const [from, to] = Array.isArray(value) ? value : [];
  return { type: f, key, from, to };
}

function endOf(
  f: Operation['f'],
  answer: Body | undefined,
): { readonly type: 'ok'; readonly value?: unknown } | { readonly type: 'fail' | 'info' } {
  if (answer === undefined) return { type: 'info' };
  if (answer['type'] !== 'error') return { type: 'ok', value: answer['value'] };
  // What was never written is read as null.
  if (f === 'read' && answer['code'] === ABSENT) return { type: 'ok', value: null };
  const rejected = REJECTIONS.get(answer['code']);
  if (rejected !== undefined) return { type: 'ok', value: { rejected } };
  return { type: INDEFINITE.includes(answer['code']) ? 'info' : 'fail' };
}
