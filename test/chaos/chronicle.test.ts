// What residents were told of a region, and what that says about its promises.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Chronicle, type Heard, type RegionalFindings, type Said } from '../../src/chaos/chronicle.ts';
import { CHAT_HISTORY_MAX, type ChatMessage } from '../../src/wire/regional-calls.ts';

const HERE = { region: 'eu', channel: 'region' };

function said(place: number, changes: Partial<Said> = {}): Said {
  const text = `message ${place}`;
  const times = { askedMs: place * 10, answeredMs: place * 10 + 5 };
  return { ...HERE, player: '1', text, level: 'quorum', place, epoch: 2, ...times, ...changes };
}

function message(place: number, changes: Partial<ChatMessage> = {}): ChatMessage {
  const text = `message ${place}`;
  return { ...HERE, number: place, player: 1, text, timeMs: place * 10, ...changes };
}

function heard(places: readonly number[], changes: Partial<Heard> = {}): Heard {
  const messages = places.map((place) => message(place));
  return { ...HERE, player: '2', askedMs: 1_000, msOld: 0, told: undefined, messages, ...changes };
}

function findings(
  tell: (chronicle: Chronicle) => void,
  lost: readonly [number, number][] = [],
): RegionalFindings {
  const chronicle = new Chronicle();
  tell(chronicle);
  return chronicle.finish(lost.map(([from, to]) => ({ region: 'eu', from, to })));
}

test('what was acknowledged and is shown in order has nothing to be found', () => {
  const found = findings((chronicle) => {
    for (const place of [3, 4, 9]) chronicle.said(said(place));
    chronicle.heard(heard([3, 4, 9]));
    chronicle.closed(heard([3, 4, 9]));
  });
  const none = { lost: [], unaccounted: [], unseen: [], disordered: [] };
  assert.deepEqual(found, { ...none, paid: 0, messages: 3 });
});

test('a message that a quorum acknowledged and that is gone in the end is lost', () => {
  const tell = (chronicle: Chronicle): void => {
    chronicle.said(said(3));
    chronicle.said(said(4, { level: 'all' }));
    chronicle.closed(heard([]));
  };
  assert.equal(findings(tell).lost.length, 2);
  // No promotion may cost these.
  assert.equal(findings(tell, [[1, 9]]).lost.length, 2);
});

test('a message on one disk may be gone if a promotion owns up to its place', () => {
  const tell = (chronicle: Chronicle): void => {
    chronicle.said(said(3, { level: 'one' }));
    chronicle.closed(heard([]));
  };
  assert.equal(findings(tell).unaccounted.length, 1);
  assert.equal(findings(tell, [[4, 9]]).unaccounted.length, 1);
  const owned = findings(tell, [[3, 3]]);
  assert.deepEqual([owned.unaccounted, owned.paid], [[], 1]);
});

test('his own message must be shown to its speaker however old the reading may be', () => {
  const unseen = (changes: Partial<Heard>): number =>
    findings((chronicle) => {
      chronicle.said(said(3));
      chronicle.heard(heard([], changes));
    }).unseen.length;
  assert.equal(unseen({ player: '1', msOld: undefined }), 1);
  assert.equal(unseen({ player: '1', msOld: 60_000 }), 1);
  assert.equal(unseen({ player: '2', msOld: undefined }), 0);
  // Asked for before it was acknowledged.
  assert.equal(unseen({ player: '1', msOld: 0, askedMs: 34 }), 0);
});

test('who asks for a place that he was told of is shown it and all before it in that log', () => {
  const unseen = (places: readonly number[], epoch: number, changes: Partial<Said> = {}): number =>
    findings((chronicle) => {
      for (const place of [3, 4, 9]) chronicle.said(said(place, changes));
      chronicle.heard(heard(places, { msOld: undefined, told: { epoch, order: 4 } }));
    }).unseen.length;
  assert.equal(unseen([3, 4], 2), 0);
  assert.equal(unseen([3], 2), 1);
  assert.equal(unseen([], 2), 2);
  assert.equal(unseen([], 3), 0, 'another log may have lost it');
  assert.equal(unseen([], 2, { level: 'one' }), 0, 'a promotion may have cost it');
});

test('the latest place of a channel is known to everybody', () => {
  const chronicle = new Chronicle();
  assert.equal(chronicle.latest(HERE), undefined);
  chronicle.said(said(3));
  chronicle.said(said(9, { epoch: 4 }));
  assert.deepEqual(chronicle.latest(HERE), { epoch: 4, order: 9 });
  assert.equal(chronicle.latest({ ...HERE, channel: 'world' }), undefined);
});

test('a reading that may be so old shows what was acknowledged earlier', () => {
  const unseen = (msOld: number): number =>
    findings((chronicle) => {
      chronicle.said(said(3));
      chronicle.heard(heard([], { msOld, askedMs: 535 }));
    }).unseen.length;
  assert.deepEqual([unseen(0), unseen(500), unseen(501)], [1, 1, 0]);
});

test('what a full history has no room for is not missed', () => {
  const newest = Array.from({ length: CHAT_HISTORY_MAX }, (_, place) => place + 10);
  const found = findings((chronicle) => {
    chronicle.said(said(3));
    chronicle.said(said(50));
    chronicle.heard(heard(newest.filter((place) => place !== 50).concat(200), { askedMs: 9_000 }));
  });
  assert.equal(found.unseen.length, 1);
  assert.match(found.unseen[0] ?? '', /message 50/);
});

test('a channel that is out of order, or whose log contradicts time, is found', () => {
  const shown = findings((chronicle) => chronicle.heard(heard([4, 3])));
  assert.equal(shown.disordered.length, 1);
  const spoken = findings((chronicle) => {
    chronicle.said(said(8, { askedMs: 10, answeredMs: 20 }));
    chronicle.said(said(7, { askedMs: 30, answeredMs: 40 }));
  });
  assert.match(spoken.disordered.join(), /"message 7" was said after "message 8"/);
  const together = findings((chronicle) => {
    chronicle.said(said(8, { askedMs: 10, answeredMs: 35 }));
    chronicle.said(said(7, { askedMs: 30, answeredMs: 40 }));
  });
  assert.deepEqual(together.disordered, []);
});

test('a job stays in its workshop until it is collected', () => {
  const begun = { player: '1', region: 'eu', job: 5, level: 'quorum', place: 7 } as const;
  const unseen = (tell: (chronicle: Chronicle) => void): number => findings(tell).unseen.length;
  assert.equal(unseen((chronicle) => {
    chronicle.begun(begun);
    chronicle.looked('1', 'eu', [5]);
    chronicle.looked('1', 'eu', []);
  }), 1);
  assert.equal(unseen((chronicle) => {
    chronicle.begun(begun);
    chronicle.collecting('1', 'eu', 5);
    chronicle.looked('1', 'eu', []);
  }), 0);
  const onOne = (chronicle: Chronicle): void => {
    chronicle.begun({ ...begun, level: 'one' });
    chronicle.looked('1', 'eu', []);
  };
  assert.equal(findings(onOne).unaccounted.length, 1);
  assert.equal(findings(onOne, [[7, 7]]).paid, 1);
});
