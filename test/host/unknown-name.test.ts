import assert from 'node:assert/strict';
import test from 'node:test';
import { unknownName } from '../../src/host/unknown-name.ts';
import { topology } from '../support/world-views.ts';

test('names that are all there need no sentence', () => {
  assert.equal(unknownName(topology, { region: 'eu', node: 'asia', group: 'economy' }), undefined);
  assert.equal(unknownName(topology, {}), undefined);
});

test('a name that is not there is answered by those of its kind', () => {
  assert.equal(
    unknownName(topology, { region: 'mars', node: 'eu' }),
    'There is no region "mars": name one of na-west, na-east, eu, asia.',
  );
  assert.match(unknownName(topology, { region: 'eu', node: '' }) ?? '', /^There is no node "": .*global-1, /);
  assert.match(unknownName(topology, { group: 'eu' }) ?? '', /^There is no group "eu": .*auth, economy/);
});
