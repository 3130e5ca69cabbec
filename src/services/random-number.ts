// A number to begin with that no process of this node has begun with before.
//
// Routes count their asks from it: an answer meant for a process that is gone must fit no ask of the next.
import { ByteReader } from '../base/bytes.ts';

/** A 48-bit number out of six bytes. */
export function randomNumber(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  return reader.u32() * 2 ** 16 + reader.u16();
}
