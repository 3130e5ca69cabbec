// What happens to a simulated world, as data: how its machines and links are, and which faults come when.
//
// `faults.ts` draws a plan from a seed, `nemesis.ts` carries it out, `minimise.ts` makes it smaller. A
// plan and a seed together give one history, so a failing one is printed and can be read.
import type { RaftTuning } from '../../protocols/raft/state.ts';
import type { CopyLimits } from '../../runtime/copy-machine.ts';
import type { GroupLimits } from '../../runtime/raft-machine.ts';
import type { HashPlaces } from '../../runtime/state-hash.ts';
import type { MotionPlan } from './motion-plan.ts';

/** Whom a fault strikes: a node by its id, or who leads a group or is a region's primary at that moment. */
export type Target =
  | { readonly node: number }
  | { readonly leaderOf: number }
  | { readonly primaryOf: number };

export type CutShape =
  /** All links of the target, or only those that lead to it, or away from it. */
  | 'isolated' | 'deaf' | 'mute'
  /** The links from the other global nodes. */
  | 'deaf-to-peers'
  /** The target and half of the gateways on one side, everybody else on the other. */
  | 'old-regime'
  /** Two sides; each node with its two neighbours; two sides and one node that reaches both. */
  | 'halves' | 'ring' | 'bridge'
  /** The target and its neighbour on one side; the links between the two; only towards the neighbour. */
  | 'couple' | 'pair' | 'one-way'
  /** The links of a region node to all global nodes; those that lead there, those from there. */
  | 'no-witnesses' | 'mute-to-witnesses' | 'deaf-to-witnesses'
  /** Its links to the other region nodes: to their copies and gateways. */
  | 'no-copies'
  /** All its links but that to one other region node. */
  | 'with-gateway';

/** `atMs` from the start; `forMs` until it ends by itself. All times virtual. */
export type Fault = { readonly atMs: number; readonly forMs: number } & (
  | { readonly kind: 'kill'; readonly target: Target; readonly power: boolean; readonly calls: number }
  | { readonly kind: 'kill-all'; readonly power: boolean }
  | { readonly kind: 'crash-loop'; readonly target: Target; readonly everyMs: number }
  /** Members that are a majority of a group die together and stay away. */
  | { readonly kind: 'kill-majority'; readonly group: number; readonly power: boolean }
  /** Again and again, whoever leads the group is struck for a while. */
  | {
      readonly kind: 'hunt';
      readonly group: number;
      readonly everyMs: number;
      readonly by: 'power' | CutShape;
      readonly breaks: boolean;
    }
  /** A member is cut off, and comes back at the moment at which the leader is. */
  | { readonly kind: 'usurp'; readonly group: number; readonly power: boolean }
  | { readonly kind: 'leave'; readonly target: Target }
  | { readonly kind: 'stall'; readonly target: Target }
  | { readonly kind: 'kill-gateway'; readonly node: number }
  | {
      readonly kind: 'cut';
      readonly target: Target;
      readonly shape: CutShape;
      /** Whether connections break, or hang until the cut heals. */
      readonly breaks: boolean;
      /** Heals and comes back with this period; 0 does not. */
      readonly flapMs: number;
    }
  | { readonly kind: 'slow-links'; readonly target: Target; readonly extraMs: number }
  | { readonly kind: 'slow-disk'; readonly target: Target; readonly syncMs: number }
  | { readonly kind: 'hung-disk'; readonly target: Target }
  | { readonly kind: 'disk-error'; readonly target: Target; readonly operation: 'write' | 'sync' }
  | { readonly kind: 'full-disk'; readonly target: Target }
  | { readonly kind: 'rot'; readonly node: number; readonly file: 'journal' | 'checkpoint' }
  | { readonly kind: 'misdirected'; readonly node: number }
  /** So many of the global nodes shall vote, drawn when it begins and asked for while it lasts. */
  | { readonly kind: 'reconfigure'; readonly group: number; readonly voters: number }
  /** Leadership is to go to a node, whatever its state, and whether it votes there or not. */
  | { readonly kind: 'transfer'; readonly group: number; readonly to: number }
  /** A node's disk is lost for good: another identity takes its place. It lasts until that is done. */
  | { readonly kind: 'replace'; readonly node: number }
  /** A copy of a region is lost with its folder, or rots in it, unless another of the region is not whole. */
  | { readonly kind: 'wipe-copy'; readonly region: number; readonly node: number }
  | {
      readonly kind: 'rot-copy';
      readonly region: number;
      readonly node: number;
      readonly file: 'journal' | 'checkpoint';
    }
  /** An operator hands a region to another copy. */
  | { readonly kind: 'move'; readonly region: number; readonly to: number }
  | {
      readonly kind: 'clock';
      readonly target: Target;
      readonly jumpMs: number;
      readonly driftPpm: number;
    }
);

export interface NetworkPlan {
  readonly latencyUs: number;
  readonly jitterUsMax: number;
  /** Global nodes stand in different regions of the planet. */
  readonly isWide: boolean;
  /** Of 1,000 packets. */
  readonly lost: number;
  readonly doubled: number;
  /** Frames between global nodes travel one by one, without order. */
  readonly isDatagram: boolean;
}

export interface Plan {
  readonly seed: number;
  /** How long faults come. */
  readonly chaosMs: number;
  readonly clients: number;
  readonly thinkMsMax: number;
  readonly network: NetworkPlan;
  /** Whether a sync holds its process up, as the real disk does, or completes later. */
  readonly isDiskAsync: boolean;
  readonly syncUsMax: number;
  readonly skewMsMax: number;
  readonly driftPpmMax: number;
  readonly timerLateUsMax: number;
  readonly segmentBytes: number;
  /** Each step of saving or taking over a state is a piece, so that all else happens in between. */
  readonly limits: Omit<GroupLimits, 'pieceMs' | keyof HashPlaces>;
  /** How Raft differs from what is shipped: lengths that no run would reach otherwise, and leases. */
  readonly raft: Partial<RaftTuning>;
  /** When copies of regions save checkpoints; `undefined` where no regions live. */
  readonly regions: Omit<CopyLimits, 'pieceMs'> | undefined;
  /** How players walk; `undefined` where nobody does. */
  readonly motion: MotionPlan | undefined;
  /** After so much calm regions go home; `undefined`: as shipped, which is longer than most runs. */
  readonly homeCalmMs: number | undefined;
  /** Every global node holds every group, and members may change. */
  readonly isMobile: boolean;
  /** Of 100 queries so many are asked of any copy itself, not through a gateway. */
  readonly readsHere: number;
  /** The topology says that any member answers queries, so that the route spreads them. */
  readonly readsAnywhere: boolean;
  readonly faults: readonly Fault[];
  /** What is demanded afterwards, besides being whole again. */
  readonly drill: Drill;
}

export interface Drill {
  /** How a node that leads nothing is cut off for a while: nobody may notice. */
  readonly rejoin: 'isolated' | 'deaf' | 'mute';
  readonly rejoinMs: number;
  /** Whether a leader that hears nobody must be replaced. */
  readonly deafLeaderOf: number | undefined;
  readonly transfer: TransferDrill | undefined;
  readonly exchange: ExchangeDrill | undefined;
  readonly edge: EdgeDrill | undefined;
  readonly depose: DeposeDrill | undefined;
  /** A copy of this region comes back without its log while its primary is dead. */
  readonly losesCopyOf: number | undefined;
  /** Whether a leader comes back with a log that is longer and older than its successor's. */
  readonly comesBack: boolean;
  /** Whether the memory of a member of the economy rots: it must stop by itself. */
  readonly rotsMemory: boolean;
}

/** A region's primary is cut off until another one serves, and its own gateway still asks it. */
export interface DeposeDrill {
  readonly region: number;
  readonly shape: 'isolated' | 'with-gateway' | 'no-witnesses' | 'no-copies';
}

/**
 * How a leader is cut off from everybody but callers beside it: together with a follower, which is asked;
 * and where leases serve, so that links hang, or break, or first bring it answers late, or when it has
 * just told another to lead.
 */
export type EdgeDrill = 'with-follower' | 'silence' | 'lost-links' | 'late-answers' | 'handover';

/** Leadership is to go to a follower that is well, to one that is dead, or to one that does not vote. */
export interface TransferDrill {
  readonly group: number;
  readonly to: 'voter' | 'dead' | 'stranger';
}

/**
 * One member is exchanged for another while the leader dies at one moment of it: while the new one learns,
 * in the joint phase, or when all is decided and the new voter has heard nothing of that.
 */
export interface ExchangeDrill {
  readonly group: number;
  readonly strike: 'none' | 'learning' | 'joint' | 'unaware';
  /** Whether the leader is the member that has to go. */
  readonly leaderGoes: boolean;
}

/** How far a fault may set a clock apart from the world's, in a million. */
export const DRIFT_PPM_MAX = 50_000;

/** The whole plan for a person; the faults last, in their order. */
export function describePlan(plan: Plan): string {
  const { faults, ...rest } = plan;
  const lines = faults.map((fault) => `  ${describeFault(fault)}`);
  return [`plan ${JSON.stringify(rest)}`, ...lines].join('\n');
}

/** One line for a person. */
export function describeFault(fault: Fault): string {
  const { atMs, forMs, kind, ...rest } = fault;
  const facts = Object.entries(rest).map(([name, value]) => {
    if (name === 'target') return describeTarget(value as Target);
    return typeof value === 'boolean' ? (value ? name : '') : `${name} ${String(value)}`;
  });
  return `${atMs} ms, for ${forMs} ms: ${[kind, ...facts].filter((fact) => fact !== '').join(', ')}`;
}

function describeTarget(target: Target): string {
  if ('node' in target) return `node ${target.node}`;
  return 'leaderOf' in target
    ? `leader of group ${target.leaderOf}`
    : `primary of region ${target.primaryOf}`;
}
