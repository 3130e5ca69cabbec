// The calls of `placement`: who is primary of which region, since when, and what that may have cost.
//
// Witnesses and region nodes ask them as services, an operator moves primaries; players never do. The
// map that they answer with is also what nodes are told when it changes.
import type { NodeId } from '../base/id.ts';
import type { Shape } from './call-shape.ts';
import { boolean, distinct, integer, list, nothing, nullable, object, oneOf, type Schema } from './schema.ts';

/** The name under which a changed map is told to every region node. */
export const PLACEMENT_PUSH = 'placement';
export const PLACED_REGIONS_MAX = 64;
export const COPIES_MAX = 9;
export const WITNESSES_MAX = 64;
const BEATING_NODES_MAX = 256;
/** Appointments that are remembered of each region; older ones are told by the logs of the nodes. */
export const APPOINTMENTS_MAX = 8;
const COUNT_MAX: number = Number.MAX_SAFE_INTEGER;

/** A place in a region's log. */
export interface Position {
  readonly epoch: number;
  readonly sequence: number;
}

/** A region as its topology founds it; its first copy shall be its first primary. */
export interface FoundedRegion {
  readonly number: number;
  readonly copies: readonly NodeId[];
}

export interface Foundation {
  /** Grows with each change of the topology: how many nodes were ever replaced. */
  readonly version: number;
  readonly witnesses: readonly NodeId[];
  readonly regions: readonly FoundedRegion[];
}

export const opinionWords = ['trusted', 'suspected', 'failed'] as const;

export interface OpinionOf {
  readonly node: NodeId;
  /** The newest process of the node that the witness heard; 0 for none. */
  readonly incarnation: number;
  readonly opinion: (typeof opinionWords)[number];
}

/** All that one witness thinks at one moment. */
export interface Statement {
  readonly witness: NodeId;
  /** Of the statement: a later one has a higher number, across restarts too. */
  readonly number: number;
  readonly opinions: readonly OpinionOf[];
}

/** A copy's answer to a fence: from now on it refuses everything of lower epochs. */
export interface CopyPromise {
  readonly region: number;
  /** The epoch that is being fenced for. */
  readonly epoch: number;
  readonly node: NodeId;
  readonly last: Position;
  /** Its folder was empty or rebuilt: it can not vouch for what it once acknowledged. */
  readonly isBlank: boolean;
  /** The highest place that the copy ever heard to exist, on whatever copy. */
  readonly heard: Position;
}

/** What a copy had beyond the start of an epoch, and has set aside. */
export interface FoundTail {
  readonly region: number;
  /** The epoch to whose log the copy went over. */
  readonly epoch: number;
  readonly node: NodeId;
  readonly from: Position;
  readonly to: Position;
}

/** A primary found its folder empty, and was not appointed with an empty one. */
export interface Wiped {
  readonly region: number;
  /** The epoch that it was appointed for. */
  readonly epoch: number;
  readonly node: NodeId;
}

/** A primary has a log on its disk; it serves nobody before placement knows. */
export interface Begun {
  readonly region: number;
  /** The epoch that it is primary of. */
  readonly epoch: number;
  readonly node: NodeId;
}

export interface Move {
  readonly region: number;
  readonly to: NodeId;
  /** Appoints `to` though no majority of the copies has promised: whatever only others hold is lost. */
  readonly acceptLoss: boolean;
}

/** The acting primary hands its region over to the first of its copies. */
export interface Return {
  readonly region: number;
  /** The epoch that it is primary of. */
  readonly epoch: number;
  readonly node: NodeId;
}

/** The acting primary ends in order, and hands its region over to another copy. */
export interface Leave {
  readonly region: number;
  /** The epoch that it is primary of. */
  readonly epoch: number;
  readonly node: NodeId;
  readonly to: NodeId;
}

/** A majority of a region's copies hears each other and not its primary. */
export interface Desertion {
  readonly region: number;
  /** The epoch of the primary that they do not hear. */
  readonly epoch: number;
  /** One of them, which could be primary instead. */
  readonly node: NodeId;
}

/**
 * `moved` and `forced` are an operator's; `returned` to the first copy, which is a region's home; `left` by a
 * primary that ended in order; `deserted`: witnesses heard the primary, and a majority of the copies did not.
 */
export const appointmentCauses = [
  'founded',
  'failed',
  'moved',
  'forced',
  'returned',
  'left',
  'deserted',
] as const;

export interface Appointment {
  readonly epoch: number;
  readonly primary: NodeId;
  readonly former: NodeId;
  readonly cause: (typeof appointmentCauses)[number];
  readonly atMs: number;
  /** The last place of the log that the new primary goes on from. */
  readonly start: Position;
  /** Entries of the former primary that were heard of and that the new one does not hold; 0: none. */
  readonly mayLose: number;
  /** What returning copies did have beyond the start. */
  readonly lost: readonly LostTail[];
}

export interface LostTail {
  readonly node: NodeId;
  readonly from: Position;
  readonly to: Position;
}

/** A region and its standing appointment. */
export interface Standing {
  readonly number: number;
  readonly copies: readonly NodeId[];
  readonly epoch: number;
  readonly primary: NodeId;
  /** Where the epoch began. */
  readonly start: Position;
  /** Its log held something once: where all copies are blank, it is lost, and not yet to be begun. */
  readonly isBegun: boolean;
  /** Oldest first, the standing one last. */
  readonly appointments: readonly Appointment[];
}

export interface PlacedRegion extends Standing {
  /** What copies are asked to promise while a new primary is sought. */
  readonly fence: Fence | null;
}

export interface Fence {
  readonly epoch: number;
  readonly cause: Appointment['cause'];
  /** Whom an operator wants; `null` when the freshest copy shall be primary. */
  readonly to: NodeId | null;
  readonly promised: readonly NodeId[];
}

/** A fence as `placement` itself remembers it. */
export interface Search extends Omit<Fence, 'promised'> {
  readonly sinceMs: number;
  /** One of each copy that answered. */
  readonly promises: readonly CopyPromise[];
}

export interface SoughtRegion extends Standing {
  readonly search: Search | null;
}

export interface PlacementState extends Omit<Foundation, 'regions'> {
  readonly statements: readonly Statement[];
  readonly regions: readonly SoughtRegion[];
}

/** What the witnesses together think of a node's newest process. */
export interface NodeStanding {
  readonly node: NodeId;
  readonly incarnation: number;
  /** How many witnesses doubt it, those that call it failed included. */
  readonly suspectedBy: number;
  readonly failedBy: number;
}

export interface PlacementMap {
  readonly witnesses: readonly NodeId[];
  readonly nodes: readonly NodeStanding[];
  readonly regions: readonly PlacedRegion[];
}

const count = integer(0, COUNT_MAX);
const node = integer(1, 65_535) as Schema<NodeId>;
const number = integer(1, 1_000);
const nodes = (max: number): Schema<readonly NodeId[]> => distinct(list(node, max));
const cause = oneOf(appointmentCauses);
const opinion = oneOf(opinionWords);
const position: Schema<Position> = object({ epoch: count, sequence: count });
const foundation: Schema<Foundation> = object({
  version: count,
  witnesses: nodes(WITNESSES_MAX),
  regions: list(object({ number, copies: nodes(COPIES_MAX) }), PLACED_REGIONS_MAX),
});
const statement: Schema<Statement> = object({
  witness: node,
  number: count,
  opinions: list(object({ node, incarnation: count, opinion }), BEATING_NODES_MAX),
});
const copyPromise: Schema<CopyPromise> = object({
  region: number,
  epoch: count,
  node,
  last: position,
  isBlank: boolean(),
  heard: position,
});
const tail: Schema<LostTail> = object({ node, from: position, to: position });
const standing = {
  number,
  copies: nodes(COPIES_MAX),
  epoch: count,
  primary: node,
  start: position,
  isBegun: boolean(),
  appointments: list(
    object({
      epoch: count,
      primary: node,
      former: node,
      cause,
      atMs: count,
      start: position,
      mayLose: count,
      lost: list(tail, COPIES_MAX),
    }),
    APPOINTMENTS_MAX,
  ),
};
const placedRegion: Schema<PlacedRegion> = object({
  ...standing,
  fence: nullable(object({ epoch: count, cause, to: nullable(node), promised: nodes(COPIES_MAX) })),
});
/** The whole of what `placement` remembers, in its snapshot. */
export const placementState: Schema<PlacementState> = object({
  version: count,
  witnesses: nodes(WITNESSES_MAX),
  statements: list(statement, WITNESSES_MAX),
  regions: list(
    object({
      ...standing,
      search: nullable(
        object({
          epoch: count,
          cause,
          to: nullable(node),
          sinceMs: count,
          promises: list(copyPromise, COPIES_MAX),
        }),
      ),
    }),
    PLACED_REGIONS_MAX,
  ),
});
/** What is told under `PLACEMENT_PUSH`: the regions that changed. */
export const placedRegions: Schema<readonly PlacedRegion[]> = list(placedRegion, PLACED_REGIONS_MAX);
const placementMap: Schema<PlacementMap> = object({
  witnesses: nodes(WITNESSES_MAX),
  nodes: list(
    object({ node, incarnation: count, suspectedBy: count, failedBy: count }),
    BEATING_NODES_MAX,
  ),
  regions: placedRegions,
});

/** Makes regions known that are not yet, and exchanges replaced nodes; else it changes nothing. */
export const foundRegions: Shape<Foundation, null, never> = {
  args: foundation,
  value: nothing,
  refusals: [],
};
/** `latest` is the highest number of a statement by this witness: the next must be above it. */
export const observe: Shape<Statement, { readonly latest: number }, 'no-such-witness'> = {
  args: statement,
  value: object({ latest: count }),
  refusals: ['no-such-witness'],
};
export const promiseEpoch: Shape<
  CopyPromise,
  null,
  'no-such-region' | 'not-a-copy' | 'not-being-fenced'
> = {
  args: copyPromise,
  value: nothing,
  refusals: ['no-such-region', 'not-a-copy', 'not-being-fenced'],
};
export const reportWiped: Shape<Wiped, null, 'no-such-region' | 'not-primary'> = {
  args: object({ region: number, epoch: count, node }),
  value: nothing,
  refusals: ['no-such-region', 'not-primary'],
};
export const reportBegun: Shape<Begun, null, 'no-such-region' | 'not-primary'> = {
  args: object({ region: number, epoch: count, node }),
  value: nothing,
  refusals: ['no-such-region', 'not-primary'],
};
export const reportTail: Shape<FoundTail, null, 'no-such-region' | 'no-such-epoch'> = {
  args: object({ region: number, epoch: count, node, from: position, to: position }),
  value: nothing,
  refusals: ['no-such-region', 'no-such-epoch'],
};
export const movePrimary: Shape<
  Move,
  { readonly epoch: number },
  'no-such-region' | 'not-a-copy' | 'is-primary' | 'has-failed' | 'being-fenced' | 'majority-lives'
> = {
  args: object({ region: number, to: node, acceptLoss: boolean() }),
  value: object({ epoch: count }),
  refusals: [
    'no-such-region',
    'not-a-copy',
    'is-primary',
    'has-failed',
    'being-fenced',
    'majority-lives',
  ],
};
export const returnHome: Shape<
  Return,
  { readonly epoch: number },
  'no-such-region' | 'not-primary' | 'is-primary' | 'has-failed' | 'being-fenced'
> = {
  args: object({ region: number, epoch: count, node }),
  value: object({ epoch: count }),
  refusals: ['no-such-region', 'not-primary', 'is-primary', 'has-failed', 'being-fenced'],
};
export const leaveRegion: Shape<
  Leave,
  { readonly epoch: number },
  'no-such-region' | 'not-primary' | 'not-a-copy' | 'is-primary' | 'has-failed' | 'being-fenced'
> = {
  args: object({ region: number, epoch: count, node, to: node }),
  value: object({ epoch: count }),
  refusals: ['no-such-region', 'not-primary', 'not-a-copy', 'is-primary', 'has-failed', 'being-fenced'],
};
export const reportDesertion: Shape<
  Desertion,
  { readonly epoch: number },
  'no-such-region' | 'not-primary' | 'not-a-copy' | 'is-primary' | 'has-failed' | 'being-fenced'
> = {
  args: object({ region: number, epoch: count, node }),
  value: object({ epoch: count }),
  refusals: ['no-such-region', 'not-primary', 'not-a-copy', 'is-primary', 'has-failed', 'being-fenced'],
};
export const readMap: Shape<null, PlacementMap, never> = {
  args: nothing,
  value: placementMap,
  refusals: [],
};
