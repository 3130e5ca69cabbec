import assert from 'node:assert/strict';
import test from 'node:test';
import { jobLines } from '../../src/host/checkpoint-commands.ts';

test('jobs that wait after a restore are told, one as one and several as several', () => {
  assert.deepEqual(jobLines({ asked: 0, unasked: 0 }), []);
  const [one = '', oneMore = ''] = jobLines({ asked: 1, unasked: 1 });
  assert.match(one, /^1 job waits for the economy: /);
  assert.match(oneMore, /^1 more job could not be asked about/);
  const [three = '', twoMore = ''] = jobLines({ asked: 3, unasked: 2 });
  assert.match(three, /^3 jobs wait for the economy: /);
  assert.match(twoMore, /^2 more jobs could not be asked about/);
});
