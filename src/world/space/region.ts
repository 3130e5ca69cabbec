// The life of one region: who is where, who sees whom, and what each tick tells them.
//
// `services/region` drives it: it hands in joins, moves and time, and gets packed frames to send. The
// newest value seen wins and older ones are dropped, never queued (promise `ephemeral`).
import type { PlayerId } from '../../base/id.ts';
import type { Place } from '../../wire/calls.ts';

/** `undefined` means that it was taken; otherwise the place the player must go back to, and why. */
export type MoveVerdict =
  | undefined
  | { readonly reason: 'too-fast' | 'outside-region' | 'not-in-the-world' | 'stale'; readonly back: Place };

/** One tick's frame for one viewer; `bytes` is valid until the next tick. */
export interface TickFrame {
  readonly player: PlayerId;
  readonly bytes: Uint8Array;
}
