// The motion lane: where players are, as packed binary frames beside the text frames of calls.
//
// Clients encode updates and decode the rest; region nodes do the reverse. The first byte says what a
// frame is, numbers are little-endian, and docs/world.md gives every byte for other languages.
// Invariant: a frame has exactly the length that its kind and count say, else it is refused whole.
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { InvalidInputError } from '../base/errors.ts';
import type { Place } from './calls.ts';

/** Player ids travel in 32 bits: a region takes no player beyond this one. */
export const MOTION_PLAYER_MAX = 0xffff_ffff;
/** So many avatars fit in one tick frame (4,807 bytes); beyond, the farthest are left out. */
export const TICK_AVATARS_MAX = 400;
/** Bytes of one avatar in a tick frame. */
export const AVATAR_BYTES = 12;
/** A server speaks of every avatar in sight at least once in this time, moved or not. */
export const HEARTBEAT_MS = 1_000;
/** A client forgets an avatar that it has not heard of for so long: it went away or out of sight. */
export const FORGET_AFTER_MS = 3_000;

const UPDATE = 1;
const TICK = 2;
const CORRECTION = 3;
const REASONS = ['too-fast', 'outside-region', 'not-in-the-world'] as const;
const LAT_MAX = 900_000_000;
const LON_MAX = 1_800_000_000;

/** A player's report of where he is. `sequence` rises by one per update and wraps after 2^32 - 1. */
export interface MotionUpdate extends Place {
  readonly sequence: number;
}

/** Another player (or oneself) as a tick frame shows him. */
export interface Avatar extends Place {
  readonly player: number;
}

export interface TickHead {
  /** Counts the region's ticks, wraps after 2^32 - 1. */
  readonly tick: number;
  readonly count: number;
}

export type CorrectionReason = (typeof REASONS)[number];

/** The update `sequence` was not taken: the player stands at this place. */
export interface Correction extends MotionUpdate {
  readonly reason: CorrectionReason;
}

export type ServerMotion =
  | { readonly kind: 'tick'; readonly tick: number; readonly avatars: readonly Avatar[] }
  | { readonly kind: 'correction'; readonly correction: Correction };

/** Client to server. */
export function encodeUpdate(update: MotionUpdate): Uint8Array {
  const writer = new ByteWriter(13);
  return writer.u8(UPDATE).u32(update.sequence).i32(update.lat).i32(update.lon).finish();
}

/** Throws `InvalidInputError` for every other kind or length and for places that are not on Earth. */
export function decodeUpdate(bytes: Uint8Array): MotionUpdate {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== UPDATE) throw new InvalidInputError('a motion frame that is no update');
  const sequence = reader.u32();
  const update = { sequence, lat: readLat(reader), lon: readLon(reader) };
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

/** Starts a tick frame; exactly `head.count` avatars must follow. */
export function writeTickHead(writer: ByteWriter, head: TickHead): void {
  writer.u8(TICK).u32(head.tick).u16(head.count);
}

/** Appends `AVATAR_BYTES`; takes whatever object the caller already has, so that none is made. */
export function writeAvatar(writer: ByteWriter, avatar: Avatar): void {
  writer.u32(avatar.player).i32(avatar.lat).i32(avatar.lon);
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
  const tick = reader.u32();
  const count = reader.u16();
  // Before the list is made: a count that lies must cost nothing.
  if (reader.remaining !== count * AVATAR_BYTES) {
    throw new InvalidInputError(`${reader.remaining} bytes for ${count} avatars`);
  }
  const avatars: Avatar[] = [];
  for (let i = 0; i < count; i++) {
    avatars.push({ player: reader.u32(), lat: readLat(reader), lon: readLon(reader) });
  }
  return { kind: 'tick', tick, avatars };
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
  if (lon < -LON_MAX || lon > LON_MAX) throw new InvalidInputError(`${lon} is no longitude`);
  return lon;
}
