// Sequential truths of all stock models, written anew: what a right world answers to one call after another.
//
// `histories.ts` plays clients against them. They share nothing with the models that judge.
import type { Random } from '../../src/base/random.ts';
import type { Truth } from './histories.ts';

type Fields = Readonly<Record<string, unknown>>;
const fields = (value: unknown): Fields => Object(value);

export function registerTruth(values: number): Truth {
  let now: unknown = null;
  return {
    ask(random) {
      const value = random.integer(1, values);
      const f = random.pick(['read', 'write', 'cas']) ?? 'read';
      if (f === 'read') return { f };
      return { f, value: f === 'write' ? value : [random.integer(1, values), value] };
    },
    answer({ f, value }) {
      if (f === 'read') return now;
      if (f === 'write') now = value;
      else if (Array.isArray(value)) {
        if (now === null) return { rejected: 'absent' };
        if (now !== value[0]) return { rejected: 'mismatch' };
        now = value[1];
      }
      return null;
    },
  };
}

export function counterTruth(): Truth {
  let count = 0;
  return {
    ask: (random) =>
      random.chance(1, 2) ? { f: 'read' } : { f: 'add', value: random.integer(-2, 3) },
    answer({ f, value }) {
      if (f === 'add') count += Number(value);
      return f === 'read' ? count : null;
    },
  };
}

/** Accounts `a0`, `a1`, ... with so much gold each; of the reads so many are of the whole group. */
export function bankTruth(
  accounts: number,
  gold: number,
  { readPercent = 30, wholePercent = 50 }: { readPercent?: number; wholePercent?: number } = {},
): Truth {
  const balances = new Map(Array.from({ length: accounts }, (_, i) => [`a${i}`, gold]));
  const of = (account: unknown): number => balances.get(String(account)) ?? 0;
  const draw = (random: Random): string => `a${random.integer(0, accounts - 1)}`;
  return {
    ask(random) {
      if (random.chance(readPercent, 100)) {
        const isWhole = random.chance(wholePercent, 100);
        return isWhole ? { f: 'read' } : { f: 'read', value: draw(random) };
      }
      const [from, to, amount] = [draw(random), draw(random), random.integer(1, gold)];
      const f = random.pick(['transfer', 'transfer', 'transfer', 'deposit', 'withdraw']) ?? '';
      if (f === 'deposit') return { f, value: { to, amount } };
      return { f, value: f === 'withdraw' ? { from, amount } : { from, to, amount } };
    },
    answer({ f, value }) {
      if (f === 'read') return value === undefined ? Object.fromEntries(balances) : of(value);
      const { from, to, amount } = fields(value);
      if (f === 'transfer' && from === to) return { rejected: 'same-account' };
      if (from !== undefined && of(from) < Number(amount)) return { rejected: 'not-enough-gold' };
      if (from !== undefined) balances.set(String(from), of(from) - Number(amount));
      if (to !== undefined) balances.set(String(to), of(to) + Number(amount));
      return f === 'withdraw' ? { left: of(from) } : null;
    },
  };
}

export function ownershipTruth(items: number, players: number, hasInventories: boolean): Truth {
  const owners = new Map<string, string>();
  const player = (random: Random): string => `p${random.integer(1, players)}`;
  return {
    ask(random) {
      const key = `i${random.integer(1, items)}`;
      const kinds = ['create', 'transfer', 'transfer', 'destroy', 'owner'];
      const f = random.pick(hasInventories ? [...kinds, 'inventory'] : kinds) ?? 'owner';
      if (f === 'inventory') return { f, key: player(random) };
      if (f === 'owner') return { f, key };
      if (f === 'create') return { f, key, value: { to: player(random) } };
      const from = player(random);
      return { f, key, value: f === 'destroy' ? { from } : { from, to: player(random) } };
    },
    answer({ f, key = '', value }) {
      const { from, to } = fields(value);
      const owner = owners.get(key);
      if (f === 'owner') return owner ?? null;
      if (f === 'inventory') return [...owners].filter(([, who]) => who === key).map(([item]) => item);
      if (f === 'create') {
        if (owner !== undefined) return { rejected: 'exists' };
      } else {
        if (owner === undefined) return { rejected: 'absent' };
        if (owner !== from) return { rejected: 'not-yours' };
      }
      if (f === 'destroy') owners.delete(key);
      else owners.set(key, String(to));
      return null;
    },
  };
}

export function lockTruth(): Truth {
  let [isHeld, token, seen] = [false, 0, 0];
  let value: unknown = null;
  return {
    ask(random) {
      const f = random.pick(['acquire', 'release', 'write', 'read']) ?? 'read';
      const old = Math.max(0, token - random.integer(0, 1));
      if (f === 'release') return { f, value: { token: old } };
      if (f === 'write') return { f, value: { token: old, value: random.integer(1, 3) } };
      return { f };
    },
    answer({ f, value: asked }) {
      const { token: given, value: next } = fields(asked);
      if (f === 'read') return value;
      if (f === 'acquire') {
        if (isHeld) return { rejected: 'held' };
        isHeld = true;
        token += 1;
        return { token };
      }
      if (f === 'release') {
        if (!isHeld || given !== token) return { rejected: 'not-held' };
        isHeld = false;
        return null;
      }
      if (Number(given) < seen) return { rejected: 'stale-token' };
      seen = Number(given);
      value = next;
      return null;
    },
  };
}

export function listTruth(): Truth {
  const list: number[] = [];
  return {
    ask: (random) => (random.chance(1, 2) ? { f: 'read' } : { f: 'append', value: random.integer(1, 9) }),
    answer({ f, value }) {
      if (f === 'read') return [...list];
      list.push(Number(value));
      return null;
    },
  };
}
