import assert from 'node:assert/strict';
import test from 'node:test';
import { CHAT_HISTORY_MAX, type ChatMessage } from '../../../src/wire/regional-calls.ts';
import { chat, SAY_PACE } from '../../../src/world/features/chat.ts';
import { type Answer, AskedGroup, reasonOf, START_MS } from '../../support/asked-group.ts';
import { ASIA, EU, LinkedLogs } from '../../support/linked-logs.ts';

const say = (log: AskedGroup, player: number, channel: string, text: string): Answer =>
  log.ask(player, 'chat.say', { channel, text });
function historyOf(log: AskedGroup, channel: string): readonly ChatMessage[] {
  const answer = log.query(1, 'chat.history', { channel });
  return answer.kind === 'done' ? (answer.value as ChatMessage[]) : assert.fail(answer.reason);
}
const textsOf = (log: AskedGroup, channel: string): readonly string[] =>
  historyOf(log, channel).map(({ text }) => text);

test('what is said in a region is heard there, in the order in which it was said', () => {
  const { eu, asia } = new LinkedLogs();
  const said = say(eu, 1, 'region', 'hello');
  assert.deepEqual(said.kind === 'done' && said.value, { region: 'eu', number: 1, timeMs: START_MS });
  const message = { channel: 'region', region: 'eu', number: 1, player: 1, text: 'hello', timeMs: START_MS };
  assert.deepEqual(eu.notices, [{ player: 0, region: EU, push: 'chat', value: message }]);
  say(eu, 2, 'region', 'well met');
  assert.deepEqual(textsOf(eu, 'region'), ['hello', 'well met']);
  assert.deepEqual(textsOf(eu, 'world'), []);
  assert.deepEqual(textsOf(asia, 'region'), []);
});

test('what is said to the world is heard in every region, and everybody there is told', () => {
  const logs = new LinkedLogs();
  say(logs.eu, 1, 'world', 'good morning');
  assert.deepEqual(textsOf(logs.eu, 'world'), ['good morning']);
  assert.deepEqual(textsOf(logs.asia, 'world'), []);
  logs.send(EU, ASIA);
  assert.deepEqual(historyOf(logs.asia, 'world'), historyOf(logs.eu, 'world'));
});

test('both sides of a cut talk on, and show the same once they hear each other again', () => {
  const logs = new LinkedLogs();
  for (let round = 1; round <= 3; round++) {
    logs.wait(SAY_PACE.everyMs);
    logs.asia.timeMs += 7;
    say(logs.eu, 1, 'world', `eu ${round}`);
    say(logs.asia, 2, 'world', `asia ${round}`);
  }
  assert.deepEqual(textsOf(logs.asia, 'world'), ['asia 1', 'asia 2', 'asia 3']);
  logs.send(EU, ASIA);
  logs.send(ASIA, EU);
  const merged = ['eu 1', 'asia 1', 'eu 2', 'asia 2', 'eu 3', 'asia 3'];
  assert.deepEqual(textsOf(logs.eu, 'world'), merged);
  assert.deepEqual(textsOf(logs.asia, 'world'), merged);
});

test('a channel that there is not is refused, for talkers and for readers', () => {
  const { eu } = new LinkedLogs();
  assert.equal(reasonOf(say(eu, 1, 'guild', 'psst')), 'unknown-channel');
  assert.equal(reasonOf(eu.query(1, 'chat.history', { channel: 'guild' })), 'unknown-channel');
});

test('who talks too fast is refused until he has been silent for a while; others are not', () => {
  const { eu } = new LinkedLogs();
  for (let count = 0; count < SAY_PACE.burst; count++) {
    assert.equal(reasonOf(say(eu, 1, 'region', `${count}`)), 'done');
  }
  assert.equal(reasonOf(say(eu, 1, 'region', 'one more')), 'too-fast');
  assert.equal(reasonOf(say(eu, 1, 'world', 'elsewhere')), 'too-fast');
  assert.equal(reasonOf(say(eu, 2, 'region', 'my turn')), 'done');
  eu.timeMs += SAY_PACE.everyMs - 1;
  assert.equal(reasonOf(say(eu, 1, 'region', 'now')), 'too-fast');
  eu.timeMs += 1;
  eu.restart();
  assert.equal(reasonOf(say(eu, 1, 'region', 'now')), 'done');
  assert.equal(reasonOf(say(eu, 1, 'region', 'and now')), 'too-fast');
});

test('a history keeps the newest messages, and those of a loud region push out no other region\'s', () => {
  const logs = new LinkedLogs();
  say(logs.asia, 9, 'world', 'from far');
  for (let count = 1; count <= CHAT_HISTORY_MAX + 20; count++) {
    logs.wait(SAY_PACE.everyMs);
    say(logs.eu, 1, 'region', `here ${count}`);
    say(logs.eu, 2, 'world', `there ${count}`);
  }
  assert.equal(historyOf(logs.eu, 'region').length, CHAT_HISTORY_MAX);
  assert.equal(textsOf(logs.eu, 'region')[0], 'here 21');
  logs.wait(SAY_PACE.everyMs);
  say(logs.asia, 9, 'world', 'still far');
  logs.settle();
  assert.equal(historyOf(logs.asia, 'world').length, CHAT_HISTORY_MAX);
  assert.equal(textsOf(logs.asia, 'world').at(-1), 'still far');
  assert.deepEqual(historyOf(logs.asia, 'world'), historyOf(logs.eu, 'world'));
});

test('a region that is away for long gets at least all that it can still show', () => {
  const logs = new LinkedLogs();
  for (let count = 1; count <= 2_000; count++) {
    logs.wait(SAY_PACE.everyMs);
    say(logs.eu, 1, 'world', `${count}`);
  }
  logs.settle();
  assert.deepEqual(historyOf(logs.asia, 'world'), historyOf(logs.eu, 'world'));
  assert.equal(textsOf(logs.asia, 'world').at(-1), '2000');
});

test('channels outlive a restart', () => {
  const logs = new LinkedLogs();
  say(logs.eu, 1, 'region', 'Zoë, ☃');
  say(logs.eu, 1, 'world', 'to all');
  logs.send(EU, ASIA);
  for (const log of [logs.eu, logs.asia]) {
    const before = log.machine.snapshot();
    log.restart();
    assert.deepEqual(log.machine.snapshot(), before);
  }
  assert.deepEqual(textsOf(logs.eu, 'region'), ['Zoë, ☃']);
  assert.deepEqual(textsOf(logs.asia, 'world'), ['to all']);
});

test('text that nobody could read is refused before anyone looks at it', () => {
  const { args } = chat.commands['say'] ?? assert.fail();
  const hostile = ['', ' ', '\t', 'a\nb', '\u0000', '\u009f', '\u2028', 'x'.repeat(201), '\ud800', 7, null];
  for (const text of [...hostile, '\u200b', '\u2800', '\u3164', 'a\u202eb']) {
    assert.throws(() => args.parse({ channel: 'world', text }, 'args'), String(text));
  }
  for (const channel of ['', 'WORLD', 'a b', 'x'.repeat(33), '__proto__', 1]) {
    assert.throws(() => args.parse({ channel, text: 'hello' }, 'args'), String(channel));
  }
  assert.deepEqual(args.parse({ channel: 'world', text: ' ok ☃ ' }, 'args'), {
    channel: 'world',
    text: ' ok ☃ ',
  });
});
