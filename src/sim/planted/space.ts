// Faults planted in hand-over: who has a player while he walks from region to region, and who sees him.
//
// `all.ts` lists them.
import type { PlantedFault } from './fault.ts';

export const inHandOver: readonly PlantedFault[] = [
  {
    name: 'let-go-too-early',
    what: 'who walks over an edge is let go before the next region has him',
    changes: [
      {
        file: 'world/space/presence.ts',
        from: `    this.#ask({ footing, isAsked: false, beganAtMs: nowMs }, nowMs);
    return this.#take();`,
        to: `    this.#ask({ footing, isAsked: false, beganAtMs: nowMs }, nowMs);
    this.#effects.push({ kind: 'leave', ...from });
    return this.#take();`,
      },
    ],
  },
  {
    name: 'both-keep',
    what: 'the region that he has left is not told to let go',
    changes: [
      {
        file: 'world/space/presence.ts',
        from: `    if (behind !== undefined) this.#effects.push({ kind: 'leave', ...behind });`,
        to: `    if (behind === entry) this.#effects.push({ kind: 'leave', ...behind });`,
      },
    ],
  },
  {
    name: 'lower-epoch-taken',
    what: 'a region that has him takes him again under a lower epoch',
    changes: [
      {
        file: 'world/space/residents.ts',
        from: `    if (epoch < this.#newest(player) || epoch <= this.#lastEnded(player)) return`,
        to: `    if (epoch <= this.#lastEnded(player)) return`,
      },
    ],
  },
  {
    name: 'late-take-accepted',
    what: 'the beginning of a stay is obeyed after its end',
    changes: [
      {
        file: 'world/space/residents.ts',
        from: `    if (epoch < this.#newest(player) || epoch <= this.#lastEnded(player)) return`,
        to: `    if (epoch < this.#newest(player)) return`,
      },
    ],
  },
  {
    name: 'late-leave-obeyed',
    what: 'the end of an earlier stay ends the one that goes on',
    changes: [
      {
        file: 'world/space/residents.ts',
        from: `    if (epoch < this.#newest(player)) return;`,
        to: `    if (epoch <= 0) return;`,
      },
    ],
  },
  {
    name: 'late-update-taken',
    what: 'a region takes what was reported to it under an earlier epoch',
    changes: [
      {
        file: 'world/space/residents.ts',
        from: `    if (here?.epoch !== epoch || here.gateway !== gateway) return this.#unknown(message);
    const motion`,
        to: `    if (here?.gateway !== gateway) return this.#unknown(message);
    const motion`,
      },
    ],
  },
  {
    name: 'epoch-entered-twice',
    what: 'a new primary is asked under the epoch under which the old one was',
    changes: [
      {
        file: 'world/space/presence.ts',
        from: `    if (entry === undefined || entering === region) this.#again(entry, nowMs);`,
        to: `    if (entry === undefined) this.#again(entry, nowMs);`,
      },
    ],
  },
  {
    name: 'crash-forgets-him',
    what: 'a region that has forgotten him is not asked to take him again',
    changes: [
      {
        file: 'world/space/presence.ts',
        from: `    if (!isEntry && !isSame(this.#stay, from)) return { isSuperseded: false, effects: [] };`,
        to: `    if (!isEntry) return { isSuperseded: false, effects: [] };`,
      },
    ],
  },
  {
    name: 'unnamed-kept',
    what: 'whom no gateway names any more stays in the region for ever',
    changes: [
      {
        file: 'world/space/residents.ts',
        from: `      if (nowMs - namedAtMs >= UNNAMED_MS_MAX) this.#end(player, epoch, nowMs);`,
        to: `      if (namedAtMs - nowMs >= UNNAMED_MS_MAX) this.#end(player, epoch, nowMs);`,
      },
    ],
  },
  {
    name: 'refused-place-kept',
    what: 'where a player can not be is refused, and believed when he is entered anew',
    changes: [
      {
        file: 'world/space/presence.ts',
        from: `      this.#effects.push({ kind: 'hold', ...stay, place: footing.place, update });`,
        to: `      this.#effects.push({ kind: 'hold', ...stay, place: footing.place, update });
      footing.putBack(place);`,
      },
    ],
  },
  {
    name: 'believed-on-the-way',
    what: 'whatever a player reports on the way into a region is believed',
    changes: [
      {
        file: 'world/space/presence.ts',
        from: `    if (isAsked || !footing.reaches(report.place, nowMs)) return;`,
        to: `    if (isAsked) return;`,
      },
      {
        file: 'world/space/presence.ts',
        from: `    footing.go(report.place, nowMs);`,
        to: `    footing.putBack(report.place);`,
      },
    ],
  },
  {
    name: 'allowance-never-grows',
    what: 'who has gone as far as he may at once may not go on, however slowly',
    changes: [
      {
        file: 'world/space/footing.ts',
        from: `    const gainedMm = Math.max(0, nowMs - this.#allowedAtMs)`,
        to: `    const gainedMm = Math.min(0, nowMs - this.#allowedAtMs)`,
      },
    ],
  },
];

export const inGhosts: readonly PlantedFault[] = [
  {
    name: 'ghost-never-removed',
    what: 'whom the next region shows no more is shown here for ever',
    changes: [
      {
        file: 'world/space/region.ts',
        from: `      if (nowMs - shownAtMs < FORGET_AFTER_MS) continue;`,
        to: `      if (shownAtMs - nowMs < FORGET_AFTER_MS) continue;`,
      },
    ],
  },
  {
    name: 'ghosts-not-shown',
    what: 'nobody is shown to the regions beyond the edge',
    changes: [
      {
        file: 'world/space/border.ts',
        from: `    .filter((other) => seen.some((stretch) => overlaps(stretch, other)))`,
        to: `    .filter((other) => seen.every((stretch) => overlaps(stretch, other)))`,
      },
    ],
  },
];
