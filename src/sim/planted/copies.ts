// Faults planted in the copies of regions: the stream from the primary, and what each keeps on its disk.
//
// `all.ts` lists them.
import type { PlantedFault } from './fault.ts';

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
        to: `    if (this.#loop.isStopped) for (const lost of effects.lost) this.#lost(lost);`,
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
  {
    name: 'older-epoch-committed-by-count',
    what: 'entries of earlier epochs are committed by counting copies',
    changes: [
      {
        file: 'protocols/primary/primary.ts',
        from: `majority > s.committed && s.log.epochAt(majority) === s.promised`,
        to: `majority > s.committed`,
      },
    ],
  },
];

export const inCopies: readonly PlantedFault[] = [
  {
    name: 'received-state-not-awaited',
    what: 'a received state is acknowledged before it is on disk',
    changes: [
      {
        file: 'protocols/primary/transfer.ts',
        from: `  s.outbox.install = { mark, parts: incoming.parts };`,
        to: `  s.outbox.install = { mark, parts: incoming.parts };
  reply(s, { to: from, mark, nextPart: Number.MAX_SAFE_INTEGER });`,
      },
    ],
  },
  {
    name: 'received-state-not-stored',
    what: 'the log begins anew at a received state that is not on disk yet',
    changes: [
      {
        file: 'runtime/checkpoint-walk.ts',
        from: `    draft.publishSoon(() => o.guarded(() => takeOver(o, bytes)));`,
        to: `    const first = { ...o, installed: (state: Parameters<typeof o.installed>[0]) => {
      o.installed(state);
      draft.publishSoon(() => undefined);
    } };
    takeOver(first, bytes);`,
      },
    ],
  },
  {
    name: 'torn-copy-checkpoint-restored',
    what: 'a copy restores a checkpoint that is damaged',
    changes: [
      {
        file: 'runtime/checkpoints.ts',
        from: `  if (crc32c(bytes, 0, end) !== new ByteReader(bytes, end).u32()) return`,
        to: `  if (crc32c(bytes, 0, end) < 0) return`,
      },
    ],
  },
  {
    name: 'copy-checkpoint-misplaced',
    what: 'a checkpoint of a copy says that it holds one entry less than it does',
    changes: [
      {
        file: 'runtime/copy-machine.ts',
        from: `    const mark: Mark = { ...this.#position, timeMs`,
        to: `    const held = Math.max(1, sequence - 1);
    const mark: Mark = { ...this.#position, sequence: held, timeMs`,
      },
    ],
  },
];
