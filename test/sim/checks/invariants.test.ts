import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeId } from '../../../src/base/id.ts';
import { decodeMessage, MessageEncoder } from '../../../src/protocols/raft/codec.ts';
import type { Entry, Message, Recovered } from '../../../src/protocols/raft/messages.ts';
import { emptyRecovered } from '../../../src/runtime/journal.ts';
import { DurableLog } from '../../../src/sim/checks/durable-log.ts';
import { GroupHistory } from '../../../src/sim/checks/group-history.ts';
import { Invariants } from '../../../src/sim/checks/invariants.ts';
import { Verdicts } from '../../../src/sim/checks/violation.ts';
import { fiveReplicas } from '../../../src/sim/play/worlds.ts';
import { encodePeerMessage } from '../../../src/wire/peer.ts';

const GROUP = 1;
const WHOLE = { machineDied: true, isDamaged: false };

const entry = (index: number, term: number): Entry => {
  return { index, term, kind: 'command', timeMs: 1, data: Uint8Array.of(index) };
};

/** Members of which member 1 has a vote for 2 in term 3 and two entries on disk, or what is said. */
function members(onDisk: Partial<Recovered> = {}): {
  readonly invariants: Invariants;
  readonly verdicts: Verdicts;
} {
  const verdicts = new Verdicts();
  const invariants = new Invariants(fiveReplicas.topology, verdicts, () => {});
  const found: Recovered = {
    ...emptyRecovered(),
    hardState: { term: 3, votedFor: nodeId(2) },
    entries: [entry(1, 1), entry(2, 3)],
    ...onDisk,
  };
  invariants.recovered(1, new Map([[GROUP, found]]), WHOLE);
  return { invariants, verdicts };
}

function says(invariants: Invariants, to: number, message: Message): void {
  const body = new MessageEncoder().encode(message);
  // What is looked at here is what a receiver reads.
  assert.equal(decodeMessage(body).kind, message.kind);
  invariants.sent(1, to, encodePeerMessage({ kind: 'raft', group: GROUP, body }));
}

test('a vote may be told once the disk has it, and not before', () => {
  const { invariants, verdicts } = members();
  says(invariants, 2, { kind: 'vote-reply', term: 3, granted: true });
  says(invariants, 4, { kind: 'vote-reply', term: 3, granted: false });
  noneIn(verdicts);
  says(invariants, 4, { kind: 'vote-reply', term: 4, granted: true });
  assert.equal(verdicts.first?.invariant, 'MV');
});

test('two votes in one term are a violation, also when one of them is for oneself', () => {
  const { invariants, verdicts } = members();
  says(invariants, 2, { kind: 'vote-reply', term: 3, granted: true });
  says(invariants, 2, { kind: 'vote', term: 3, lastIndex: 2, lastTerm: 3, transfer: false });
  assert.equal(verdicts.first?.invariant, 'MV');
});

test('an acknowledgement speaks of what the disk holds', () => {
  for (const [index, isTrue] of [
    [2, true],
    [3, false],
  ] as const) {
    const { invariants, verdicts } = members();
    const reply = new MessageEncoder().encode({
      ...appendReply(),
      result: { kind: 'matched', index },
    });
    invariants.sent(1, 2, encodePeerMessage({ kind: 'raft', group: GROUP, body: reply }));
    assert.equal(verdicts.first?.invariant, isTrue ? undefined : 'CQ');
  }
});

test('an acknowledgement answers for what its leader has, not for what was committed since', () => {
  // To the leader of term 3 member 1 acknowledges the second entry, which its disk has of `written`.
  const told = (o: {
    readonly written: number;
    readonly diskTerm?: number;
    readonly decided: readonly (readonly [index: number, term: number, committedIn: number])[];
  }): string | undefined => {
    const { written, diskTerm: term = 3, decided } = o;
    const { invariants, verdicts } = members({
      hardState: { term, votedFor: undefined },
      entries: [entry(1, 1), entry(2, written)],
    });
    for (const [index, ofTerm, committedIn] of decided) {
      invariants.histories.get(GROUP)?.commits({ node: 3, term: committedIn }, entry(index, ofTerm));
    }
    says(invariants, 2, { ...appendReply(), result: { kind: 'matched', index: 2 } });
    return verdicts.first?.invariant;
  };
  assert.equal(told({ written: 3, decided: [[2, 3, 3]] }), undefined);
  assert.equal(told({ written: 3, decided: [[2, 1, 3]] }), 'CQ');
  // Figure 3.7: term 1 wrote it, and a leader of term 4 has committed it with an entry of its own.
  assert.equal(told({ written: 3, decided: [[2, 1, 4]] }), undefined);
  assert.equal(told({ written: 3, decided: [[1, 2, 2], [2, 2, 4]] }), 'CQ', 'but one before it binds');
  // The leader of term 3 wrote it, and that of a later term has committed it.
  assert.equal(told({ written: 2, decided: [[2, 3, 5]] }), 'CQ');
  assert.equal(told({ written: 4, diskTerm: 4, decided: [[2, 3, 5]] }), undefined, 'cut off in term 4');
});

test('an acknowledgement of an older term may speak of what a later leader has cut off since', () => {
  const log = new DurableLog();
  const entries = [entry(1, 1), entry(2, 1), entry(3, 1)];
  log.write({ hardState: { term: 1, votedFor: undefined }, entries });
  log.write({ hardState: { term: 2, votedFor: undefined }, entries: [entry(2, 2)] });
  assert.deepEqual([log.reached(3, 1), log.reached(4, 1), log.reached(3, 2)], [true, false, false]);
});

test('a start must find what was on disk', () => {
  const { invariants, verdicts } = members();
  const found: Recovered = { ...emptyRecovered(), hardState: { term: 2, votedFor: undefined } };
  invariants.recovered(1, new Map([[GROUP, found]]), WHOLE);
  assert.equal(verdicts.first?.invariant, 'FORGET');
});

test('what is durable of a log follows its writes', () => {
  const log = new DurableLog();
  log.write({ entries: [entry(1, 1), entry(2, 1), entry(3, 1)] });
  log.write({ entries: [entry(2, 2)] });
  assert.equal(log.last, 2);
  assert.ok(log.holds(1, 1) && log.holds(2, 2));
  assert.ok(!log.holds(2, 1) && !log.holds(3, 1));
});

test('an entry lost to damage is vouched for while its member heals, unless another takes its place', () => {
  const lose = (): DurableLog => {
    const log = new DurableLog();
    log.write({ entries: [entry(1, 1), entry(2, 1), entry(3, 1)] });
    log.recover({ ...emptyRecovered(), healUntil: 3 });
    return log;
  };
  const again = lose();
  assert.ok(!again.holds(3, 1) && again.vouches(3, 1) && !again.vouches(3, 2));
  again.recover({ ...emptyRecovered(), healUntil: 3 });
  assert.ok(again.vouches(3, 1), 'also after the next start');
  again.write({ entries: [entry(1, 1)] });
  assert.ok(again.vouches(3, 1), 'also when what comes back is the same log');

  const replaced = lose();
  replaced.write({ entries: [entry(1, 1), entry(2, 2)] });
  assert.ok(replaced.vouches(1, 1) && !replaced.vouches(2, 1) && !replaced.vouches(3, 1));

  const healed = lose();
  healed.write({ entries: [], healUntil: 0 });
  assert.ok(!healed.vouches(3, 1));

  const whole = new DurableLog();
  whole.write({ entries: [entry(1, 1)] });
  whole.recover(emptyRecovered());
  assert.ok(!whole.vouches(1, 1), 'a member that votes answers for what is on its disk only');
});

test('history knows two leaders of a term, two entries of one place, and a command applied twice', () => {
  const leaders = new Verdicts();
  const first = new GroupHistory('group', leaders);
  first.leads(1, 4);
  first.leads(1, 4);
  noneIn(leaders);
  first.leads(2, 4);
  assert.equal(leaders.first?.invariant, 'ES');

  const entries = new Verdicts();
  const second = new GroupHistory('group', entries);
  assert.equal(second.commits({ node: 1, term: 1 }, entry(1, 1)), true);
  assert.equal(second.commits({ node: 2, term: 1 }, entry(1, 1)), false);
  noneIn(entries);
  second.commits({ node: 3, term: 2 }, entry(1, 2));
  assert.equal(entries.first?.invariant, 'CI');

  const logs = new Verdicts();
  const third = new GroupHistory('group', logs);
  third.written(entry(5, 1));
  third.written({ ...entry(5, 1), data: Uint8Array.of(9) });
  assert.equal(logs.first?.invariant, 'LM');
});

function noneIn({ first }: Verdicts): void {
  assert.equal(first, undefined);
}

function appendReply(): Extract<Message, { kind: 'append-reply' }> {
  return {
    kind: 'append-reply',
    term: 3,
    round: 1,
    result: { kind: 'matched', index: 0 },
    sentMs: 0,
    digest: { index: 0, value: 0 },
    stateHash: { index: 0, value: 0 },
  };
}
