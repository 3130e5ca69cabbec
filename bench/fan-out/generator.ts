// The players of the fan-out benchmark, all in this process: they log in, enter, walk and send.
//
// Four of them are probes: they decode every frame with the client's own code, and compare what they
// see with where the others are, which this process knows too, by the same clock. The rest count frames.
import { ByteReader } from '../../src/base/bytes.ts';
import { distanceMm } from '../../src/base/earth.ts';
import { RemoteClock } from '../../src/base/remote-clock.ts';
import { MotionLane, Others, SEND_FROM, SEND_UNTIL } from '../../src/client/motion.ts';
import type { Secrets } from '../../src/runtime/ports.ts';
import { issueToken } from '../../src/services/gateway/token.ts';
import type { Place } from '../../src/wire/calls.ts';
import { type Avatar, decodeServerMotion, encodeUpdate, HEARTBEAT_MS } from '../../src/wire/motion.ts';
import { RawClient } from './raw-client.ts';
import type { Walk } from './walkers.ts';

/**
 * - `steady`: each sends his place in every period, all spread over it, whatever comes from the server.
 * - `aligned`: the same, at the point of the tick where the client library would send.
 * - `reckoned`: as the client library does, when the prediction breaks and once a second.
 */
export type Manner = 'steady' | 'aligned' | 'reckoned' | 'idle';

const PROBES = 4;
const SLICE_MS = 5;
const STEP_MS = 50;
const JOINING_MAX = 200;
/** Games turn their frames anywhere in the part of a tick in which the client library sends. */
const GAMES = 16;
const SENT_KEPT = 16;

interface Sent extends Avatar {
  readonly atMs: number;
  /** One bit for each probe that has seen it. */
  seen: number;
}

interface Player {
  readonly number: number;
  readonly client: RawClient;
  readonly walk: Walk;
  readonly lane: MotionLane;
  readonly clock: RemoteClock;
  readonly sent: Sent[];
  sequence: number;
  sentAtMs: number;
  /** When he makes his next step. */
  nextAtMs: number;
  /** When his lane may have something to send. */
  dueAtMs: number;
  /** When his newest frame was made. */
  framedAtMs: number;
}

export interface Seen {
  readonly latenciesMs: readonly number[];
  readonly errorsMm: readonly number[];
  readonly framesIn: number;
  readonly updatesOut: number;
  readonly bytesIn: number;
  readonly visible: number;
}

export interface GeneratorOptions {
  readonly port: number;
  readonly secrets: Secrets;
  readonly walks: readonly Walk[];
  readonly manner: Manner;
  readonly tickMs: number;
}

export class Generator {
  readonly #o: GeneratorOptions;
  readonly #players: Player[] = [];
  readonly #idle: RawClient[] = [];
  readonly #others: Others[] = Array.from({ length: PROBES }, () => new Others());
  #timer: NodeJS.Timeout | undefined;
  #slice = 0;
  #latenciesMs: number[] = [];
  #errorsMm: number[] = [];
  #visible: number[] = [];
  #framesIn = 0;
  #updatesOut = 0;
  #bytesBefore = 0;
  #isMeasuring = false;

  constructor(o: GeneratorOptions) {
    this.#o = o;
  }

  /** Resolves when so many have entered. */
  join(players: number = this.#o.walks.length): Promise<void> {
    return this.#fill(this.#players, players, (number, walk) => this.#join(number, walk));
  }

  /** Resolves when so many are connected and had one message echoed. */
  connect(players: number): Promise<void> {
    return this.#fill(this.#idle, players, (number) => this.#connect(number));
  }

  async #fill(
    list: readonly unknown[],
    players: number,
    one: (number: number, walk: Walk) => Promise<void>,
  ): Promise<void> {
    const waiting = new Set<Promise<void>>();
    for (const walk of this.#o.walks.slice(list.length, players)) {
      const joined: Promise<void> = one(list.length + 1, walk).finally(() => waiting.delete(joined));
      waiting.add(joined);
      if (waiting.size >= JOINING_MAX) await Promise.race(waiting);
    }
    await Promise.all(waiting);
  }

  walk(): void {
    const { manner, tickMs } = this.#o;
    if (manner === 'idle') return;
    const startMs = performance.now();
    for (const [index, player] of this.#players.entries()) {
      player.walk.begin(startMs);
      const periodMs = manner === 'reckoned' ? STEP_MS : tickMs;
      const slices = periodMs / SLICE_MS;
      player.nextAtMs = startMs + (index % slices) * SLICE_MS;
    }
    this.#timer = setInterval(() => this.#turn(), SLICE_MS);
  }

  begin(): void {
    this.#isMeasuring = true;
    this.#bytesBefore = this.#bytes();
    this.#framesIn = 0;
    this.#updatesOut = 0;
  }

  end(): Seen {
    this.#isMeasuring = false;
    return {
      latenciesMs: this.#latenciesMs,
      errorsMm: this.#errorsMm,
      framesIn: this.#framesIn,
      updatesOut: this.#updatesOut,
      bytesIn: this.#bytes() - this.#bytesBefore,
      visible: this.#visible.reduce((sum, each) => sum + each, 0) / Math.max(1, this.#visible.length),
    };
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const client of [...this.#idle, ...this.#players.map((player) => player.client)]) {
      client.destroy();
    }
  }

  #bytes(): number {
    return this.#players.reduce((sum, { client }) => sum + client.bytesIn, 0);
  }

  #join(number: number, walk: Walk): Promise<void> {
    const { port, secrets, tickMs } = this.#o;
    const expiresAtMs = Date.now() + 3_600_000;
    const token = issueToken(secrets, { player: number, session: number, expiresAtMs });
    return new Promise((resolve, reject) => {
      const place = walk.at(0);
      const client = new RawClient({
        port,
        wants: this.#isProbe(number),
        opened: () => client.sendText(JSON.stringify({ id: 1, call: 'account.resume', args: { token } })),
        broke: (why) => reject(new Error(`player ${number}: ${why}`)),
        reader: {
          text: (text) => {
            const { id, outcome } = JSON.parse(text) as { id: number; outcome: { kind: string } };
            if (outcome.kind !== 'done') return reject(new Error(`player ${number}: ${text}`));
            if (id === 1) {
              return client.sendText(JSON.stringify({ id: 2, call: 'position.enter', args: place }));
            }
            player.lane.entered(place, tickMs, performance.now());
            resolve();
          },
          binary: (bytes) => this.#framed(player, bytes),
        },
      });
      const lane = new MotionLane();
      const clock = new RemoteClock();
      const times = { sentAtMs: 0, nextAtMs: 0, dueAtMs: 0, framedAtMs: 0 };
      const player: Player = { number, client, walk, lane, clock, sent: [], sequence: 0, ...times };
      this.#players.push(player);
    });
  }

  #connect(number: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const client = new RawClient({
        port: this.#o.port,
        wants: true,
        reader: { text: () => {}, binary: () => resolve() },
        opened: () => client.sendBinary(new Uint8Array(100)),
        broke: (why) => reject(new Error(`connection ${number}: ${why}`)),
      });
      this.#idle.push(client);
    });
  }

  #isProbe(number: number): boolean {
    return this.#probeOf(number) < PROBES;
  }

  /** The probes are spread over all players: 0 to 3; everybody else has a higher number. */
  #probeOf(number: number): number {
    const every = Math.floor(this.#o.walks.length / PROBES);
    return number % every === 0 ? number / every - 1 : PROBES;
  }

  #turn(): void {
    const nowMs = performance.now();
    this.#slice += 1;
    for (const player of this.#players) {
      if (this.#o.manner === 'reckoned') this.#reckon(player, nowMs);
      else if (nowMs >= player.nextAtMs) this.#send(player, nowMs);
    }
    if (this.#isMeasuring && this.#slice % 20 === 0) this.#compare(nowMs);
  }

  #reckon(player: Player, nowMs: number): void {
    const { lane, walk } = player;
    const isStepping = nowMs >= player.nextAtMs;
    if (!isStepping && nowMs < player.dueAtMs) return;
    if (isStepping) {
      player.nextAtMs += STEP_MS;
      walk.step(nowMs);
      lane.moveTo(walk.at(nowMs), nowMs);
    }
    const update = lane.take(nowMs);
    player.dueAtMs = lane.wakeAtMs;
    if (update !== undefined) this.#sent(player, update, nowMs);
  }

  #send(player: Player, nowMs: number): void {
    const { walk } = player;
    player.nextAtMs += this.#o.tickMs;
    walk.step(nowMs);
    player.sequence += 1;
    const still = { sequence: player.sequence, timeMs: Math.round(nowMs), north: 0, east: 0 };
    this.#sent(player, encodeUpdate({ ...still, ...walk.at(nowMs) }), nowMs);
  }

  #sent(player: Player, update: Uint8Array, nowMs: number): void {
    player.client.sendBinary(update);
    this.#updatesOut += 1;
    // A heartbeat confirms what is known, and the region may keep it to itself: nobody waits for it.
    const isHeartbeat = nowMs - player.sentAtMs >= HEARTBEAT_MS * 0.98;
    player.sentAtMs = nowMs;
    if (isHeartbeat) return;
    const reader = new ByteReader(update, 9);
    const [lat, lon] = [reader.i32(), reader.i32()];
    const [north, east] = [(reader.u16() << 16) >> 16, (reader.u16() << 16) >> 16];
    player.sent.push({ player: player.number, lat, lon, north, east, atMs: nowMs, seen: 0 });
    if (player.sent.length > SENT_KEPT) player.sent.shift();
  }

  #framed(player: Player, bytes: Buffer): void {
    const nowMs = performance.now();
    this.#framesIn += 1;
    // As in every tick and no correction: its time follows the kind.
    const atMs = player.clock.localMs(bytes.readUInt32LE(1), nowMs);
    if (this.#o.manner === 'reckoned') this.#ticked(player, atMs);
    else if (this.#o.manner === 'aligned') this.#align(player, atMs);
    const probe = this.#probeOf(player.number);
    if (probe >= PROBES) return;
    const motion = decodeServerMotion(bytes);
    if (motion.kind !== 'tick') throw new Error(`player ${player.number} was put back`);
    const { avatars, timeMs: stampMs } = motion;
    this.#others[probe]?.saw({ avatars, stampMs }, player.number, nowMs);
    for (const avatar of avatars) {
      if (avatar.player !== player.number) this.#match(avatar, probe, nowMs);
    }
  }

  #ticked(player: Player, atMs: number): void {
    player.lane.ticked(atMs);
    player.dueAtMs = player.lane.wakeAtMs;
  }

  /** What was to be sent in the tick before and was not yet keeps its time. */
  #align(player: Player, atMs: number): void {
    const hasSent = player.sentAtMs >= player.framedAtMs;
    player.framedAtMs = atMs;
    if (!hasSent) return;
    const part = (player.number % GAMES) / GAMES;
    const place = SEND_FROM + (SEND_UNTIL - SEND_FROM) * part;
    player.nextAtMs = atMs + place * this.#o.tickMs;
  }

  /** Finds the update that an avatar shows, and counts its way the first time that this probe sees it. */
  #match(avatar: Avatar, probe: number, nowMs: number): void {
    const sent = this.#players[avatar.player - 1]?.sent ?? [];
    for (let i = sent.length - 1; i >= 0; i--) {
      const update = sent[i];
      if (update === undefined || !isSame(update, avatar)) continue;
      if ((update.seen & (1 << probe)) !== 0) return;
      for (let older = 0; older <= i; older++) {
        const before = sent[older];
        if (before !== undefined) before.seen |= 1 << probe;
      }
      if (this.#isMeasuring) this.#latenciesMs.push(nowMs - update.atMs);
      return;
    }
  }

  /** How far what the probes see is from where everybody is at this very moment. */
  #compare(nowMs: number): void {
    for (const others of this.#others) {
      const seen = others.at(nowMs);
      this.#visible.push(seen.size);
      for (const [number, place] of seen) {
        const walk = this.#players[number - 1]?.walk;
        if (walk !== undefined) this.#errorsMm.push(distanceMm(place, walk.at(nowMs)));
      }
    }
  }
}

/** A walker's velocity tells his updates apart, a standing one's place does. */
function isSame(update: Sent, avatar: Avatar & Place): boolean {
  if (update.north !== avatar.north || update.east !== avatar.east) return false;
  const isWalking = update.north !== 0 || update.east !== 0;
  return isWalking || (update.lat === avatar.lat && update.lon === avatar.lon);
}
