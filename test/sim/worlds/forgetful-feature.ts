// A feature with a fault that only replicas show: it counts in the process instead of in its state.
import { done } from '../../../src/base/errors.ts';
import { integer, nothing } from '../../../src/wire/schema.ts';
import { command, type Feature } from '../../../src/world/feature.ts';
import type { Deed } from '../../../src/world/deed.ts';

let counted = 0;

const counter: Feature<null> = {
  name: 'counter',
  promise: 'linearizable',
  version: 1,
  needs: [],
  commands: {
    count: command(
      'player',
      { args: nothing, value: integer(0, Number.MAX_SAFE_INTEGER), refusals: [] },
      () => done((counted += 1)),
    ),
  },
  queries: {},
  create: () => null,
  advance: () => {},
  save: () => {},
  *load() {
    return null;
  },
};

const features: readonly Feature[] = [counter];
export default features;

export function drawDeed(): Deed {
  return { call: 'counter.count', args: null };
}
