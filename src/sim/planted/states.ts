// Faults planted in how members compare what they have become.
//
// `all.ts` lists them.
import type { PlantedFault } from './fault.ts';

export const inStates: readonly PlantedFault[] = [
  {
    name: 'state-hashes-not-compared',
    what: 'a leader hears the hashes of the states, and does not compare them',
    changes: [
      {
        file: 'protocols/raft/replication.ts',
        from: `  compare(s, s.stateHashes, from, stateHash);
`,
        to: ``,
      },
    ],
  },
  {
    name: 'states-hashed-apart',
    what: 'each member hashes its state at places of its own',
    changes: [
      {
        file: 'runtime/raft-machine.ts',
        from: `    if (isHashPlace(index, this.#stateBytes, this.#o.limits)) this.#hashState(index);`,
        to: `    const place = index + this.#o.self;
    if (isHashPlace(place, this.#stateBytes, this.#o.limits)) this.#hashState(index);`,
      },
    ],
  },
  {
    name: 'diverged-goes-on',
    what: 'a member that is told that it has become something else goes on',
    changes: [
      {
        file: 'runtime/raft-group.ts',
        from: `    if (effects.divergedAt !== undefined) throw diverged(this.name, effects.divergedAt);
`,
        to: ``,
      },
    ],
  },
];
