// The motion lane: where players are and go, as packed binary frames beside the text frames of calls.
//
// Clients encode updates and decode the rest; region nodes do the reverse. The first byte says what a
// frame is and so its version: a changed layout gets a new one. Numbers are little-endian, and
// docs/world.md gives every byte for other languages.
// Invariant: a frame has a length that its kind allows, else it is refused whole.
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { latAt, lonAt, type Track, type Velocity } from '../base/dead-reckoning.ts';
import { LAT_MAX, LON_HALF_TURN } from '../base/earth.ts';
import { InvalidInputError } from '../base/errors.ts';
import type { Place } from './calls.ts';

/** Player ids travel in 32 bits: a region takes no player beyond this one. */
export const MOTION_PLAYER_MAX = 0xffff_ffff;
/** A viewer's budget: so many avatars in one tick frame (6,405 bytes), the nearest first. */
export const TICK_AVATARS_MAX = 400;
/** Bytes of one avatar in a tick frame. */
export const AVATAR_BYTES = 16;
/** How far a client lets its true place stray from what it has told, before it tells anew. */
export const CLIENT_STRAY_MM = 300;
/** How far a region lets an update stray from what it has told the viewers, before it tells anew. */
export const REGION_STRAY_MM = 100;
/**
 * Who walks says so at least once in this time, however straight he walks; and a region speaks of
 * everyone in sight once in this time.
 */
export const HEARTBEAT_MS = 1_000;
/** Of whom a region has not heard for so long while he walked, he stands. */
export const SILENT_MS = 2_500;
/** A client forgets an avatar that it has not heard of for so long: it went away or out of sight. */
export const FORGET_AFTER_MS = 3_000;

// 1 and 2 were updates and ticks without velocity and time.
const CORRECTION = 3;
const UPDATE = 4;
const TICK = 5;
const REASONS = ['too-fast', 'outside-region', 'not-in-the-world'] as const;

/** What every update, tick and correction holds of a place. `sequence` wraps after 2^32 - 1. */
interface Sequenced extends Place {
  /** Rises by one with each update. */
  readonly sequence: number;
}

/** A player's report of where he is and goes. A velocity of zero means: nothing is to be predicted. */
export interface MotionUpdate extends Sequenced, Velocity {
  /** When he was there: milliseconds of a clock of his own, of any origin, modulo 2^32. */
  readonly timeMs: number;
}

/** Another player (or oneself) as a tick frame shows him: his place at the frame's time, and his way. */
export interface Avatar extends Place, Velocity {
  readonly player: number;
}

export type CorrectionReason = (typeof REASONS)[number];

/** The update `sequence` was not taken: the player stands at this place. */
export interface Correction extends Sequenced {
  readonly reason: CorrectionReason;
}

export type ServerMotion =
  | { readonly kind: 'tick'; readonly timeMs: number; readonly avatars: readonly Avatar[] }
  | { readonly kind: 'correction'; readonly correction: Correction };

/** Client to server. */
export function encodeUpdate(update: MotionUpdate): Uint8Array {
  return new ByteWriter(21)
    .u8(UPDATE)
    .u32(update.sequence)
    .u32(update.timeMs)
    .i32(update.lat)
    .i32(update.lon)
    .u16(update.north)
    .u16(update.east)
    .finish();
}

/** Throws `InvalidInputError` for every other kind or length and for places that are not on Earth. */
export function decodeUpdate(bytes: Uint8Array): MotionUpdate {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== UPDATE) throw new InvalidInputError('a motion frame that is no update');
  const [sequence, timeMs] = [reader.u32(), reader.u32()];
  const [lat, lon] = [readLat(reader), readLon(reader)];
  const update = { sequence, timeMs, lat, lon, north: readI16(reader), east: readI16(reader) };
  reader.end();
  return update;
}

/** Server to client. */
export function encodeCorrection(correction: Correction): Uint8Array {
  const writer = new ByteWriter(14);
  return writer
    .u8(CORRECTION)
    .u32(correction.sequence)
    .i32(correction.lat)
    .i32(correction.lon)
    .u8(REASONS.indexOf(correction.reason) + 1)
    .finish();
}

/**
 * Starts a tick frame, which the avatars follow. `timeMs` is of the region's clock: it travels modulo
 * 2^32, and all places of the frame are as of then.
 */
export function writeTickHead(writer: ByteWriter, timeMs: number): void {
  writer.u8(TICK).u32(timeMs);
}

/** Appends `AVATAR_BYTES`: where the player is at the frame's time by his track, and how he goes on. */
export function writeAvatar(
  writer: ByteWriter,
  avatar: Track & { readonly player: number },
  timeMs: number,
): void {
  writer.u32(avatar.player).i32(latAt(avatar, timeMs)).i32(lonAt(avatar, timeMs));
  writer.u16(avatar.north).u16(avatar.east);
}

/** What a server sends; throws `InvalidInputError` for anything else. */
export function decodeServerMotion(bytes: Uint8Array): ServerMotion {
  const reader = new ByteReader(bytes);
  const kind = reader.u8();
  if (kind === TICK) return readTick(reader);
  if (kind === CORRECTION) return readCorrection(reader);
  throw new InvalidInputError(`motion frame ${kind}`);
}

function readTick(reader: ByteReader): ServerMotion {
  const timeMs = reader.u32();
  if (reader.remaining % AVATAR_BYTES !== 0) {
    throw new InvalidInputError(`${reader.remaining} bytes are no whole number of avatars`);
  }
  const avatars: Avatar[] = [];
  while (reader.remaining > 0) {
    const player = reader.u32();
    const [lat, lon] = [readLat(reader), readLon(reader)];
    avatars.push({ player, lat, lon, north: readI16(reader), east: readI16(reader) });
  }
  return { kind: 'tick', timeMs, avatars };
}

function readCorrection(reader: ByteReader): ServerMotion {
  const sequence = reader.u32();
  const lat = readLat(reader);
  const lon = readLon(reader);
  const reason = REASONS[reader.u8() - 1];
  if (reason === undefined) throw new InvalidInputError('a correction without a known reason');
  reader.end();
  return { kind: 'correction', correction: { sequence, lat, lon, reason } };
}

function readLat(reader: ByteReader): number {
  const lat = reader.i32();
  if (lat < -LAT_MAX || lat > LAT_MAX) throw new InvalidInputError(`${lat} is no latitude`);
  return lat;
}

function readLon(reader: ByteReader): number {
  const lon = reader.i32();
  if (lon < -LON_HALF_TURN || lon > LON_HALF_TURN) throw new InvalidInputError(`${lon} is no longitude`);
  return lon;
}

function readI16(reader: ByteReader): number {
  return (reader.u16() << 16) >> 16;
}
