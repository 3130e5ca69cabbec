// The calls of features that players may ask, as a client has to know them.
//
// A studio's game hands them to `connect` of `bluemarble/client`, directly or as JSON that was written down.
import type { OwnCalls } from '../wire/own-calls.ts';
import type { Feature } from './feature.ts';

/** By name, `feature.call`, in the order of the features. */
export function playerCalls(features: readonly Feature[]): OwnCalls {
  const calls = features.flatMap(({ name: of, promise, commands, queries }) => {
    const isRegional = promise === 'regional';
    return [
      ...asked(commands).map((name) => [`${of}.${name}`, { kind: 'command', isRegional }] as const),
      ...asked(queries).map((name) => [`${of}.${name}`, { kind: 'query', isRegional }] as const),
    ];
  });
  return Object.fromEntries(calls);
}

function asked(calls: Feature['commands'] | Feature['queries']): readonly string[] {
  return Object.entries(calls).filter(([, { by }]) => by === 'player').map(([name]) => name);
}
