// What gateways and the primaries of regions say to each other about players in the world, and what two
// neighbouring primaries tell each other of those near their common edge.
//
// The body of a `space` message between nodes. Every message but `present`, `frames` and `ghosts` is of
// one stay: a player under the epoch that his gateway gave him. All may be lost, doubled and late; both
// sides repeat what matters (`world/space/presence.ts`, `residents.ts`).
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { LAT_MAX, LON_HALF_TURN } from '../base/earth.ts';
import { InvalidInputError } from '../base/errors.ts';
import type { Place } from './calls.ts';

/** Of one `present` message: a gateway with more players sends several. */
export const PRESENT_MAX = 2_000;
/** Bodies of one `frames` message; what a region shows in a tick may take several. */
export const FRAMES_MAX = 4_096;
const VIEWERS_MAX = 32_768;
const MOTION_BYTES_MAX: number = 64 * 1024;
const REFUSALS = ['not-on-land', 'region-full'] as const;

export interface StayMark {
  readonly player: number;
  readonly epoch: number;
}

/** Bytes that several viewers of one gateway are to be sent. */
export interface SharedFrame {
  readonly bytes: Uint8Array;
  /** Of everybody in sight, or a part of that: all that a slow player gets. */
  readonly isWhole: boolean;
  readonly players: readonly number[];
}

export type SpaceMessage =
  // From a gateway.
  | (StayMark & {
      readonly kind: 'enter';
      readonly place: Place;
      /** How far he may go at once, if he comes on foot; absent: he leaps in. Millimetres. */
      readonly allowedMm: number | undefined;
    })
  | (StayMark & { readonly kind: 'move'; readonly update: Uint8Array })
  | (StayMark & { readonly kind: 'leave' })
  /** Everyone whom this gateway has in the region: who is not named for a while is let go. */
  | { readonly kind: 'present'; readonly stays: readonly StayMark[] }
  // From a region.
  | (StayMark & { readonly kind: 'entered'; readonly tickMs: number; readonly sightMetres: number })
  | (StayMark & { readonly kind: 'refused'; readonly reason: (typeof REFUSALS)[number] })
  /** No such stay here. `newest`: the highest epoch under which he is, or lately was, here; 0 for none. */
  | (StayMark & { readonly kind: 'unknown'; readonly newest: number; readonly isHere: boolean })
  /** He walked over the edge; here he stands at `back`, where he was before. */
  | (StayMark & { readonly kind: 'walked-out'; readonly back: Place })
  /** A motion frame for one player, a correction above all. */
  | (StayMark & { readonly kind: 'answer'; readonly bytes: Uint8Array })
  | { readonly kind: 'frames'; readonly frames: readonly SharedFrame[] }
  // Between regions.
  /** Avatars near the edge of region `from`, in the bytes of a tick frame. */
  | { readonly kind: 'ghosts'; readonly from: number; readonly bytes: Uint8Array };

const KINDS = [
  'enter',
  'walk-in',
  'move',
  'leave',
  'present',
  'entered',
  'refused',
  'unknown',
  'walked-out',
  'answer',
  'frames',
  'ghosts',
] as const;

export function encodeSpaceMessage(message: SpaceMessage): Uint8Array {
  const writer = new ByteWriter(64);
  const isWalk = message.kind === 'enter' && message.allowedMm !== undefined;
  writer.u8(KINDS.indexOf(isWalk ? 'walk-in' : message.kind));
  if ('player' in message) writer.varint(message.player).varint(message.epoch);
  switch (message.kind) {
    case 'enter':
      writePlace(writer, message.place);
      if (message.allowedMm !== undefined) writer.varint(message.allowedMm);
      break;
    case 'move':
      writer.bytes(message.update);
      break;
    case 'leave':
      break;
    case 'present':
      writer.varint(message.stays.length);
      for (const { player, epoch } of message.stays) writer.varint(player).varint(epoch);
      break;
    case 'entered':
      writer.varint(message.tickMs).varint(message.sightMetres);
      break;
    case 'refused':
      writer.u8(REFUSALS.indexOf(message.reason));
      break;
    case 'unknown':
      writer.varint(message.newest).u8(Number(message.isHere));
      break;
    case 'walked-out':
      writePlace(writer, message.back);
      break;
    case 'answer':
      writer.bytes(message.bytes);
      break;
    case 'frames':
      writer.varint(message.frames.length);
      for (const { bytes, isWhole, players } of message.frames) {
        writer.u8(Number(isWhole)).bytes(bytes).varint(players.length);
        for (const player of players) writer.varint(player);
      }
      break;
    case 'ghosts':
      writer.varint(message.from).bytes(message.bytes);
  }
  return writer.finish();
}

/** Throws `InvalidInputError` for anything that `encodeSpaceMessage` did not make. */
export function decodeSpaceMessage(bytes: Uint8Array): SpaceMessage {
  const reader = new ByteReader(bytes);
  const tag = reader.u8();
  const kind = KINDS[tag];
  if (kind === undefined) throw new InvalidInputError(`space message ${tag}`);
  const message = readBody(reader, kind);
  reader.end();
  return message;
}

function readBody(reader: ByteReader, kind: (typeof KINDS)[number]): SpaceMessage {
  switch (kind) {
    case 'present': {
      const stays: StayMark[] = [];
      for (let left = readCount(reader, PRESENT_MAX); left > 0; left--) stays.push(readStay(reader));
      return { kind, stays };
    }
    case 'frames': {
      const frames: SharedFrame[] = [];
      for (let left = readCount(reader, FRAMES_MAX); left > 0; left--) frames.push(readFrame(reader));
      return { kind, frames };
    }
    case 'ghosts':
      return { kind, from: reader.varint(), bytes: reader.bytes(MOTION_BYTES_MAX) };
    default:
      return readOfStay(reader, kind, readStay(reader));
  }
}

function readOfStay(
  reader: ByteReader,
  kind: Exclude<(typeof KINDS)[number], 'present' | 'frames' | 'ghosts'>,
  stay: StayMark,
): SpaceMessage {
  switch (kind) {
    case 'enter':
      return { kind, ...stay, place: readPlace(reader), allowedMm: undefined };
    case 'walk-in':
      return { kind: 'enter', ...stay, place: readPlace(reader), allowedMm: reader.varint() };
    case 'move':
      return { kind, ...stay, update: reader.bytes(MOTION_BYTES_MAX) };
    case 'leave':
      return { kind, ...stay };
    case 'entered':
      return { kind, ...stay, tickMs: reader.varint(), sightMetres: reader.varint() };
    case 'refused': {
      const reason = REFUSALS[reader.u8()];
      if (reason === undefined) throw new InvalidInputError('a refusal without a known reason');
      return { kind, ...stay, reason };
    }
    case 'unknown':
      return { kind, ...stay, newest: reader.varint(), isHere: reader.u8() === 1 };
    case 'walked-out':
      return { kind, ...stay, back: readPlace(reader) };
    case 'answer':
      return { kind, ...stay, bytes: reader.bytes(MOTION_BYTES_MAX) };
  }
}

function readFrame(reader: ByteReader): SharedFrame {
  const isWhole = reader.u8() === 1;
  const bytes = reader.bytes(MOTION_BYTES_MAX);
  const players: number[] = [];
  for (let left = readCount(reader, VIEWERS_MAX); left > 0; left--) players.push(reader.varint());
  return { bytes, isWhole, players };
}

function readCount(reader: ByteReader, countMax: number): number {
  const count = reader.varint();
  // A count that lies must cost nothing: each one takes a byte at least.
  if (count > countMax || count > reader.remaining) throw new InvalidInputError(`a count of ${count}`);
  return count;
}

function readStay(reader: ByteReader): StayMark {
  return { player: reader.varint(), epoch: reader.varint() };
}

function writePlace(writer: ByteWriter, place: Place): void {
  writer.i32(place.lat).i32(place.lon);
}

function readPlace(reader: ByteReader): Place {
  const lat = reader.i32();
  const lon = reader.i32();
  if (Math.abs(lat) > LAT_MAX || Math.abs(lon) > LON_HALF_TURN) {
    throw new InvalidInputError('no place on Earth');
  }
  return { lat, lon };
}
