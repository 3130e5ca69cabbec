// A world file of a feature that leaves a part of its state out when it is saved.
import type { DrawDeed } from '../../../src/world/deed.ts';
import type { Feature } from '../../../src/world/feature.ts';
import { type Purse, purse } from '../../support/purse-feature.ts';

const features: readonly Feature<Purse>[] = [purse({ forgets: true })];
export default features;

export const drawDeed: DrawDeed = (random) => ({ call: 'purse.add', args: { amount: random.integer(1, 9) } });
