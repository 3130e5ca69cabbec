// Who has which player, looked at whenever something may have changed in the spaces of a node.
//
// `cluster.ts` and `region-host.ts` report what processes do and what travels. A region is held against
// what the player's gateway issued, and a gateway against what regions took: neither is believed alone.
import { playerId } from '../../base/id.ts';
import { regionAt } from '../../world/space/region-map.ts';
import type { Presence } from '../../world/space/presence.ts';
import type { Residents, Standing } from '../../world/space/residents.ts';
import type { Spaces } from '../../services/space/spaces.ts';
import type { RegionPlan, Topology } from '../../services/topology/topology.ts';
import type { Place } from '../../wire/calls.ts';
import { decodeUpdate } from '../../wire/motion.ts';
import { decodePeerMessage } from '../../wire/peer.ts';
import { decodeSpaceMessage, type SpaceMessage } from '../../wire/space.ts';
import type { EventQueue } from '../machine/queue.ts';
import type { Verdicts } from './violation.ts';

// As in `wire/peer.ts`: looked at without decoding the whole.
const SPACE = 20;
/** The end of a stay is remembered for so long, by any clock. */
const ENDED_US_MAX = 8_000_000;
/** Who was named so lately is not let go for want of it, though clocks may run fast by 15 %. */
const NAMED_US_MAX = 2_900_000;
/** A process that did nothing for so long stood still, and may find its own players unnamed. */
const GAP_US_MIN = 1_000_000;
const GAP_REST_US = 1_200_000;

/** What a gateway gave a player: the one place at which this epoch may be entered. */
interface Issued {
  /** Who issued it: another link of his begins anew, by another clock perhaps. */
  readonly by: Presence | undefined;
  readonly region: number;
  readonly node: number;
  /** What was sent there under it; `undefined` where it needs no link. */
  readonly places: Set<string> | undefined;
}

/** Where a player stands by a region's account. */
export interface Stand {
  readonly node: number;
  readonly region: number;
  readonly epoch: number;
}

/** A space from its opening to its end. */
interface Opening {
  readonly residents: Residents;
  readonly known: Map<number, Standing>;
  readonly ended: Map<number, { readonly epoch: number; readonly atUs: number }>;
  /** When each stay was last named here by a gateway on another node. */
  readonly namedUs: Map<string, number>;
}

interface Living {
  readonly spaces: Spaces;
  readonly openings: Map<number, Opening>;
  /** The epoch under which a region has each player, as this gateway knows. */
  readonly held: Map<number, { readonly epoch: number; readonly presence: Presence }>;
  isTouched: boolean;
  touchedUs: number;
  /** Until then it has not made up for having stood still. */
  lateUntilUs: number;
}

export class SpaceInvariants {
  /** Told of each frame about a player, before it leaves; for drills. */
  onFrame: (from: number, to: number, player: number) => void = () => {};
  readonly #regions: readonly RegionPlan[];
  readonly #queue: EventQueue;
  readonly #verdicts: Verdicts;
  readonly #living = new Map<number, Living>();
  readonly #issued = new Map<string, Issued>();
  /** The highest epoch under which any region has had each player. */
  readonly #taken = new Map<number, number>();
  /** Everyone who ever walked. */
  readonly #players = new Set<number>();
  /** Where no region may have somebody: he reported it and can not have gone there. */
  readonly #lies = new Set<string>();
  /** When a region last had each player at each place that it has him at no more. */
  readonly #hadUs = new Map<string, number>();

  constructor({ regions }: Topology, queue: EventQueue, verdicts: Verdicts) {
    this.#regions = regions;
    this.#queue = queue;
    this.#verdicts = verdicts;
  }

  /** He walks in this world. */
  walks(player: number): void {
    this.#players.add(player);
  }

  /** He reports that he is there, and can not be: each place is reported once. */
  lies(player: number, place: Place): void {
    this.#lies.add(spotOf(player, place));
  }

  lives(node: number, spaces: Spaces): void {
    const { nowUs } = this.#queue;
    const times = { isTouched: true, touchedUs: nowUs, lateUntilUs: 0 };
    this.#living.set(node, { spaces, openings: new Map(), held: new Map(), ...times });
  }

  died(node: number): void {
    for (const opening of this.#living.get(node)?.openings.values() ?? []) this.#closes(opening);
    this.#living.delete(node);
  }

  /** Something may have changed in the spaces of that node. */
  touched(node: number): void {
    const living = this.#living.get(node);
    if (living === undefined || living.isTouched) return;
    living.isTouched = true;
    const { nowUs } = this.#queue;
    if (nowUs - living.touchedUs > GAP_US_MIN) living.lateUntilUs = nowUs + GAP_REST_US;
    living.touchedUs = nowUs;
  }

  /** A step of a process is done. */
  stepped(node: number): void {
    const living = this.#living.get(node);
    if (living?.isTouched !== true) return;
    living.isTouched = false;
    this.#lookAtIssued(node, living);
    for (const { number } of this.#regions) this.#lookAtRegion(node, living, number);
    // Who has gone from one may be in another one at this very node by now.
    for (const [region, opening] of living.openings) this.#lookForGone(living, opening, { node, region });
    this.#lookAtHeld(node, living);
  }

  sent(from: number, to: number, frame: Uint8Array): void {
    if (frame[0] !== SPACE || this.#living.size === 0) return;
    const message = decodePeerMessage(frame);
    if (message.kind !== 'space') return;
    const said = decodeSpaceMessage(message.body);
    if (!('player' in said)) return;
    this.#goes(from, to, { region: message.region, said });
    this.onFrame(from, to, said.player);
  }

  /** A gateway's message has come to a region's node. */
  heard(node: number, from: number, region: number, body: Uint8Array): void {
    const said = decodeSpaceMessage(body);
    const opening = this.#living.get(node)?.openings.get(region);
    const stays = said.kind === 'present' ? said.stays : said.kind === 'enter' ? [said] : [];
    for (const { player, epoch } of stays) {
      opening?.namedUs.set(keyOf(from, player, epoch), this.#queue.nowUs);
    }
  }

  /** Where he stands, as every node says that believes itself to have a region. */
  standsAt(player: number): readonly Stand[] {
    const stands: Stand[] = [];
    for (const [node, { openings }] of this.#living) {
      for (const [region, { known }] of openings) {
        const epoch = known.get(player)?.epoch;
        if (epoch !== undefined) stands.push({ node, region, epoch });
      }
    }
    return stands;
  }

  /** When a region last had him at that place: now, if one does; minus infinity, if none ever did. */
  hadUs(player: number, place: Place): number {
    for (const { openings } of this.#living.values()) {
      for (const { known } of openings.values()) {
        const standing = known.get(player);
        if (standing !== undefined && textOf(standing.place) === textOf(place)) return this.#queue.nowUs;
      }
    }
    return this.#hadUs.get(spotOf(player, place)) ?? -Infinity;
  }

  #goes(
    from: number,
    to: number,
    { region, said }: { readonly region: number; readonly said: SpaceMessage & { player: number } },
  ): void {
    if (said.kind === 'enter') {
      const { player, epoch, place } = said;
      this.#issue(from, player, { region, epoch, node: to })?.add(textOf(place));
    } else if (said.kind === 'move') {
      const issued = this.#issued.get(keyOf(from, said.player, said.epoch));
      issued?.places?.add(textOf(decodeUpdate(said.update)));
    }
  }

  /** The places that are sent there under it; `undefined` where that needs no link. */
  #issue(
    gateway: number,
    player: number,
    to: { readonly region: number; readonly epoch: number; readonly node: number },
  ): Set<string> | undefined {
    const { region, epoch, node } = to;
    const key = keyOf(gateway, player, epoch);
    const by = this.#living.get(gateway)?.spaces.presences.presenceOf(playerId(player));
    const known = this.#issued.get(key);
    const isSame = known?.region === region && known.node === node;
    if (known !== undefined && isSame) return known.places;
    if (known?.by === by && known !== undefined) {
      const there = `${this.#nameOf(region)} at ${node}`;
      const what = `${player} is to be in ${there} under ${epoch}, and in ${this.#nameOf(known.region)}`;
      this.#verdicts.broken('STAY', `${what} at ${known.node} too`);
    }
    const places = gateway === node ? undefined : new Set<string>();
    this.#issued.set(key, { by, region, node, places });
    return places;
  }

  #lookAtIssued(gateway: number, { spaces }: Living): void {
    for (const player of this.#players) {
      for (const { region, epoch } of spaces.presences.presenceOf(playerId(player))?.stays ?? []) {
        const node = spaces.primaryOf(region);
        // What goes to others is known by their frames.
        if (node === gateway) this.#issue(gateway, player, { region, epoch, node });
      }
    }
  }

  #lookAtRegion(node: number, living: Living, region: number): void {
    const residents = living.spaces.residentsOf(region);
    let opening = living.openings.get(region);
    if (opening !== undefined && opening.residents !== residents) this.#closes(opening);
    if (residents === undefined) {
      living.openings.delete(region);
      return;
    }
    if (opening?.residents !== residents) {
      opening = { residents, known: new Map(), ended: new Map(), namedUs: new Map() };
      living.openings.set(region, opening);
    }
    for (const standing of residents.standing()) {
      const before = opening.known.get(standing.player);
      if (before?.place === standing.place && before.epoch === standing.epoch) continue;
      opening.known.set(standing.player, standing);
      if (before !== undefined) this.#leaves(before);
      this.#takes(opening, { node, region }, { standing, before });
    }
  }

  #lookForGone(
    living: Living,
    opening: Opening,
    at: { readonly node: number; readonly region: number },
  ): void {
    for (const [player, gone] of opening.known) {
      if (opening.residents.has(playerId(player))) continue;
      opening.known.delete(player);
      this.#leaves(gone);
      opening.ended.set(player, { epoch: gone.epoch, atUs: this.#queue.nowUs });
      this.#letsGo(living, { ...at, opening, gone });
    }
  }

  #closes({ known }: Opening): void {
    for (const standing of known.values()) this.#leaves(standing);
  }

  /** A region has him at that place no more. */
  #leaves({ player, place }: Standing): void {
    this.#hadUs.set(spotOf(player, place), this.#queue.nowUs);
  }

  #takes(
    opening: Opening,
    { node, region }: { readonly node: number; readonly region: number },
    { standing, before }: { readonly standing: Standing; readonly before: Standing | undefined },
  ): void {
    const { player, epoch, gateway, place } = standing;
    const story = `${this.#nameOf(region)} at ${node} has ${player} under ${epoch}`;
    const issued = this.#issued.get(keyOf(gateway, player, epoch));
    if (issued?.region !== region || issued.node !== node) {
      this.#verdicts.broken('STAY', `${story}, which his gateway ${gateway} has not given it`);
    } else if (issued.places?.has(textOf(place)) === false) {
      this.#verdicts.broken('STAY', `${story}, at ${textOf(place)}, which it was not sent under that`);
    }
    if (this.#lies.has(spotOf(player, place))) {
      this.#verdicts.broken('SPEED', `${story}, at ${textOf(place)}, where he can not have gone`);
    }
    if (regionAt(this.#regions, place)?.number !== region) {
      this.#verdicts.broken('STAY', `${story}, at ${textOf(place)}, which is another region's`);
    }
    if (before !== undefined && before.epoch > epoch) {
      this.#verdicts.broken('STAY', `${story} after ${before.epoch}`);
    }
    if (before?.epoch === epoch && before.gateway !== gateway) {
      this.#verdicts.broken('STAY', `${story} through ${gateway}, and had him so through ${before.gateway}`);
    }
    if (before?.epoch === epoch) return;
    const ended = opening.ended.get(player);
    if (ended !== undefined && ended.epoch >= epoch && this.#queue.nowUs - ended.atUs < ENDED_US_MAX) {
      this.#verdicts.broken('STAY', `${story}, and has ended his stay under ${ended.epoch}`);
    }
    this.#taken.set(player, Math.max(this.#taken.get(player) ?? 0, epoch));
  }

  /** Nobody is let go whom his gateway wants there, before another region has him. */
  #letsGo(
    { lateUntilUs }: Living,
    o: { readonly node: number; readonly region: number; readonly opening: Opening; readonly gone: Standing },
  ): void {
    const { node, region, opening, gone } = o;
    const { player, epoch, gateway } = gone;
    const there = this.#living.get(gateway);
    const presence = there?.spaces.presences.presenceOf(playerId(player));
    const held = there?.held.get(player);
    const isHeld = held?.epoch === epoch && held.presence === presence && presence.isWanted;
    const isTaken = (this.#taken.get(player) ?? 0) > epoch;
    if (!isHeld || isTaken || there?.spaces.primaryOf(region) !== node) return;
    const { nowUs } = this.#queue;
    const namedUs = gateway === node ? nowUs : (opening.namedUs.get(keyOf(gateway, player, epoch)) ?? 0);
    if (nowUs < lateUntilUs || nowUs - namedUs > NAMED_US_MAX) return;
    const what = `${this.#nameOf(region)} at ${node} lets ${player} go, whom it has under ${epoch}`;
    this.#verdicts.broken('STAY', `${what}, and nobody has taken him since`);
  }

  /** What a gateway takes for true, some region has done. */
  #lookAtHeld(gateway: number, { spaces, held }: Living): void {
    for (const player of this.#players) {
      const presence = spaces.presences.presenceOf(playerId(player));
      const stay = presence?.region === undefined ? undefined : presence.stays[0];
      if (presence === undefined || stay === undefined) held.delete(player);
      else if (held.get(player)?.epoch !== stay.epoch) {
        held.set(player, { epoch: stay.epoch, presence });
        if (stay.epoch <= (this.#taken.get(player) ?? 0)) continue;
        const what = `gateway ${gateway} believes that ${this.#nameOf(stay.region)} has ${player}`;
        this.#verdicts.broken('STAY', `${what} under ${stay.epoch}, and nobody took him so`);
      }
    }
  }

  #nameOf(region: number): string {
    return this.#regions.find(({ number }) => number === region)?.name ?? String(region);
  }
}

function keyOf(gateway: number, player: number, epoch: number): string {
  return `${gateway} ${player} ${epoch}`;
}

function spotOf(player: number, place: Place): string {
  return `${player} ${textOf(place)}`;
}

function textOf({ lat, lon }: Place): string {
  return `${lat},${lon}`;
}
