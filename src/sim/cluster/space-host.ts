// The spaces of a simulated region node: the shipped ones, on its links, its clock and watched.
//
// `region-host.ts` opens them where players walk. Their frames may travel one by one, lost, doubled and
// out of order, as the port to other nodes allows.
import type { NodeId } from '../../base/id.ts';
import type { Random } from '../../base/random.ts';
import type { Clock, Peers } from '../../runtime/ports.ts';
import { Outbox } from '../../services/calls/outbox.ts';
import { Spaces } from '../../services/space/spaces.ts';
import { type LooseLinks, SIM_TICK_MS } from '../plan/motion-plan.ts';
import type { VirtualProcess } from '../machine/process.ts';
import type { World } from './setting.ts';

const LATE_US_MAX = 2_000_000;

/** `touched` is called whenever something may have changed in them. */
export function openSpaces(
  world: World,
  life: VirtualProcess,
  o: { readonly peers: Peers; readonly links: LooseLinks; readonly touched: () => void },
): Spaces {
  const clock = watchedClock(life.clock, o.touched);
  const random = world.random.split(`motion ${life.node} at ${world.queue.nowUs}`);
  const regions = world.topology.regions.map((plan) => ({ ...plan, tickMs: SIM_TICK_MS }));
  return new Spaces({
    self: life.node,
    clock,
    logger: { log: () => {} },
    outbox: new Outbox(life.clock, loosened(world, life, { ...o, random })),
    regions,
    isLand: () => true,
  });
}

function watchedClock(clock: Clock, touched: () => void): Clock {
  const wakeAt: Clock['wakeAt'] = (atMs, wake) =>
    clock.wakeAt(atMs, () => {
      touched();
      wake();
    });
  return { ...clock, wakeAt };
}

function loosened(
  { network, queue }: World,
  life: VirtualProcess,
  { peers, links, random }: { readonly peers: Peers; readonly links: LooseLinks; readonly random: Random },
): Peers {
  const later = (to: NodeId, frame: Uint8Array): void => {
    queue.after(random.integer(0, LATE_US_MAX), () =>
      life.take('order', () => {
        if (!peers.connected(to)) return;
        peers.send(to, frame);
        peers.flush();
      }),
    );
  };
  const send: Peers['send'] = (to, frame) => {
    if (network.isCalm) return peers.send(to, frame);
    if (random.chance(links.doubled, 1_000)) later(to, frame);
    if (random.chance(links.lost, 1_000)) return;
    if (random.chance(links.late, 1_000)) later(to, frame);
    else peers.send(to, frame);
  };
  return { ...peers, send };
}
