// The players of a gateway who are in the world, wherever on Earth and whichever node has their region.
//
// Player sessions call it; it carries out what `world/space/presence` decides, over the peers or, where
// this node is itself the region's primary, at once. A player's link stays what it is when he walks into
// another region, and when a region gets another primary.
// Invariant: whoever called `enter` is answered exactly once, unless his link ends first.
import type { Decision } from '../../base/errors.ts';
import { type PlayerId, playerId } from '../../base/id.ts';
import type { Clock } from '../../runtime/ports.ts';
import type { Entered, Place } from '../../wire/calls.ts';
import {
  decodeServerMotion,
  decodeUpdate,
  encodeCorrection,
  encodeUpdate,
} from '../../wire/motion.ts';
import { PRESENT_MAX, type SpaceMessage, type StayMark } from '../../wire/space.ts';
import {
  type EnterRefusal,
  Presence,
  type PresenceEffect,
  type Unavailable,
} from '../../world/space/presence.ts';
import { regionAt } from '../../world/space/region-map.ts';
import { DEFAULT_TICK_MS } from '../../world/space/region.ts';
import type { RegionPlan } from '../topology/topology.ts';

/** How often each region is told whom this gateway has there; `UNNAMED_MS_MAX` is three of them. */
const NAME_EVERY_MS = 1_000;
const SWEEP_MS = 50;

export type EnterOutcome = Decision<Entered, EnterRefusal> | Unavailable;

/** Frames of everybody in a row that a slow player must take before he gets all frames again. */
const SLOW_FRAMES = 5;

/** A player's link, as far as the world needs it. */
export interface Viewer {
  /** Sends what may be lost; false when the player is too slow for it. Must not change the bytes. */
  offer(frame: Uint8Array): boolean;
  /** Another region has him now, without a break. */
  crossed(entered: Entered): void;
  /** The player is in the world through another link, at whatever gateway. */
  superseded(): void;
}

export interface PresencesOptions {
  readonly clock: Clock;
  readonly regions: readonly RegionPlan[];
  /** Carries a message to the primary of a region, as far as one is known; it may be lost. */
  send(region: number, message: SpaceMessage): void;
}

interface Player {
  readonly presence: Presence;
  readonly viewer: Viewer;
  settle: ((outcome: EnterOutcome) => void) | undefined;
  /** Of his newest update: what a correction refers to. */
  sequence: number;
  /** 0: gets every frame; else so many frames of everybody more until he does. */
  slow: number;
}

export class Presences {
  readonly #options: PresencesOptions;
  readonly #regionOf = (place: Place): number => regionAt(this.#options.regions, place)?.number ?? 0;
  readonly #players = new Map<PlayerId, Player>();
  /** Those whose entry waits for an answer. */
  readonly #waiting = new Set<PlayerId>();
  #cancelSweep: (() => void) | undefined;
  #cancelNaming: () => void = () => {};
  #framesSkipped = 0;
  /** The highest one of any link that has ended here. */
  #endedEpoch = 0;

  constructor(options: PresencesOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock } = this.#options;
    this.#cancelNaming = clock.wakeAt(clock.monotonicMs() + NAME_EVERY_MS, () => {
      this.#nameAll();
      this.start();
    });
  }

  stop(): void {
    this.#cancelNaming();
    this.#cancelSweep?.();
  }

  /** How many players are in the world through this gateway. */
  get count(): number {
    return this.#players.size;
  }

  /** The shortest tick of all regions: nobody has reason to report more often than that. */
  get tickMsMin(): number {
    return Math.min(...this.#options.regions.map(({ tickMs }) => tickMs ?? DEFAULT_TICK_MS));
  }

  get framesSkipped(): number {
    return this.#framesSkipped;
  }

  holds(player: PlayerId): boolean {
    return this.#players.get(player)?.presence.isWanted === true;
  }

  /** Where the player is and who is asked to take him; `undefined` when he has no link here. */
  presenceOf(player: PlayerId): Presence | undefined {
    return this.#players.get(player)?.presence;
  }

  /** The region in which the player stands; `undefined` while none has him. */
  regionOf(player: PlayerId): RegionPlan | undefined {
    const number = this.presenceOf(player)?.region;
    return this.#options.regions.find((region) => region.number === number);
  }

  /** Puts the player there, from wherever he was. `settle` is called once, soon or after a while. */
  enter(
    player: PlayerId,
    o: { readonly place: Place; readonly viewer: Viewer; settle(outcome: EnterOutcome): void },
  ): void {
    const known = this.#players.get(player) ?? this.#newPlayer(player, o.viewer);
    known.settle?.({ kind: 'unavailable', retryAfterMs: 0 });
    known.settle = undefined;
    const effects = known.presence.enter(o.place, this.#nowMs);
    known.settle = o.settle;
    this.#do(player, effects);
  }

  /** False when the player was not in the world. */
  leave(player: PlayerId): boolean {
    const known = this.#players.get(player);
    if (known === undefined) return false;
    const { wasIn, effects } = known.presence.leave();
    this.#do(player, effects);
    this.#endedEpoch = Math.max(this.#endedEpoch, known.presence.epoch);
    this.#players.delete(player);
    this.#waiting.delete(player);
    return wasIn;
  }

  /** Takes a motion frame. Throws `InvalidInputError` for bytes that are none. */
  moved(player: PlayerId, bytes: Uint8Array): void {
    const known = this.#players.get(player);
    if (known === undefined) return;
    const { lat, lon, sequence } = decodeUpdate(bytes);
    known.sequence = sequence;
    this.#do(player, known.presence.moved({ lat, lon }, bytes, this.#nowMs));
  }

  /** What a region says. */
  received(region: number, message: SpaceMessage): void {
    if (message.kind === 'frames') return this.#show(message.frames);
    if (!('player' in message)) return;
    const player = playerId(message.player);
    const known = this.#players.get(player);
    const stay = { region, epoch: message.epoch };
    if (known === undefined) {
      // Nobody wants to be there any more, and the region shall not keep him.
      const { epoch } = stay;
      if (message.kind === 'entered') this.#options.send(region, { kind: 'leave', player, epoch });
      return;
    }
    this.#do(player, this.#effectsOf(known, stay, message));
  }

  /** The region has another primary: whoever is there enters anew by himself. */
  regionLost(region: number): void {
    for (const [player, { presence }] of this.#players) {
      this.#do(player, presence.regionLost(region, this.#nowMs));
    }
  }

  #effectsOf(
    known: Player,
    stay: { readonly region: number; readonly epoch: number },
    message: SpaceMessage,
  ): readonly PresenceEffect[] {
    const { presence, viewer } = known;
    switch (message.kind) {
      case 'entered':
        return presence.entered(stay, this.#described(stay.region, message), this.#nowMs);
      case 'refused':
        return presence.refused(stay, message.reason, this.#nowMs);
      case 'walked-out':
        return presence.walkedOut(stay, message.back, this.#nowMs);
      case 'answer': {
        const motion = decodeServerMotion(message.bytes);
        if (motion.kind === 'correction') presence.corrected(stay, motion.correction);
        if (presence.stays.some(({ epoch }) => epoch === stay.epoch)) viewer.offer(message.bytes);
        return [];
      }
      case 'unknown': {
        const { newest, isHere } = message;
        const seen = { newest, isHere, nowMs: this.#nowMs };
        const { isSuperseded, effects } = presence.unknown(stay, seen);
        if (isSuperseded) viewer.superseded();
        return effects;
      }
      default:
        return [];
    }
  }

  #do(player: PlayerId, effects: readonly PresenceEffect[]): void {
    // Where this node is the region's primary, an effect is answered before `send` returns, and the
    // presence has moved on: so whatever is done here depends on the effect alone.
    for (const effect of effects) this.#doOne(player, effect);
    const presence = this.#players.get(player)?.presence;
    if (presence === undefined || presence.wakeAtMs === Infinity) {
      this.#waiting.delete(player);
    } else {
      this.#waiting.add(player);
      this.#sweepSoon();
    }
  }

  #doOne(player: PlayerId, effect: PresenceEffect): void {
    const { send } = this.#options;
    const known = this.#players.get(player);
    switch (effect.kind) {
      case 'enter':
      case 'move':
      case 'leave': {
        const { region, ...message } = effect;
        return send(region, { player, ...message });
      }
      case 'settle': {
        const settle = known?.settle;
        if (known !== undefined) known.settle = undefined;
        return settle?.(effect.decision);
      }
      case 'crossed':
        return known?.viewer.crossed(effect.entered);
      case 'hold': {
        const { region, epoch, place } = effect;
        const motion = decodeUpdate(effect.update);
        known?.viewer.offer(
          encodeCorrection({ sequence: motion.sequence, reason: 'too-fast', ...place }),
        );
        // Or others would see him go on as he did before.
        const update = encodeUpdate({ ...motion, ...place, north: 0, east: 0 });
        return send(region, { kind: 'move', player, epoch, update });
      }
      case 'put-back': {
        const sequence = known?.sequence ?? 0;
        known?.viewer.offer(encodeCorrection({ sequence, reason: 'outside-region', ...effect.place }));
      }
    }
  }

  #show(frames: Extract<SpaceMessage, { kind: 'frames' }>['frames']): void {
    for (const { bytes, isWhole, players } of frames) {
      for (const player of players) {
        const known = this.#players.get(playerId(player));
        if (known !== undefined) this.#showTo(known, bytes, isWhole);
      }
    }
  }

  /** Who does not take his frames in time gets those of everybody only, until he takes some of them. */
  #showTo(known: Player, bytes: Uint8Array, isWhole: boolean): void {
    const isMeant = known.slow === 0 || isWhole;
    if (isMeant && known.viewer.offer(bytes)) {
      if (known.slow > 0) known.slow -= 1;
      return;
    }
    this.#framesSkipped += 1;
    if (isMeant) known.slow = SLOW_FRAMES;
  }

  #described(
    region: number,
    { tickMs, sightMetres }: { readonly tickMs: number; readonly sightMetres: number },
  ): Entered {
    const name = this.#options.regions.find(({ number }) => number === region)?.name ?? '';
    return { region: name, tickMs, sightMetres };
  }

  #newPlayer(player: PlayerId, viewer: Viewer): Player {
    // A later link of the same player, at whatever gateway, begins above this one; and this one above the
    // former ones here, which may be ahead of the clock: what was sent under theirs may come at any time.
    const epoch = Math.max(this.#options.clock.wallMs(), this.#endedEpoch);
    const presence = new Presence(this.#regionOf, epoch);
    const known: Player = { presence, viewer, settle: undefined, sequence: 0, slow: 0 };
    this.#players.set(player, known);
    return known;
  }

  #nameAll(): void {
    const staysIn = new Map<number, StayMark[]>();
    for (const [player, { presence }] of this.#players) {
      for (const { region, epoch } of presence.stays) {
        const stays = staysIn.get(region);
        if (stays === undefined) staysIn.set(region, [{ player, epoch }]);
        else stays.push({ player, epoch });
      }
    }
    for (const [region, stays] of staysIn) {
      for (let at = 0; at < stays.length; at += PRESENT_MAX) {
        const some = stays.slice(at, at + PRESENT_MAX);
        this.#options.send(region, { kind: 'present', stays: some });
      }
    }
  }

  #sweepSoon(): void {
    const { clock } = this.#options;
    this.#cancelSweep ??= clock.wakeAt(clock.monotonicMs() + SWEEP_MS, () => {
      this.#cancelSweep = undefined;
      for (const player of [...this.#waiting]) {
        const presence = this.#players.get(player)?.presence;
        this.#do(player, presence?.time(this.#nowMs) ?? []);
      }
    });
  }

  get #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}
