// A world file of two sound features: one for the whole world, one for each region.
import type { DrawDeed } from '../../../src/world/deed.ts';
import type { Feature } from '../../../src/world/feature.ts';
import { type Purse, purse } from '../../support/purse-feature.ts';

const features: readonly Feature<Purse>[] = [
  purse(),
  purse({ name: 'jar', promise: 'regional', ack: 'one' }),
];
export default features;

export const drawDeed: DrawDeed = (random) => {
  const feature = random.pick(['purse', 'jar']);
  if (random.chance(1, 3)) return { call: `${feature}.look`, args: null };
  return { call: `${feature}.add`, args: { amount: random.integer(1, 9) } };
};
