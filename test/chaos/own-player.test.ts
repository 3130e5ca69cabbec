// What a player of a studio's features writes down of what he asked and was answered.
import assert from 'node:assert/strict';
import test from 'node:test';
import { InvalidInputError, type Outcome } from '../../src/base/errors.ts';
import { Random } from '../../src/base/random.ts';
import { ownCalls } from '../../src/chaos/own-load.ts';
import { OwnPlayer } from '../../src/chaos/own-player.ts';
import type { OwnQuery } from '../../src/chaos/own-truth.ts';
import type { Answer, Entry } from '../../src/chaos/recorder.ts';
import type { CallOptions } from '../../src/client/index.ts';
import type { Deed } from '../../src/world/deed.ts';
import features from './worlds/purses.ts';

const PLAYER = 7;
const ADD: Deed = { call: 'purse.add', args: { amount: 3 } };

interface Seen {
  readonly asked: { readonly call: string; readonly options: CallOptions }[];
  readonly entries: Entry[];
  readonly answers: Answer[];
  readonly queries: OwnQuery[];
  readonly decided: string[];
}

/** He does each deed once, in their order, and each is answered so. */
async function seenOf(deeds: readonly Deed[], outcome: Outcome<unknown>): Promise<Seen> {
  const seen: Seen = { asked: [], entries: [], answers: [], queries: [], decided: [] };
  const closing = new AbortController();
  const left = [...deeds];
  const drawDeed = (): Deed => {
    const deed = left.shift();
    assert.ok(deed);
    if (left.length === 0) closing.abort();
    return deed;
  };
  const player = new OwnPlayer({
    client: {
      player: PLAYER,
      ask: (call, _args, options = {}) => {
        seen.asked.push({ call, options });
        return Promise.resolve(outcome);
      },
    },
    drawDeed,
    calls: ownCalls({ groups: [{ ...ECONOMY, features: ['purse'] }] }, features),
    regions: ['eu'],
    known: { players: [PLAYER], items: new Map(), offers: [], jobs: new Map() },
    recorder: {
      invoke: (process, entry) => {
        assert.equal(process, '7');
        seen.entries.push(entry);
      },
      complete: (_process, _entry, answer) => void seen.answers.push(answer),
    },
    timeline: { add: () => {} },
    random: new Random(1),
    answered: (query) => void seen.queries.push(query),
    decided: (call) => void seen.decided.push(call),
  });
  await player.work(closing.signal);
  return seen;
}

const ECONOMY = { number: 2, name: 'economy', members: [] } as const;

test('a command and a query are written down with their log, and a query with its place', async () => {
  const outcome = { kind: 'done', value: { sum: 3, adds: 1 }, order: 9 } as const;
  const deeds = [ADD, { call: 'purse.look', args: null }];
  const { entries, answers, queries, decided } = await seenOf(deeds, outcome);
  assert.deepEqual(entries, [
    { book: 'own', f: 'purse.add', key: 'economy', value: { command: { amount: 3 } } },
    { book: 'own', f: 'purse.look', key: 'economy', value: { query: null } },
  ]);
  assert.deepEqual(answers.map(({ reading }) => reading), [
    { kind: 'ok', value: outcome.value },
    { kind: 'ok', value: outcome.value },
  ]);
  const query = { log: 'economy', order: 9, player: PLAYER, call: 'purse.look', args: null };
  assert.deepEqual(queries, [query]);
  assert.deepEqual(decided, ['purse.add', 'purse.look']);
});

test('the level of a command to a region is written down, as asked or as its feature has it', async () => {
  const deeds = Array.from({ length: 40 }, () => ({ call: 'jar.add', args: { amount: 1 } }));
  const { asked, entries } = await seenOf(deeds, { kind: 'uncertain' });
  const levels = new Set(asked.map(({ options }) => options.ack));
  assert.deepEqual(levels, new Set([undefined, 'one', 'quorum', 'all']));
  for (const [at, { options }] of asked.entries()) {
    const level = options.ack ?? 'one';
    assert.equal(options.region, 'eu');
    const value = { command: { amount: 1 }, level };
    assert.deepEqual(entries[at], { book: 'own', f: 'jar.add', key: 'eu', value });
  }
});

test('a refusal of the log is an answer, a gateway’s is none, and the session’s tells nothing', async () => {
  const kinds = async (outcome: Outcome<unknown>): Promise<unknown> => {
    const [answer] = (await seenOf([ADD], outcome)).answers;
    return [answer?.outcome.kind, answer?.reading];
  };
  const rejected = { kind: 'rejected', reason: 'too-low' } as const;
  assert.deepEqual(await kinds({ ...rejected, order: 4 }), ['rejected', rejected]);
  assert.deepEqual(await kinds(rejected), ['rejected', { kind: 'nothing' }]);
  const refused = { kind: 'rejected', reason: 'already-answered', order: 4 } as const;
  assert.deepEqual(await kinds(refused), ['uncertain', { kind: 'nothing' }]);
  const unavailable = { kind: 'unavailable', retryAfterMs: 1 } as const;
  assert.deepEqual(await kinds(unavailable), ['unavailable', { kind: 'nothing' }]);
});

test('of the stock world he does all but talk, and writes nothing down', async () => {
  const deeds = ['chat.say', 'holdings.mine'].map((call) => ({ call, args: null }));
  const { asked, entries } = await seenOf(deeds, { kind: 'uncertain' });
  assert.deepEqual(asked.map(({ call }) => call), ['holdings.mine']);
  assert.deepEqual(entries, []);
});

test('a deed that nobody can do ends his work', async () => {
  const lost = { call: 'purse.lost', args: null };
  await assert.rejects(seenOf([lost], { kind: 'uncertain' }), InvalidInputError);
});
