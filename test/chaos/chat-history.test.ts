// What residents said and read, as a history that anybody can judge.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ChatHistory, type Said } from '../../src/chaos/chat-history.ts';
import { HistoryReader } from '../../src/verify/history.ts';
import { type Report, reportOf } from '../../src/verify/report.ts';
import { CHAT_HISTORY_MAX, type ChatMessage } from '../../src/wire/regional-calls.ts';

const HERE = { region: 'eu', channel: 'region' };
const BEGAN_MS = 1_000;

function said(text: string, place: number, changes: Partial<Said> = {}): Said {
  const times = { askedMs: BEGAN_MS + place * 10, answeredMs: BEGAN_MS + place * 10 + 5 };
  const told = { level: 'quorum', place, ...times } as const;
  return { ...HERE, player: `teller of ${text}`, text, ...told, ...changes };
}

function message(text: string, number: number, changes: Partial<ChatMessage> = {}): ChatMessage {
  return { ...HERE, number, player: 1, text, timeMs: 0, ...changes };
}

function judge(tell: (chat: ChatHistory, hear: Hear) => void): Report {
  const chat = new ChatHistory();
  tell(chat, (atMs, messages, msOld = 0) => {
    const askedMs = BEGAN_MS + atMs;
    const player = `reader at ${atMs}`;
    chat.heard({ ...HERE, player, askedMs, answeredMs: askedMs + 5, msOld, messages });
  });
  const reader = new HistoryReader();
  for (const line of chat.lines(BEGAN_MS)) reader.event(JSON.parse(JSON.stringify(line)));
  return reportOf(reader.finish(), 'list');
}

type Hear = (atMs: number, messages: readonly ChatMessage[], msOld?: number) => void;

test('what was acknowledged and is shown from then on is one list', () => {
  const { verdict, operations } = judge((chat, hear) => {
    chat.said(said('a', 1));
    hear(30, [message('a', 1)]);
    chat.said(said('b', 4, { level: 'all' }));
    hear(60, [message('a', 1), message('b', 4)]);
  });
  assert.deepEqual([verdict, operations], ['ok', 4]);
});

test('a message that a quorum acknowledged and that a reading lacks breaks the list', () => {
  const { verdict } = judge((chat, hear) => {
    chat.said(said('a', 1));
    chat.said(said('b', 4));
    hear(60, [message('b', 4)]);
  });
  assert.equal(verdict, 'violated');
});

test('readings may be as old as they ask to be, and messages of one disk may go', () => {
  const { verdict, operations } = judge((chat, hear) => {
    chat.said(said('a', 1));
    chat.said(said('b', 2, { level: 'one' }));
    hear(30, [], 1_000);
    hear(40, [message('a', 1), message('b', 2)]);
    hear(60, [message('a', 1)]);
  });
  assert.deepEqual([verdict, operations], ['ok', 3]);
});

test('what is shown before it is acknowledged may be gone again until it is', () => {
  const { verdict } = judge((chat, hear) => {
    hear(20, [message('a', 7)]);
    hear(40, []);
    chat.said(said('a', 7, { askedMs: BEGAN_MS + 10, answeredMs: BEGAN_MS + 80 }));
    hear(90, [message('a', 7)]);
  });
  assert.equal(verdict, 'ok');
});

test('what stands before an acknowledged message is as durable as that', () => {
  const { verdict } = judge((chat, hear) => {
    chat.said(said('a', 1, { answeredMs: BEGAN_MS + 500 }));
    chat.said(said('b', 2));
    hear(40, [message('a', 1), message('b', 2)]);
    hear(60, [message('b', 2)]);
  });
  assert.equal(verdict, 'violated');
});

test('a message at another place than the acknowledged one is another attempt, which was lost', () => {
  const { verdict } = judge((chat, hear) => {
    hear(20, [message('a', 3)]);
    chat.said(said('a', 5, { askedMs: BEGAN_MS + 10 }));
    hear(40, []);
    hear(80, [message('a', 5)]);
  });
  assert.equal(verdict, 'ok');
});

test('each minute of a channel is a list, so that what a long channel forgets breaks none', () => {
  const minute = 60_000;
  const { verdict, parts } = judge((chat, hear) => {
    chat.said(said('a', 1));
    const times = { askedMs: BEGAN_MS + minute, answeredMs: BEGAN_MS + minute + 5 };
    chat.said(said('b', 2, times));
    hear(minute + 20, [message('b', 2)]);
  });
  assert.deepEqual([verdict, parts.ok], ['ok', 2]);
});

test('other regions speak on the world channel in their own time', () => {
  const { verdict } = judge((chat, hear) => {
    hear(2, [message('x', 1, { region: 'asia' })]);
    chat.said(said('x', 1));
    hear(40, [message('x', 1)]);
  });
  assert.equal(verdict, 'ok');
});

test('a reading counts only where it goes back to the beginning of its part', () => {
  const many = Array.from({ length: CHAT_HISTORY_MAX }, (_, i) => message(`${i}`, i + 2));
  const { verdict, operations } = judge((chat, hear) => {
    chat.said(said('forgotten', 1));
    for (const { text, number } of many) chat.said(said(text, number));
    hear(1_100, many);
    hear(1_200, many.slice(1));
  });
  assert.deepEqual([verdict, operations], ['violated', CHAT_HISTORY_MAX + 2]);
});
