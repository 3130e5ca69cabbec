// Entries that anyone can make again from their index alone, for checks across processes.
import type { Entry } from '../../src/protocols/raft/messages.ts';

export const SEGMENT_BYTES: number = 64 * 1024;

export function entryOf(index: number): Entry {
  const data = Uint8Array.from({ length: (index * 37) % 900 }, (_, i) => index + i);
  return { index, term: 1, kind: 'command', timeMs: index * 3, data };
}
