// What one writes a feature of one's own with: the face `bluemarble/feature` of the package.
//
// Nobody inside imports it. docs/own-features.md shows a whole feature that needs nothing else, and
// `bluemarble sim --world` runs it.
export { type ByteReader, ByteWriter } from '../base/bytes.ts';
export { CowMap } from '../base/cow-map.ts';
export {
  CorruptionError,
  type Decision,
  done,
  InvalidInputError,
  invariant,
  rejected,
} from '../base/errors.ts';
export { type PlayerId, playerId } from '../base/id.ts';
export { earlyMs, type Pace, paidAfter } from '../base/pace.ts';
export type { Random } from '../base/random.ts';
export {
  firstOf,
  loadedInSlices,
  type Loading,
  savedInSlices,
  savedMap,
  type Slices,
} from '../base/slices.ts';
export { type Shape, shape } from '../wire/call-shape.ts';
export type { EventShape } from '../wire/events.ts';
export type { AckLevel } from '../wire/levels.ts';
export type { OwnCall, OwnCalls } from '../wire/own-calls.ts';
export {
  boolean,
  distinct,
  type Infer,
  integer,
  list,
  nothing,
  nullable,
  object,
  octets,
  oneOf,
  type Schema,
  text,
} from '../wire/schema.ts';
export type { Deed, DrawDeed, Known } from './deed.ts';
export {
  acknowledgedAt,
  atPace,
  type Caller,
  type Command,
  command,
  type CommandContext,
  type Emit,
  type EntryContext,
  type EventContext,
  type EventTaker,
  type Feature,
  type Keep,
  type NeededStates,
  type PromiseKind,
  type Query,
  query,
  type QueryContext,
  type Surroundings,
  taker,
  type Tell,
  type TellRegion,
} from './feature.ts';
export type { Account, HeldItem, Holder, Ledger } from './features/ledger.ts';
export { playerCalls } from './player-calls.ts';
