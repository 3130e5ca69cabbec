// The calls of features that players may ask, as a client has to know them.
//
// A studio's game hands them to `connect` of `bluemarble/client`, directly or as JSON that was written down.
import type { OwnCalls } from '../wire/own-calls.ts';
import type { Feature } from './feature.ts';
import { namedCalls } from './named-calls.ts';

/** By name, `feature.call`, in the order of the features. */
export function playerCalls(features: readonly Feature[]): OwnCalls {
  const asked = namedCalls(features).filter(({ by }) => by === 'player');
  return Object.fromEntries(
    asked.map(({ name, mode, feature }) => {
      return [name, { kind: mode, isRegional: feature.promise === 'regional' }];
    }),
  );
}
