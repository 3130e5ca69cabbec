// Faults planted above the log: sessions, answers to callers, the route, and the rules of trade.
//
// `all.ts` lists them.
import type { PlantedFault } from './fault.ts';

export const inAnswers: readonly PlantedFault[] = [
  {
    name: 'duplicates-forgotten',
    what: 'a repeated command is applied again',
    changes: [
      {
        file: 'protocols/sessions.ts',
        from: `    this.#table.remember(session, head.number, applied.reply);
`,
        to: ``,
      },
    ],
  },
  {
    name: 'answered-at-append',
    what: 'a proposal is answered before it is committed',
    changes: [
      {
        file: 'runtime/raft-group.ts',
        from: `      this.#proposals.set(proposed.index, { term: proposed.term, answer });
`,
        to: `      const { reply } = this.#options.machine.apply({
        index: proposed.index,
        timeMs: this.#options.clock.wallMs(),
        command,
      });
      answer({ kind: 'answered', reply });
`,
      },
    ],
  },
  {
    name: 'answered-with-anothers-entry',
    what: "a caller gets the answer to another leader's command at the same index",
    changes: [
      {
        file: 'runtime/raft-group.ts',
        from: `waiting.term === term && reply !== undefined`,
        to: `waiting.term > 0 && reply !== undefined`,
      },
      {
        file: 'runtime/raft-group.ts',
        from: `    if (effects.deposed) this.#abandonProposals();
`,
        to: ``,
      },
    ],
  },
  {
    name: 'deposed-says-unavailable',
    what: 'a leader that steps down calls what it proposed not done',
    changes: [
      {
        file: 'runtime/raft-group.ts',
        from: `for (const { answer } of this.#proposals.values()) answer({ kind: 'uncertain' });`,
        to: `for (const { answer } of this.#proposals.values()) {
      answer({ kind: 'unavailable', retryAfterMs: 1 });
    }`,
      },
    ],
  },
  {
    name: 'lost-answer-says-unavailable',
    what: 'the route calls unavailable what was never answered',
    changes: [
      {
        file: 'services/calls/route.ts',
        from: `    const surelyNothing = open.unsettled === 0;`,
        to: `    const surelyNothing = open.unsettled >= 0;`,
      },
    ],
  },
  {
    name: 'offers-expire-by-own-clock',
    what: 'each copy lets offers expire by its own count of time',
    changes: [
      {
        file: 'runtime/raft-machine.ts',
        from: `const { reply, notices } = this.#o.machine.apply({ index, timeMs, command: data });`,
        to: `const { reply, notices } = this.#o.machine.apply({
      index,
      timeMs: Math.max(timeMs, this.#o.clock.wallMs()),
      command: data,
    });`,
      },
    ],
  },
  {
    name: 'gold-minted-by-gift',
    what: 'the mint pays for some gifts',
    changes: [
      {
        file: 'world/features/trade.ts',
        from: `  ledger.move(giver.gold, taker.gold, gold);
  for (const id of items) ledger.pass(id, taker);
  const received`,
        to: `  ledger.move(gold % 97 === 0 ? ledger.mint : giver.gold, taker.gold, gold);
  for (const id of items) ledger.pass(id, taker);
  const received`,
      },
    ],
  },
  {
    name: 'locked-gold-lost',
    what: 'a withdrawn offer gives the items back and not the gold',
    changes: [
      {
        file: 'world/features/trade.ts',
        from: `  offers.remove(offer);
  ledger.move(giver.goldLocked, giver.gold, offer.give.gold);
  for (const id of offer.give.items) ledger.lock(id, 0);`,
        to: `  offers.remove(offer);
  ledger.move(giver.goldLocked, ledger.mint, offer.give.gold);
  for (const id of offer.give.items) ledger.lock(id, 0);`,
      },
    ],
  },
];
