// Placement: which copy of each region is its primary, decided once for the whole world.
//
// Witnesses state what they think of nodes, copies promise epochs and report what they set aside, an
// operator moves primaries. Promise: linearizable, since two primaries of one epoch have no merge. A
// statement is an opinion; that a majority of the witnesses have the same one is what makes a search
// begin, and a search ends by the promises of the copies (`../placement/succession.ts`).
// Everything may come late, twice or out of order: numbers and epochs tell what still counts.
// Source: seed, Part III.1 (automatic failover), with a decision where the seed has an observation.
import { type Decision, done, rejected } from '../../base/errors.ts';
import { type NodeId, playerId } from '../../base/id.ts';
import { majority } from '../../base/quorum.ts';
import {
  type Begun,
  COPIES_MAX,
  type CopyPromise,
  type Desertion,
  foundRegions,
  type Foundation,
  type FoundedRegion,
  type FoundTail,
  type Leave,
  leaveRegion,
  type Move,
  movePrimary,
  observe,
  PLACEMENT_PUSH,
  promiseEpoch,
  readMap,
  reportBegun,
  reportDesertion,
  reportTail,
  reportWiped,
  type Return,
  returnHome,
  type SoughtRegion,
  type Statement,
  type Wiped,
} from '../../wire/placement.ts';
import { command, type CommandContext, type Feature, query } from '../feature.ts';
import { placedRegion, Placement } from '../placement/state.ts';
import { promised, search, succeeded } from '../placement/succession.ts';

/** Notices to no player are for the nodes themselves. */
const NODES = playerId(0);
const NOWHERE = { epoch: 0, sequence: 0 } as const;

export const placement: Feature<Placement> = {
  name: 'placement',
  promise: 'linearizable',
  version: 2,
  needs: [],
  commands: {
    found: command('service', foundRegions, applyFound),
    observe: command('service', observe, applyObserve),
    promise: command('service', promiseEpoch, applyPromise),
    begun: command('service', reportBegun, applyBegun),
    wiped: command('service', reportWiped, applyWiped),
    lost: command('service', reportTail, applyLost),
    move: command('operator', movePrimary, applyMove),
    return: command('service', returnHome, applyReturn),
    leave: command('service', leaveRegion, applyLeave),
    deserted: command('service', reportDesertion, applyDeserted),
  },
  queries: {
    map: query('service', readMap, (state: Placement) => done(state.map())),
  },
  create: () => new Placement(),
  advance() {},
  save: (state, writer) => state.save(writer),
  *load(reader) {
    return Placement.load(reader);
  },
};

/** A topology that is older than the one known changes nothing: its nodes start again soon. */
function applyFound(
  state: Placement,
  { version, witnesses, regions }: Foundation,
  context: CommandContext,
): Decision<null, never> {
  const isFirst = state.witnesses.length === 0;
  const isNewer = isFirst || version > state.version;
  if (isNewer) {
    state.version = version;
    state.setWitnesses(witnesses);
  }
  for (const founded of regions) {
    const known = state.regions.get(founded.number);
    if (known === undefined) addRegion(state, founded, context);
    else if (isNewer) state.regions.set(known.number, { ...known, copies: founded.copies });
  }
  settle(state, context);
  return done(null);
}

/**
 * Nobody serves in the first epoch: its first copy is sought as primary of the second. So a copy that
 * is empty later has lost its disk for certain, and never begins a second log under an old epoch.
 */
function addRegion(
  state: Placement,
  { number, copies }: FoundedRegion,
  { nowMs }: CommandContext,
): void {
  const [primary] = copies;
  if (primary === undefined) return;
  const nothing = { start: NOWHERE, isBegun: false, appointments: [] };
  const none = { number, copies, epoch: 1, primary, search: null, ...nothing };
  state.regions.set(number, search(none, { cause: 'founded', to: primary }, nowMs));
}

function applyObserve(
  state: Placement,
  statement: Statement,
  context: CommandContext,
): Decision<{ readonly latest: number }, 'no-such-witness'> {
  if (!state.witnesses.includes(statement.witness)) return rejected('no-such-witness');
  const latest = state.hear(statement);
  settle(state, context);
  return done({ latest });
}

function applyPromise(
  state: Placement,
  promise: CopyPromise,
  context: CommandContext,
): Decision<null, 'no-such-region' | 'not-a-copy' | 'not-being-fenced'> {
  const region = state.regions.get(promise.region);
  if (region === undefined) return rejected('no-such-region');
  if (!region.copies.includes(promise.node)) return rejected('not-a-copy');
  if (region.search?.epoch !== promise.epoch) return rejected('not-being-fenced');
  change(state, promised(region, promise), context);
  settle(state, context);
  return done(null);
}

/** From now on an empty log is a loss, and begun anew at an operator's word only. */
function applyBegun(
  state: Placement,
  { region: number, epoch, node }: Begun,
  context: CommandContext,
): Decision<null, 'no-such-region' | 'not-primary'> {
  const region = state.regions.get(number);
  if (region === undefined) return rejected('no-such-region');
  if (region.primary !== node || region.epoch !== epoch) return rejected('not-primary');
  if (!region.isBegun) change(state, { ...region, isBegun: true }, context);
  return done(null);
}

/** The primary's disk was lost under it: whatever it acknowledged is with the other copies. */
function applyWiped(
  state: Placement,
  { region: number, epoch, node }: Wiped,
  context: CommandContext,
): Decision<null, 'no-such-region' | 'not-primary'> {
  const region = state.regions.get(number);
  if (region === undefined) return rejected('no-such-region');
  if (region.primary !== node || region.epoch !== epoch) return rejected('not-primary');
  if (region.search === null) {
    change(state, search(region, { cause: 'failed', to: null }, context.nowMs), context);
  }
  return done(null);
}

/** Repeats are the same report; the first one about a copy and an epoch stands. */
function applyLost(
  state: Placement,
  { region: number, epoch, node, from, to }: FoundTail,
  context: CommandContext,
): Decision<null, 'no-such-region' | 'no-such-epoch'> {
  const region = state.regions.get(number);
  if (region === undefined) return rejected('no-such-region');
  const appointment = region.appointments.find((each) => each.epoch === epoch);
  if (appointment === undefined) return rejected('no-such-epoch');
  if (appointment.lost.some((tail) => tail.node === node)) return done(null);
  if (!region.copies.includes(node) || appointment.lost.length >= COPIES_MAX) return done(null);
  const told = { ...appointment, lost: [...appointment.lost, { node, from, to }] };
  const appointments = region.appointments.map((each) => (each === appointment ? told : each));
  change(state, { ...region, appointments }, context);
  return done(null);
}

function applyMove(
  state: Placement,
  { region: number, to, acceptLoss }: Move,
  context: CommandContext,
): Decision<
  { readonly epoch: number },
  'no-such-region' | 'not-a-copy' | 'is-primary' | 'has-failed' | 'being-fenced' | 'majority-lives'
> {
  const region = state.regions.get(number);
  if (region === undefined) return rejected('no-such-region');
  const { copies, primary } = region;
  if (!copies.includes(to)) return rejected('not-a-copy');
  if (state.hasFailed(to)) return rejected('has-failed');
  if (acceptLoss) {
    const isBlank = (copy: NodeId): boolean =>
      region.search?.promises.some((promise) => promise.node === copy && promise.isBlank) === true;
    const living = copies.filter((copy) => !state.hasFailed(copy) && !isBlank(copy)).length;
    if (living >= majority(copies.length)) return rejected('majority-lives');
  } else {
    if (region.search !== null) return rejected('being-fenced');
    if (to === primary) return rejected('is-primary');
  }
  const cause = acceptLoss ? 'forced' : 'moved';
  return handOver(state, search(region, { cause, to }, context.nowMs), context);
}

/** One region at a time, and none while another one has no primary: who goes home can wait for calm. */
function applyReturn(
  state: Placement,
  { region: number, epoch, node }: Return,
  context: CommandContext,
): Decision<
  { readonly epoch: number },
  'no-such-region' | 'not-primary' | 'is-primary' | 'has-failed' | 'being-fenced'
> {
  const region = state.regions.get(number);
  if (region === undefined) return rejected('no-such-region');
  if (region.primary !== node || region.epoch !== epoch) return rejected('not-primary');
  const [home] = region.copies;
  if (home === undefined || home === node) return rejected('is-primary');
  if (state.hasFailed(home)) return rejected('has-failed');
  if ([...state.regions.values()].some((each) => each.search !== null)) return rejected('being-fenced');
  return handOver(state, search(region, { cause: 'returned', to: home }, context.nowMs), context);
}

/** Whoever ends in order can not wait for calm. */
function applyLeave(
  state: Placement,
  { region: number, epoch, node, to }: Leave,
  context: CommandContext,
): Succeeding {
  const region = state.regions.get(number);
  if (region === undefined) return rejected('no-such-region');
  if (region.primary !== node || region.epoch !== epoch) return rejected('not-primary');
  return succeedBy(state, region, { cause: 'left', to }, context);
}

/** The primary serves a minority: whoever of the others holds most goes on, since one of them can commit. */
function applyDeserted(
  state: Placement,
  { region: number, epoch, node: to }: Desertion,
  context: CommandContext,
): Succeeding {
  const region = state.regions.get(number);
  if (region === undefined) return rejected('no-such-region');
  if (region.epoch !== epoch) return rejected('not-primary');
  return succeedBy(state, region, { cause: 'deserted', to }, context);
}

type Succeeding = Decision<
  { readonly epoch: number },
  'no-such-region' | 'not-primary' | 'not-a-copy' | 'is-primary' | 'has-failed' | 'being-fenced'
>;

/** Seeks this copy as the successor, unless another one is being sought. */
function succeedBy(
  state: Placement,
  region: SoughtRegion,
  o: { readonly cause: 'left' | 'deserted'; readonly to: NodeId },
  context: CommandContext,
): Succeeding {
  if (!region.copies.includes(o.to)) return rejected('not-a-copy');
  if (region.primary === o.to) return rejected('is-primary');
  if (state.hasFailed(o.to)) return rejected('has-failed');
  if (region.search !== null) return rejected('being-fenced');
  return handOver(state, search(region, o, context.nowMs), context);
}

/** A search that was asked for begins; the epoch is that of who will be appointed. */
function handOver(
  state: Placement,
  sought: SoughtRegion,
  context: CommandContext,
): Decision<{ readonly epoch: number }, never> {
  change(state, sought, context);
  settle(state, context);
  return done({ epoch: sought.search?.epoch ?? sought.epoch });
}

/** Begins the searches that are due, and ends those that can be. */
function settle(state: Placement, context: CommandContext): void {
  const hasFailed = (node: SoughtRegion['primary']): boolean => state.hasFailed(node);
  for (const region of state.regions.values()) {
    const { copies, primary } = region;
    const isHeadless = hasFailed(primary) || !copies.includes(primary);
    const sought =
      region.search === null && isHeadless
        ? search(region, { cause: 'failed', to: null }, context.nowMs)
        : region;
    const next = succeeded(sought, hasFailed, context.nowMs) ?? sought;
    if (next !== region) change(state, next, context);
  }
}

function change(state: Placement, region: SoughtRegion, { tell }: CommandContext): void {
  state.regions.set(region.number, region);
  tell(NODES, PLACEMENT_PUSH, [placedRegion(region)]);
}
