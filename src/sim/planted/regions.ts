// Faults planted in regions: who may be primary, the stream to the replicas, what is lost, told and read.
//
// `all.ts` lists them.
import type { PlantedFault } from './fault.ts';

export const inFencing: readonly PlantedFault[] = [
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
        from: `  if (counted.length < majority(copies.length)) return undefined;`,
        to: `  if (counted.length === 0) return undefined;`,
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
];

export const inStream: readonly PlantedFault[] = [
  {
    name: 'region-gap-accepted',
    what: 'a replica takes entries without asking what comes before them',
    changes: [
      {
        file: 'protocols/primary/replica.ts',
        from: `  if (s.needsState || !s.log.holds(previous)) {`,
        to: `  if (s.needsState) {`,
      },
    ],
  },
  {
    name: 'applied-tail-cut',
    what: 'a replica cuts off what contradicts its primary, and keeps the state that it led to',
    changes: [
      {
        file: 'protocols/primary/replica.ts',
        from: `  if (conflict !== undefined && conflict.sequence <= s.applied) {`,
        to: `  if (conflict !== undefined && s.applied < 0) {`,
      },
    ],
  },
  {
    name: 'lost-tail-forgotten',
    what: 'what a log loses is not set aside',
    changes: [
      {
        file: 'runtime/replica-set.ts',
        from: `    for (const lost of effects.lost) this.#lost(lost);`,
        to: `    if (this.#stopped) for (const lost of effects.lost) this.#lost(lost);`,
      },
    ],
  },
  {
    name: 'replica-answers-too-early',
    what: 'a replica says that it holds entries before its disk does',
    changes: [
      {
        file: 'protocols/primary/replica.ts',
        from: `  const mayLeave = isDurable || !hasEntries;`,
        to: `  const mayLeave = isDurable || verified >= 0;`,
      },
    ],
  },
  {
    name: 'primary-sends-too-early',
    what: 'entries leave before the primary has them on its own disk',
    changes: [
      {
        file: 'protocols/primary/primary.ts',
        from: `progress.next <= s.durability.index) sendEntries(s, node, progress);`,
        to: `progress.next <= s.log.last) sendEntries(s, node, progress);`,
      },
      {
        file: 'protocols/primary/primary.ts',
        from: `  const entries = s.log.read(progress.next, s.durability.index, limits);`,
        to: `  const entries = s.log.read(progress.next, s.log.last, limits);`,
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
        file: 'services/forwarding.ts',
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
];
