// What simulated players do in regions: they talk, gather, craft and look, at every level and bound.
//
// `client.ts` asks for one now and then. Few things are made and much is said, so that the promises of a
// region's log meet each other often.
import type { Random } from '../../base/random.ts';
import type { AckLevel } from '../../wire/levels.ts';

export interface RegionalDeed {
  /** `feature.call`. */
  readonly call: string;
  readonly args: unknown;
  /** `undefined`: what the feature declares. */
  readonly ack: AckLevel | undefined;
  /** `undefined`: as new as the session has seen. */
  readonly msOld: number | undefined;
}

/** How a call of a region is asked. */
export type Levels = Pick<RegionalDeed, 'ack' | 'msOld'>;

const TEXTS: readonly string[] = ['Hail', 'Who trades here?', 'North', 'Well met', 'Beware'];
const MATERIALS: readonly string[] = ['wood', 'stone', 'fibre', 'gold'];
const RECIPES: readonly string[] = ['plank', 'brick', 'cord', 'castle'];
const AGES_MS: readonly number[] = [0, 50, 300, 1_000, 5_000];
/** Jobs are numbered by the log: one of the newest is often a player's own. */
const JOBS_MAX = 200;

export function drawRegionalDeed(random: Random): RegionalDeed {
  const dice = random.integer(0, 99);
  const { ack, msOld } = drawLevels(random);
  const level = { ack, msOld: undefined };
  const bound = { ack: undefined, msOld };
  const channel = random.chance(2, 3) ? 'region' : 'world';
  if (dice < 30) return { call: 'chat.say', args: { channel, text: pick(random, TEXTS) }, ...level };
  if (dice < 55) return { call: 'chat.history', args: { channel }, ...bound };
  if (dice < 72) return { call: 'crafting.gather', args: { material: pick(random, MATERIALS) }, ...level };
  if (dice < 80) {
    const args = { recipe: pick(random, RECIPES), item: null };
    return { call: 'crafting.start', args, ...level };
  }
  if (dice < 86) return { call: 'crafting.collect', args: { job: random.integer(1, JOBS_MAX) }, ...level };
  return { call: 'crafting.mine', args: null, ...bound };
}

/** A level for a command and a bound for a query. */
export function drawLevels(random: Random): Levels {
  const acks = [undefined, undefined, undefined, 'one', 'one', 'quorum', 'all'] as const;
  const ack = acks[random.integer(0, acks.length - 1)];
  const msOld = random.chance(1, 2) ? random.pick(AGES_MS) : undefined;
  return { ack, msOld };
}

function pick(random: Random, from: readonly string[]): string {
  return random.pick(from) ?? '';
}
