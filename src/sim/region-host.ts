// A region node of a simulated world: the shipped way from a gateway to the groups, and nothing else.
//
// `cluster.ts` owns it; `workload.ts` asks through it. It keeps nothing on disk.
import { Outbox } from '../services/outbox.ts';
import { type Ask, Route } from '../services/route.ts';
import { decodePeerMessage } from '../wire/peer.ts';
import type { VirtualProcess } from './process.ts';
import type { World } from './setting.ts';

export class RegionHost {
  readonly node: number;
  life: VirtualProcess | undefined;
  losesPower = false;
  isRefused = false;
  readonly #world: World;
  #route: Route | undefined;

  constructor(world: World, node: number) {
    this.#world = world;
    this.node = node;
  }

  run(life: VirtualProcess): void {
    const { network, random, topology } = this.#world;
    const { clock } = life;
    const peers = network.join(life, (id) => topology.nodes.some((node) => node.id === id));
    const route = new Route({
      clock,
      peers,
      outbox: new Outbox(clock, peers),
      groups: topology.groups,
      firstNumber: random.uint32(),
    });
    this.#route = route;
    peers.listen({
      received(from, frame) {
        const message = decodePeerMessage(frame);
        if (message.kind === 'answer') route.answered(from, message);
        else if (message.kind === 'leads') route.led(from, message);
      },
      up: () => {},
      lost: (node) => route.lost(node),
    });
  }

  /** Asks a group; without a process, nobody ever answers. */
  ask(ask: Ask): void {
    this.life?.take('order', () => this.#route?.ask(ask));
  }

  ended(): void {
    this.#route = undefined;
  }

  /** A gateway has nothing to die of. */
  mayEndBy(): boolean {
    return false;
  }
}
