// A small Maelstrom: node processes, and a seeded network between their standard inputs and outputs.
//
// Messages between nodes are delayed, lost and cut off; those of clients are delayed only, as in
// Maelstrom itself. Every process that it started is dead when the test is over.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Lines } from '../../src/adapters/maelstrom/lines.ts';
import { Random } from '../../src/base/random.ts';

const MAIN: string = join(import.meta.dirname, '../../src/cli/main.ts');
const START_MS_MAX = 20_000;
const WORDS_LENGTH_MAX = 4_000;

export type Body = Readonly<Record<string, unknown>>;
interface Message {
  readonly src: string;
  readonly dest: string;
  readonly body: Body;
}

export interface NetworkOptions {
  readonly workload: string;
  readonly nodes: number;
  readonly seed: number;
  /** Further words of the command line. */
  readonly words?: readonly string[];
  readonly delayMsMax?: number;
  /** Of messages between nodes. */
  readonly lostPercent?: number;
}

export class MaelstromNetwork {
  readonly names: readonly string[];
  readonly #options: NetworkOptions;
  readonly #random: Random;
  readonly #nodes = new Map<string, { readonly child: ChildProcess; readonly lines: Lines }>();
  readonly #waiting = new Map<number, (body: Body) => void>();
  /** Who is on whose side; everybody together when it is empty. */
  #sides = new Map<string, number>();
  #nextId = 1;
  #words = '';

  constructor(t: TestContext, options: NetworkOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.names = Array.from({ length: options.nodes }, (_, place) => `n${place + 1}`);
    t.after(() => this.kill(...this.names));
  }

  /** What nodes logged last, for people who look at a failed test. */
  get lastWords(): string {
    return this.#words;
  }

  /** Starts all nodes, and tells them who they are. */
  async start(...names: readonly string[]): Promise<void> {
    const started = names.length === 0 ? this.names : names;
    for (const name of started) this.launch(name);
    await Promise.all(
      started.map(async (name) => {
        const init = { type: 'init', node_id: name, node_ids: this.names };
        const answer = await this.ask('c0', name, init, START_MS_MAX);
        assert.equal(answer?.['type'], 'init_ok', JSON.stringify(answer));
      }),
    );
  }

  /** Starts a process that does not yet know who it is. */
  launch(name: string): ChildProcess {
    const { workload, words = [] } = this.#options;
    const args = [...process.execArgv, MAIN, 'maelstrom', workload, ...words];
    const child = spawn(process.execPath, args, { stdio: 'pipe' });
    child.stderr.on('data', (chunk) => {
      this.#words = (this.#words + String(chunk)).slice(-WORDS_LENGTH_MAX);
    });
    const lines = new Lines(child.stdout, child.stdin, {
      line: (text) => this.#carry(JSON.parse(text)),
      skipped: () => assert.fail(`${name} wrote a line that is too long`),
      closed: () => undefined,
    });
    this.#nodes.set(name, { child, lines });
    return child;
  }

  /** SIGKILL; returns when they are gone. */
  async kill(...names: readonly string[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        const child = this.#nodes.get(name)?.child;
        this.#nodes.delete(name);
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }),
    );
  }

  /** Only nodes of the same side hear each other from now on. */
  partition(...sides: readonly (readonly string[])[]): void {
    this.#sides = new Map(sides.flatMap((names, side) => names.map((name) => [name, side])));
  }

  heal(): void {
    this.#sides.clear();
  }

  /** Nothing when no answer came in time; one that comes later is dropped. */
  ask(client: string, node: string, body: Body, withinMs: number): Promise<Body | undefined> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(undefined), withinMs);
      const settle = (answer: Body | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answer);
      };
      this.#waiting.set(id, settle);
      this.#carry({ src: client, dest: node, body: { ...body, msg_id: id } });
    });
  }

  /** Hands a node a line as it is. */
  say(node: string, line: string): void {
    this.#nodes.get(node)?.lines.write([line]);
  }

  #carry(message: Message): void {
    const { delayMsMax = 0, lostPercent = 0 } = this.#options;
    const between = this.names.includes(message.src) && this.names.includes(message.dest);
    if (between && this.#random.chance(lostPercent, 100)) return;
    setTimeout(() => {
      if (between && this.#sides.get(message.src) !== this.#sides.get(message.dest)) return;
      this.#deliver(message);
    }, this.#random.integer(0, delayMsMax));
  }

  #deliver(message: Message): void {
    if (this.names.includes(message.dest)) this.say(message.dest, JSON.stringify(message));
    else this.#waiting.get(Number(message.body['in_reply_to']))?.(message.body);
  }
}
