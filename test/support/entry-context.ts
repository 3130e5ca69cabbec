// What a feature's call is handed besides its arguments, for tests that call one without a log.
import type { EntryContext, Surroundings } from '../../src/world/feature.ts';

export const NOWHERE: Surroundings = {
  number: 0,
  name: 'alone',
  otherRegions: [],
  homeOf: () => undefined,
};

export function entryContext(order: number = 1, nowMs: number = 0): EntryContext {
  return {
    order,
    nowMs,
    here: NOWHERE,
    tell: () => {},
    tellRegion: () => {},
    emit: () => false,
  };
}
