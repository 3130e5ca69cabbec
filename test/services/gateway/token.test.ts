import assert from 'node:assert/strict';
import test from 'node:test';

import fc from 'fast-check';

import { issueToken, readToken } from '../../../src/services/gateway/token.ts';
import { plainSecrets } from '../../support/tiny-world.ts';

const secrets = plainSecrets();
const session = { player: 7, session: 1_234_567, expiresAtMs: 1_800_000_000_000 };

test('a token gives back the session it was made for', () => {
  const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  const sessions = fc.record(
    { player: count, session: count, expiresAtMs: count },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(sessions, (given) => {
      const token = issueToken(secrets, given);
      assert.match(token, /^[A-Za-z0-9_-]+$/);
      assert.deepEqual(readToken(secrets, token), given);
    }),
  );
});

test('a token that differs in any character proves nothing', () => {
  const token = issueToken(secrets, session);
  for (let place = 0; place < token.length; place++) {
    const other = token[place] === 'A' ? 'B' : 'A';
    const forged = token.slice(0, place) + other + token.slice(place + 1);
    assert.equal(readToken(secrets, forged), undefined, `character ${place}`);
  }
});

test('a token of another key proves nothing', () => {
  const token = issueToken({ ...secrets, sign: () => Uint8Array.of(1, 2) }, session);
  assert.equal(readToken(secrets, token), undefined);
});

test('any other text is no token', () => {
  const token = issueToken(secrets, session);
  for (const text of ['', 'A', '====', 'ÄÖ', token.slice(0, -1), `${token}A`, `${token}AA`, ` ${token}`]) {
    assert.equal(readToken(secrets, text), undefined, text);
  }
  fc.assert(fc.property(fc.string(), (text) => readToken(secrets, text) === undefined));
});
