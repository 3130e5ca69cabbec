// The spaces of all regions as one node sees them: its own ones, where it is primary, and the way to the
// others' primaries.
//
// `region-node` has one. A gateway's presences send to a region by number, whoever has it; what comes in
// goes to the space of this node or to its presences. Where this node is the primary itself, messages
// are handed over as they are, without a detour over bytes.
// Invariant: a space is open exactly while this node is the appointed primary of its region.
import type { NodeId } from '../../base/id.ts';
import type { Clock, Logger } from '../../runtime/ports.ts';
import type { Place } from '../../wire/calls.ts';
import { encodePeerMessage } from '../../wire/peer.ts';
import { decodeSpaceMessage, encodeSpaceMessage, type SpaceMessage } from '../../wire/space.ts';
import type { SpaceStatus } from '../../wire/status.ts';
import type { Residents } from '../../world/space/residents.ts';
import type { Outbox } from '../calls/outbox.ts';
import { Presences } from './presences.ts';
import { Space } from './space.ts';
import type { RegionPlan } from '../topology/topology.ts';

/** What a space hears; everything else is for the gateway that keeps the player's presence. */
const TO_SPACE: ReadonlySet<SpaceMessage['kind']> = new Set([
  'enter',
  'move',
  'leave',
  'present',
  'ghosts',
]);

export interface SpacesOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outbox: Outbox;
  readonly regions: readonly RegionPlan[];
  isLand(place: Place): boolean;
}

export class Spaces {
  readonly presences: Presences;
  readonly #options: SpacesOptions;
  readonly #spaces: ReadonlyMap<number, Space>;
  readonly #primaries = new Map<number, NodeId>();

  constructor(options: SpacesOptions) {
    this.#options = options;
    const { clock, logger, regions, self } = options;
    this.presences = new Presences({
      clock,
      regions,
      send: (region, message) => this.#toPrimary(region, message),
    });
    const held = regions.filter(({ copies }) => copies.includes(self));
    this.#spaces = new Map(
      held.map((plan) => [
        plan.number,
        new Space({
          plan,
          others: regions.filter((other) => other !== plan),
          clock,
          logger,
          isLand: (place) => options.isLand(place),
          toGateway: (gateway, message) => this.#send(gateway, plan.number, message),
          toRegion: (region, message) => this.#toPrimary(region, message),
        }),
      ]),
    );
  }

  /** The node that is believed to have the region. */
  primaryOf(region: number): NodeId | undefined {
    return this.#primaries.get(region);
  }

  /** The region has this primary from now on: the players of this gateway enter there by themselves. */
  appointed(region: number, primary: NodeId): void {
    const former = this.#primaries.get(region);
    if (former === primary) return;
    this.#primaries.set(region, primary);
    const space = this.#spaces.get(region);
    if (primary === this.#options.self) space?.open();
    else space?.close();
    this.presences.regionLost(region);
  }

  /** Until placement says otherwise, the first copy of each region is where it was founded. */
  start(): void {
    this.presences.start();
    for (const { number, copies } of this.#options.regions) {
      if (copies[0] !== undefined) this.appointed(number, copies[0]);
    }
  }

  /** Who stands in a region that this node has; `undefined` where another one has it. */
  residentsOf(region: number): Residents | undefined {
    return this.#spaces.get(region)?.residents;
  }

  stop(): void {
    this.presences.stop();
    for (const space of this.#spaces.values()) space.close();
  }

  /** Throws `InvalidInputError` for bytes that are no space message. */
  received(from: NodeId, region: number, body: Uint8Array): void {
    this.#hear(from, region, decodeSpaceMessage(body));
  }

  status(): readonly SpaceStatus[] {
    const { regions } = this.#options;
    return [...this.#spaces]
      .filter(([, space]) => space.isOpen)
      .map(([number, space]) => {
        const region = regions.find((plan) => plan.number === number)?.name ?? '';
        return { region, ...space.status() };
      });
  }

  #hear(from: NodeId, region: number, message: SpaceMessage): void {
    if (TO_SPACE.has(message.kind)) this.#spaces.get(region)?.received(from, message);
    else if (this.#primaries.get(region) === from) this.presences.received(region, message);
  }

  #toPrimary(region: number, message: SpaceMessage): void {
    const primary = this.#primaries.get(region);
    if (primary !== undefined) this.#send(primary, region, message);
  }

  #send(to: NodeId, region: number, message: SpaceMessage): void {
    const { self, outbox } = this.#options;
    if (to === self) return this.#hear(self, region, message);
    const body = encodeSpaceMessage(message);
    outbox.send(to, encodePeerMessage({ kind: 'space', region, body }));
  }
}
