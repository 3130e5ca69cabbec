// What a gateway tells players while it stands with the smaller side of a cut, and how soon it serves again.
//
// Two of five global nodes and ourselves, who stand where the gateway `asia` does, are cut off; every second
// time the economy's leader is one of the two. A new player asks every 10 ms. Three things are looked at: how
// long a call takes until it ends `unavailable`; that none asked during the cut ends `done`; and how long
// after the cut a call is answered and both nodes follow the leader again. Exit code 1 when one was `done`.
import { setTimeout as sleep } from 'node:timers/promises';
import { between, HEALTHY } from '../src/host/network.ts';
import { GlobalNodes } from './global-nodes.ts';
import { table, tail } from './spread.ts';
import { Traders } from './traders.ts';

const PLAYERS = 1_000;
const ASK_EVERY_MS = 10;
const CUT_MS = 1_500;
/** Each node is told of the cut in a message of its own: what was asked sooner may have been before it. */
const TOLD_MS = 50;
const LOOK_EVERY_MS = 10;
const FOLLOW_MS_MAX = 10_000;

interface Call {
  readonly askedMs: number;
  endedMs: number | undefined;
  kind: string;
}

export async function benchMinority(events: number): Promise<void> {
  const world = await GlobalNodes.start();
  try {
    const traders = new Traders(world, PLAYERS);
    await traders.open();
    const seen = {
      unavailableMs: new Array<number>(),
      uncertain: 0,
      done: 0,
      servedMs: new Array<number>(),
      followMs: new Array<number>(),
    };
    for (let event = 1; event <= events; event++) {
      const leader = await world.whole('economy');
      const nodes = world.topology.nodes.filter(({ kind }) => kind === 'global').map(({ name }) => name);
      const followers = nodes.filter((name) => name !== leader);
      const minority = event % 2 === 0 ? [leader, ...followers.slice(0, 1)] : followers.slice(0, 2);
      const calls: Call[] = [];
      const asking = { going: true };
      const asker = ask(traders, calls, asking);
      const rest = world.topology.nodes.map(({ name }) => name).filter((name) => !minority.includes(name));
      const sides = [[...minority, 'asia'], rest.filter((name) => name !== 'asia')];
      const cutMs = performance.now();
      world.network.lay('cut', between(sides, { ...HEALTHY, cut: 'silent' }));
      await sleep(CUT_MS);
      const healMs = performance.now();
      world.network.heal();
      const [servedMs, followMs] = await Promise.all([
        served(calls, healMs),
        following(world, minority, healMs),
      ]);
      asking.going = false;
      await asker;
      for (const { askedMs, endedMs = Number.POSITIVE_INFINITY, kind } of calls) {
        if (askedMs < cutMs + TOLD_MS || askedMs >= healMs) continue;
        if (kind === 'unavailable') seen.unavailableMs.push(endedMs - askedMs);
        else if (kind === 'uncertain') seen.uncertain += 1;
        else if (kind === 'answered' && endedMs < healMs) seen.done += 1;
      }
      seen.servedMs.push(servedMs);
      seen.followMs.push(followMs);
      process.stderr.write(
        `${event} of ${events}: cut off ${minority.join(', ')}; served after ${servedMs.toFixed(0)} ms, ` +
          `followed after ${followMs.toFixed(0)} ms\n`,
      );
    }
    process.stdout.write(
      table([
        row(`ended unavailable: ${seen.unavailableMs.length} calls`, seen.unavailableMs),
        row(`first answer after the cut: ${events} cuts`, seen.servedMs),
        row(`both nodes follow after the cut: ${events} cuts`, seen.followMs),
      ]),
    );
    process.stdout.write(`done during the cut: ${seen.done}; uncertain: ${seen.uncertain}\n`);
    if (seen.done > 0) process.exitCode = 1;
  } finally {
    await world.stop();
  }
}

function row(what: string, ms: readonly number[]): Readonly<Record<string, string>> {
  return { what, 'ms, min / median / p99 / max': tail(ms) };
}

/** Asks without waiting for answers, each time in another player's name; ends when all have ended. */
async function ask(traders: Traders, calls: Call[], asking: { readonly going: boolean }): Promise<void> {
  const open: Promise<void>[] = [];
  while (asking.going) {
    const call: Call = { askedMs: performance.now(), endedMs: undefined, kind: 'open' };
    calls.push(call);
    const ends = traders.trade(traders.trader(), 'uniform').then((kind) => {
      call.endedMs = performance.now();
      call.kind = kind;
    });
    open.push(ends);
    await sleep(ASK_EVERY_MS);
  }
  await Promise.all(open);
}

async function served(calls: readonly Call[], healMs: number): Promise<number> {
  while (performance.now() - healMs < FOLLOW_MS_MAX) {
    const first = calls.find(({ kind, endedMs }) => kind === 'answered' && (endedMs ?? 0) >= healMs);
    if (first?.endedMs !== undefined) return first.endedMs - healMs;
    await sleep(1);
  }
  return Number.POSITIVE_INFINITY;
}

/** Until each of the nodes follows or leads, and has committed what the others had when it began. */
async function following(world: GlobalNodes, nodes: readonly string[], healMs: number): Promise<number> {
  let wanted = 0;
  while (performance.now() - healMs < FOLLOW_MS_MAX) {
    const copies = await world.group('economy');
    const leader = copies.filter(({ role }) => role === 'leader').sort((a, b) => b.term - a.term)[0];
    if (wanted === 0) wanted = Math.max(...copies.map(({ commit }) => commit));
    const follow = copies.filter(
      ({ node, term, commit }) => nodes.includes(node) && term === leader?.term && commit >= wanted,
    );
    if (follow.length === nodes.length) return performance.now() - healMs;
    await sleep(LOOK_EVERY_MS);
  }
  return Number.POSITIVE_INFINITY;
}
