// Faults on links by the kernel: packets between the addresses of two nodes are dropped, refused or held.
//
// `cluster.ts` owns one for `--kernel`, and hands it what the gates of the nodes would be told otherwise.
// Each direction of each link has rules of its own, so that a cut can be one-way: then the acknowledgements
// of TCP vanish too. Delays are told to `native/packetdelay.c` by the mark of a packet.
// Invariant: all rules change at once, so no link is healthy for a moment between two faults.
import { buildProgram } from '../adapters/node/drill-files.ts';
import {
  type Delayer,
  loadRules,
  retransmittedSegments,
  startDelayer,
} from '../adapters/node/own-network.ts';
import type { Topology } from '../services/topology/topology.ts';
import type { FaultyLink, LinkFaults } from '../wire/link-faults.ts';

/** From here it is the same way in the sources and in the built package. */
const DELAYER = '../../src/chaos/native/packetdelay.c';
const DELAY_BITS = 16;

/** Every node with an address of its own, on this machine's loopback. */
export function apart(topology: Topology): Topology {
  const nodes = topology.nodes.map((node) => ({ ...node, host: `127.0.1.${node.id}` }));
  return { ...topology, nodes };
}

export class KernelNetwork {
  readonly #topology: Topology;
  readonly #faults = new Map<string, readonly FaultyLink[]>();
  readonly #delayer: Delayer;
  #isStale = false;

  /**
   * For a process that is in a network of its own; the topology must be `apart`. `folder` takes the compiled
   * delayer. Throws `StartError` when the kernel does not take rules.
   */
  constructor(topology: Topology, folder: string) {
    this.#topology = topology;
    this.#load();
    this.#delayer = startCompiled(folder);
  }

  /** Why packets can not be held back here; `undefined` where they can. */
  get delayAbsent(): string | undefined {
    return this.#delayer.kind === 'absent' ? this.#delayer.reason : undefined;
  }

  /** How many segments TCP had to send again so far. */
  get retransmitted(): number {
    return retransmittedSegments();
  }

  /** From now on these links from the node are faulty, and no others of its. */
  tell(node: string, { links }: LinkFaults): void {
    this.#faults.set(node, links);
    if (this.#isStale) return;
    this.#isStale = true;
    // Whoever cuts a world in two tells every node of it in one go.
    queueMicrotask(() => this.#load());
  }

  end(): void {
    if (this.#delayer.kind === 'runs') this.#delayer.end();
  }

  #load(): void {
    this.#isStale = false;
    loadRules(kernelRules(this.#topology, this.#faults));
  }
}

function startCompiled(folder: string): Delayer {
  const built = buildProgram(new URL(DELAYER, import.meta.url), `${folder}/packetdelay`);
  return built.kind === 'absent' ? built : startDelayer(built.path);
}

/** For `nft`: one table that replaces the former one. */
export function kernelRules(
  { nodes }: Topology,
  faults: ReadonlyMap<string, readonly FaultyLink[]>,
): string {
  const rules = nodes.flatMap(({ name, host }) =>
    (faults.get(name) ?? []).flatMap((link) => {
      const to = nodes.find(({ id }) => id === link.to);
      return to === undefined ? [] : verdicts(link).map((verdict) => {
        return `ip saddr ${host} ip daddr ${to.host} meta l4proto tcp ${verdict}`;
      });
    }),
  );
  // What is dropped on its way in has left its sender, as on a wire. The rule that delays comes after.
  const chain = ['chain links {', 'type filter hook input priority -10; policy accept;', ...rules, '}'];
  const table = 'table ip bluemarble';
  return [`${table} {}`, `delete ${table}`, `${table} {`, ...chain, '}', ''].join('\n');
}

function verdicts({ cut, delayMs, jitterMs, lossPerMille }: FaultyLink): readonly string[] {
  if (cut === 'silent') return ['drop'];
  if (cut === 'reset') return ['reject with tcp reset'];
  const delay = delayMs * 2 ** DELAY_BITS + Math.min(jitterMs, delayMs);
  return [
    ...(lossPerMille > 0 ? [`numgen random mod 1000 < ${lossPerMille} drop`] : []),
    ...(delayMs > 0 ? [`meta mark set ${delay}`] : []),
  ];
}
