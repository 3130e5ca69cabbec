import assert from 'node:assert/strict';
import test from 'node:test';
import { againLine, describeStop, exitCodeOf } from '../../src/chaos/ending.ts';
import { NEMESES } from '../../src/chaos/schedule.ts';

const WISH = {
  command: 'npm run bluemarble -- chaos',
  forMs: 60_000,
  seed: 7,
  nemeses: NEMESES,
  clients: 12,
  worldFile: undefined,
  out: '/tmp/out',
  basePort: undefined,
  isWan: false,
  isKernel: false,
};

test('a drill that its operator ended is not OK, and one that saw a promise broken says so', () => {
  const codes = (['ok', 'violated', 'unknown'] as const).map((verdict) => {
    return [exitCodeOf(verdict, false), exitCodeOf(verdict, true)];
  });
  assert.deepEqual(codes, [
    [0, 130],
    [1, 1],
    [3, 130],
  ]);
});

test('a drill that was ended says how much of it was drilled', () => {
  assert.match(describeStop(4_210, 60_000), /^stopped: 4\.2 s of 1 min 00 s were drilled/);
  assert.match(describeStop(-3, 60_000), /^stopped: 0\.0 s of/);
  assert.match(describeStop(61_000, 60_000), /^stopped: 1 min 00 s of 1 min 00 s/);
});

test('the line to have a drill again holds all that shapes it, as a shell takes it', () => {
  assert.equal(
    againLine(WISH),
    'again: npm run bluemarble -- chaos --for 60s --seed 7 --clients 12 --out /tmp/out',
  );
  const nemeses = ['kill', 'stop'] as const;
  const faults = { nemeses, isWan: true, isKernel: true };
  const own = { ...faults, worldFile: '/my world.ts', basePort: 31_000, out: "/tmp/it's mine" };
  assert.equal(
    againLine({ ...WISH, ...own }),
    'again: npm run bluemarble -- chaos --for 60s --seed 7 --nemesis kill,stop --wan --kernel ' +
      "--world '/my world.ts' --clients 12 --port 31000 --out '/tmp/it'\\''s mine'",
  );
});
