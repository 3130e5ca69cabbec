// Faults planted in regions: who may be primary, and what is answered, told and read.
//
// `all.ts` lists them.
import type { PlantedFault } from './fault.ts';

export const inFencing: readonly PlantedFault[] = [
  {
    name: 'desertion-untold',
    what: 'copies that hear each other and not their primary leave it at that',
    changes: [
      {
        file: 'services/placement/desertions.ts',
        from: `if (!isDeserted || `,
        to: `if (!isDeserted || epoch > 0 || `,
      },
    ],
  },
  {
    name: 'deserted-stands-again',
    what: 'a deserted primary is appointed again for what it alone holds',
    changes: [
      {
        file: 'world/placement/succession.ts',
        from: `const counted = cause === 'deserted' && isMajority ? others : sound;`,
        to: `const counted = sound;`,
      },
    ],
  },
  {
    name: 'stale-primary-followed',
    what: 'a copy that has promised a later epoch still takes what the primary of an older one sends',
    changes: [
      {
        file: 'protocols/primary/fencing.ts',
        from: `    s.sendDurable(from, { kind: 'refused', epoch: s.promised });
    return false;`,
        to: `    return true;`,
      },
    ],
  },
  {
    name: 'promise-not-persisted',
    what: 'a copy promises an epoch and does not write that down',
    changes: [
      {
        file: 'protocols/primary/copy.ts',
        from: `    ...(promisedChanged ? { promised: s.promised } : {}),`,
        to: `    ...(promisedChanged && changed ? { promised: s.promised } : {}),`,
      },
    ],
  },
  {
    name: 'promise-told-too-early',
    what: 'placement is told of a promise before the disk has it',
    changes: [
      {
        file: 'runtime/replica-set.ts',
        from: `    const { promises, sendAfterWrite: envelopes } = effects;`,
        to: `    const { sendAfterWrite: envelopes } = effects;
    const promises: typeof effects.promises = [];
    for (const { ticket, promised } of effects.promises) this.#promises.get(ticket)?.(promised);`,
      },
    ],
  },
  {
    name: 'laggard-promoted',
    what: 'the copy with the shortest log is appointed',
    changes: [
      {
        file: 'world/placement/succession.ts',
        from: `  if (order !== 0) return order > 0;`,
        to: `  if (order !== 0) return order < 0;`,
      },
    ],
  },
  {
    name: 'minority-promoted',
    what: 'the first copy that promises is appointed',
    changes: [
      {
        file: 'world/placement/succession.ts',
        from: `  if (sound.length < majority(copies.length)) return undefined;`,
        to: `  if (sound.length === 0) return undefined;`,
      },
    ],
  },
  {
    name: 'lost-disk-counted',
    what: 'a copy that lost its folder says that it has lost nothing',
    changes: [
      {
        file: 'runtime/copy-journal.ts',
        from: `      isBlank: isNew || (recovered.healUntil ?? 0) > 0,`,
        to: `      isBlank: isNew && recovered.healUntil === 1,`,
      },
    ],
  },
  {
    name: 'region-lease-ignored',
    what: 'a primary serves until it is told that it is none any more',
    changes: [
      {
        file: 'protocols/primary/state.ts',
        from: `this.leaseEpoch === this.promised && this.nowMs < this.leaseUntilMs;`,
        to: `this.leaseEpoch === this.promised;`,
      },
    ],
  },
  {
    name: 'region-lease-outlasts-witnesses',
    what: 'a lease lasts longer than witnesses are patient',
    changes: [
      {
        file: 'protocols/liveness/lease.ts',
        from: `export const LEASE_MS = 2_500;`,
        to: `export const LEASE_MS = 8_000;`,
      },
    ],
  },
  {
    name: 'blank-copy-promoted',
    what: 'a copy that has lost its log counts among those that promised',
    changes: [
      {
        file: 'world/placement/succession.ts',
        from: `present.filter(({ node, isBlank }) => (mayBeBlank || !isBlank) && !hasFailed(node));`,
        to: `present.filter(({ node }) => !hasFailed(node));`,
      },
      {
        file: 'world/placement/succession.ts',
        from: `  if (one.isBlank !== other.isBlank) return other.isBlank;
`,
        to: ``,
      },
    ],
  },
  {
    name: 'served-before-opening',
    what: 'a new primary answers before anything of its own epoch is applied',
    changes: [
      {
        file: 'protocols/primary/serving.ts',
        from: `  return s.applied >= s.start && s.log.epochAt(s.applied) === s.promised ? 'serve' : 'wait';`,
        to: `  return s.applied >= s.start ? 'serve' : 'wait';`,
      },
    ],
  },
];

export const inService: readonly PlantedFault[] = [
  {
    name: 'level-ignored',
    what: 'every command is answered as soon as the primary has it',
    changes: [
      {
        file: 'runtime/replica-set.ts',
        from: `    this.#proposals.settle((level) => this.#copy.reached(level));`,
        to: `    this.#proposals.settle(() => this.#copy.reached('one'));`,
      },
    ],
  },
  {
    name: 'all-is-a-majority',
    what: 'what is to be on all copies is answered when it is on most',
    changes: [
      {
        file: 'protocols/primary/copy.ts',
        from: `Math.min(s.everywhere, s.committed)`,
        to: `s.committed`,
      },
    ],
  },
  {
    name: 'told-before-commit',
    what: 'players are told of what only the primary has',
    changes: [
      {
        file: 'runtime/replica-set.ts',
        from: `    this.#notices.tell(this.#copy.reached('quorum'), this.#options.onNotices);`,
        to: `    this.#notices.tell(this.#copy.reached('one'), this.#options.onNotices);`,
      },
    ],
  },
  {
    name: 'age-not-asked',
    what: 'a replica serves any read that may be old, however old it is',
    changes: [
      {
        file: 'protocols/primary/serving.ts',
        from: `s.reads.freshMs >= sinceMs ? 'serve' : 'wait'`,
        to: `s.reads.freshMs >= sinceMs || s.nowMs > 0 ? 'serve' : 'wait'`,
      },
    ],
  },
  {
    name: 'age-before-applied',
    what: 'a replica counts as new what it has heard of and not applied',
    changes: [
      {
        file: 'protocols/primary/reads.ts',
        from: `    while (echo !== undefined && echo.sequence <= sequence) {`,
        to: `    while (echo !== undefined && echo.sequence - sequence < 1_000) {`,
      },
    ],
  },
  {
    name: 'own-write-not-awaited',
    what: 'a replica serves a session before it has what the session has seen',
    changes: [
      {
        file: 'protocols/primary/serving.ts',
        from: `  return bound.epoch > s.promised ? 'move' : 'wait';`,
        to: `  return bound.epoch > s.promised ? 'move' : 'serve';`,
      },
    ],
  },
  {
    name: 'handed-on-twice',
    what: 'an ask that was handed on is handed on again',
    changes: [
      {
        file: 'services/calls/forwarding.ts',
        from: `    if (ask.isForwarded === true || this.#open.size >= FORWARDED_MAX) return false;`,
        to: `    if (this.#open.size >= FORWARDED_MAX) return false;`,
      },
    ],
  },
  {
    name: 'cursor-not-stored',
    what: 'a checkpoint does not say which events were taken',
    changes: [
      {
        file: 'world/events.ts',
        from: `  writer.varint(cursors.size);
  for (const [origin, upTo] of cursors) writer.varint(origin).varint(upTo);`,
        to: `  writer.varint(cursors.size * 0);`,
      },
    ],
  },
  {
    name: 'event-sent-before-commit',
    what: 'an event leaves before a majority has the entry that emitted it',
    changes: [
      {
        file: 'services/region-copies.ts',
        from: `role === 'primary' && isServing ? committed : undefined;`,
        to: `role === 'primary' && isServing && committed > 0 ? set.status().applied : undefined;`,
      },
    ],
  },
];
