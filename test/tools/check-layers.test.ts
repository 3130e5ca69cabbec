// The layer check against trees with one planted fault each.
import assert from 'node:assert/strict';
import test from 'node:test';
import { checkLayers } from '../../tools/check-layers.ts';

const cleanTree: Readonly<Record<string, string>> = {
  'src/base/id.ts': 'export type NodeId = number;\n',
  'src/wire/frame.ts': "import type { NodeId } from '../base/id.ts';\nexport type From = NodeId;\n",
  'src/protocols/state-machine.ts': "export type { NodeId } from '../base/id.ts';\n",
  'src/protocols/raft/log.ts': "export * from '../state-machine.ts';\n",
  'src/protocols/raft/node.ts': "import { log } from './log.ts';\nlog();\n",
  'src/runtime/ports.ts': "import type { NodeId } from '../base/id.ts';\nexport type To = NodeId;\n",
  'src/runtime/turn.ts': "import type { To } from './ports.ts';\nexport type Turn = To;\n",
  'src/adapters/node/clock.ts': "import { hrtime } from 'node:process';\nimport '../../runtime/ports.ts';\n",
  'src/cli/main.ts': "import '../adapters/node/clock.ts';\nconst at = Date.now();\n",
  'src/index.ts': "export type { From } from './wire/frame.ts';\n",
};

/** What is found when these files are added to a clean tree. */
function found(files: Readonly<Record<string, string>>): string {
  const tree = new Map(Object.entries({ ...cleanTree, ...files }));
  return checkLayers(tree)
    .map(({ path, line, text }) => `${path}:${line} ${text}`)
    .join('\n');
}

test('a tree that keeps to its floors passes', () => {
  assert.equal(found({}), '');
});

const upward: readonly (readonly [path: string, text: string])[] = [
  ['src/base/up.ts', "import { x } from '../wire/frame.ts';"],
  ['src/base/up.ts', "import type { x } from '../wire/frame.ts';"],
  ['src/base/up.ts', "export { x } from '../wire/frame.ts';"],
  ['src/base/up.ts', "export type * from '../wire/frame.ts';"],
  ['src/base/up.ts', "import '../wire/frame.ts';"],
  ['src/base/up.ts', "const x = import('../wire/frame.ts');"],
  ['src/base/up.ts', "type X = import('../wire/frame.ts').From;"],
  ['src/wire/up.ts', "import '../protocols/state-machine.ts';"],
  ['src/protocols/liveness.ts', "import './raft/log.ts';"],
  ['src/protocols/raft/up.ts', "import '../../wire/frame.ts';"],
  ['src/protocols/primary/up.ts', "import '../raft/log.ts';"],
  ['src/world/up.ts', "import '../runtime/turn.ts';"],
  ['src/adapters/node/up.ts', "import '../../runtime/turn.ts';"],
  ['src/client/up.ts', "import '../runtime/ports.ts';"],
  ['src/services/up.ts', "import '../adapters/node/clock.ts';"],
  ['src/host/up.ts', "import '../cli/main.ts';"],
  ['src/crowd/up.ts', "import '../index.ts';"],
];

for (const [path, text] of upward) {
  test(`an arrow that runs up is found: ${path} with ${text}`, () => {
    const said = new RegExp(`^${path}:2 imports src/.* may import only`);
    assert.match(found({ [path]: `\n${text}\n` }), said);
  });
}

test('the crowd does not know its host, and the host may know the crowd', () => {
  const crowd = { 'src/crowd/walker.ts': 'export {};\n' };
  assert.equal(found({ ...crowd, 'src/host/run.ts': "import '../crowd/walker.ts';\n" }), '');
  const host = { 'src/host/run.ts': 'export {};\n' };
  assert.match(found({ ...host, 'src/crowd/walker.ts': "import '../host/run.ts';\n" }), /may import only/);
});

test('files that import each other are found, types only or not, and told once', () => {
  const text = found({
    'src/world/a.ts': "import type { b } from './b.ts';\n",
    'src/world/b.ts': "export * from './c.ts';\n",
    'src/world/c.ts': "import './a.ts';\n",
  });
  assert.match(text, /^src\/world\/a\.ts:1 is in a circle: world\/a\.ts -> .* -> world\/a\.ts; /);
  assert.equal(text.includes('\n'), false);
});

test('a file that imports itself is a circle', () => {
  assert.match(found({ 'src/world/a.ts': "import './a.ts';\n" }), /is in a circle/);
});

test('only adapters and cli import modules of Node or packages', () => {
  for (const name of ['node:fs', 'fs', 'ws', '@hono/node-server', 'fs/promises']) {
    for (const room of ['base', 'wire', 'protocols/raft', 'world', 'runtime', 'client', 'services', 'host']) {
      const text = found({ [`src/${room}/door.ts`]: `import '${name}';\n` });
      assert.match(text, /only adapters and cli reach outside/, `${room} ${name}`);
    }
    assert.equal(found({ 'src/adapters/node/door.ts': `import '${name}';\n` }), '');
  }
});

test('the dashboard may use packages of the registry, and nothing of Node', () => {
  assert.equal(found({ 'src/dashboard/globe.ts': "import 'preact';\n" }), '');
  assert.match(found({ 'src/dashboard/globe.ts': "import 'node:fs';\n" }), /reach outside/);
});

test('nobody inside imports the package by its name', () => {
  assert.match(found({ 'src/cli/run.ts': "import 'bluemarble/client';\n" }), /import the file itself/);
});

test('an import must name a file that exists, in full', () => {
  assert.match(found({ 'src/wire/a.ts': "import '../base/id';\n" }), /does not exist/);
});

test('a computed import hides an arrow, so only the outer rooms may have one', () => {
  assert.match(found({ 'src/services/a.ts': 'const x = import(name);\n' }), /computed name/);
  assert.equal(found({ 'src/cli/a.ts': 'const x = import(name);\n' }), '');
});

test('a folder that is no known room is found', () => {
  assert.match(found({ 'src/lib/a.ts': 'export {};\n' }), /lies in no known room/);
  assert.match(found({ 'src/stray.ts': 'export {};\n' }), /lies in no known room/);
});

const hiddenDoors: readonly string[] = [
  'Date.now()',
  'performance.now()',
  'Math.random()',
  'crypto.subtle',
  'setTimeout(f, 1)',
  'setInterval(f, 1)',
  'setImmediate(f)',
  'queueMicrotask(f)',
  'process.exit()',
  'globalThis.x',
  'async () => 1',
  'await x',
  'new Promise(f)',
  'new Intl.Collator()',
  'a.localeCompare(b)',
  'a.toLocaleUpperCase()',
  "a.normalize('NFC')",
  'new WeakRef(a)',
  'Math.sin(a)',
  'Math.atan2(a, b)',
  'Math.hypot(a, b)',
];

test('no deterministic floor names what differs from run to run', () => {
  for (const room of ['base', 'wire', 'protocols/raft', 'world']) {
    for (const door of hiddenDoors) {
      const text = found({ [`src/${room}/door.ts`]: `const x = 1;\nconst y = ${door};\n` });
      assert.match(text, new RegExp(`^src/${room}/door.ts:2 `), `${room}: ${door}`);
    }
  }
});

test('the runtime and the services take time and chance from ports, and may wait', () => {
  assert.match(found({ 'src/runtime/a.ts': 'Date.now();\n' }), /asks the machine/);
  assert.match(found({ 'src/services/a.ts': 'setTimeout(f, 1);\n' }), /asks the machine/);
  assert.equal(found({ 'src/services/a.ts': 'const f = async () => await g();\n' }), '');
});

test('the same words in comments, strings and longer words are no fault', () => {
  const text = `// Date and async\nconst a = 'Date.now()';\nconst update = \`await \${a}\`;\nMath.sqrt(2);\n`;
  assert.equal(found({ 'src/base/a.ts': text }), '');
});
