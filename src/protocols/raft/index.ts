// Raft for a program of one's own: the face `bluemarble/raft` of the package.
//
// Nobody inside imports it. `node.ts` says what the driver of a member owes, docs/raft.md shows one.
export { type NodeId, nodeId } from '../../base/id.ts';
export { Random } from '../../base/random.ts';
export { decodeMessage, MessageEncoder } from './codec.ts';
export type { Effects } from './effects.ts';
export type {
  Entry,
  Envelope,
  HardState,
  LogWrite,
  Membership,
  Message,
  Recovered,
  Snapshot,
  SnapshotMark,
} from './messages.ts';
export { type Proposed, RaftNode } from './node.ts';
export { RAFT_DEFAULTS, type RaftOptions, type RaftTuning } from './state.ts';
