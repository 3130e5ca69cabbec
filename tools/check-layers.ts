// Checks the arrows between the rooms of `src`: who may import whom, no circles, no hidden doors.
//
// `npm test` runs it on this tree. The table below is the one of ARCHITECTURE.md in the form that the
// machine reads: to change the architecture, change both and write a decision record. Imports that
// carry types only count like all others.
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { lineAt, scan, skipSpace, type Source } from './source.ts';
import { readTree, report, type Tree, type Violation } from './tree.ts';

interface Room {
  /** A path below `src`; `x/*` is one room for each folder or file in `x`. */
  readonly room: string;
  /** Other rooms, or single files of them. Its own files a room may always import. */
  readonly mayImport: readonly string[];
  /** `npm` adds packages of the registry, `node` those and Node's own modules. */
  readonly outside?: 'npm' | 'node';
  /** What its code must not name. */
  readonly forbids?: readonly ForbiddenWords[];
}

interface ForbiddenWords {
  readonly words: RegExp;
  readonly because: string;
}

const ASKS_THE_MACHINE: ForbiddenWords = {
  words: new RegExp(
    '\\b(?:Date|performance|crypto|process|globalThis|Math\\s*\\.\\s*random|' +
      'setTimeout|setInterval|setImmediate|queueMicrotask)\\b',
    'g',
  ),
  because: 'asks the machine: let the caller hand it in (a port of src/runtime/ports.ts)',
};
const MAY_DIFFER: ForbiddenWords = {
  words: /\b(?:Intl|localeCompare|toLocale\w*|WeakRef|FinalizationRegistry)\b|\.\s*normalize(?=\s*\()/g,
  because: 'may differ between machines or runs: use plain comparisons and ordered maps',
};
const WAITS: ForbiddenWords = {
  words: /\b(?:async|await|Promise)\b/g,
  because: 'waits, and a core never does: return an effect and be called again',
};
const ROUNDS: ForbiddenWords = {
  words:
    /\bMath\s*\.\s*(?:a?(?:sin|cos|tan)h?|atan2|cbrt|exp|expm1|hypot|log|log1p|log2|log10|pow)\b/g,
  because: 'may differ in the last digit between engines: compute with integers',
};
const DETERMINISTIC: readonly ForbiddenWords[] = [ASKS_THE_MACHINE, MAY_DIFFER, WAITS, ROUNDS];
/** Everything above the cores and below the doors: time and chance come in through ports. */
const THROUGH_PORTS: readonly ForbiddenWords[] = [ASKS_THE_MACHINE];

const BELOW_PLACES: readonly string[] = ['base', 'wire', 'protocols', 'world', 'runtime'];
const BELOW_DRILLS: readonly string[] = [...BELOW_PLACES, 'services', 'adapters', 'client', 'verify'];

export const ROOMS: readonly Room[] = [
  // ground
  { room: 'base', mayImport: [], forbids: DETERMINISTIC },
  // cores
  { room: 'wire', mayImport: ['base'], forbids: DETERMINISTIC },
  { room: 'protocols/*', mayImport: ['base', 'protocols/state-machine.ts'], forbids: DETERMINISTIC },
  // meaning
  { room: 'world', mayImport: ['base', 'wire', 'protocols'], forbids: DETERMINISTIC },
  { room: 'runtime', mayImport: ['base', 'wire', 'protocols'], forbids: THROUGH_PORTS },
  // places
  { room: 'services', mayImport: BELOW_PLACES, forbids: THROUGH_PORTS },
  { room: 'adapters', mayImport: ['base', 'wire', 'runtime/ports.ts'], outside: 'node' },
  { room: 'client', mayImport: ['base', 'wire'] },
  { room: 'dashboard', mayImport: ['base', 'wire', 'client'], outside: 'npm' },
  // drills
  { room: 'verify', mayImport: ['base'] },
  { room: 'crowd', mayImport: BELOW_DRILLS },
  { room: 'host', mayImport: [...BELOW_DRILLS, 'crowd'] },
  { room: 'sim', mayImport: BELOW_DRILLS.filter((room) => room !== 'adapters'), forbids: THROUGH_PORTS },
  { room: 'chaos', mayImport: [...BELOW_DRILLS, 'host', 'crowd'] },
  // roof
  { room: 'cli', mayImport: [...BELOW_DRILLS, 'host', 'crowd', 'sim', 'chaos'], outside: 'node' },
  { room: 'index.ts', mayImport: BELOW_DRILLS },
];

interface Import {
  readonly offset: number;
  /** Nothing when it is computed. */
  readonly specifier: string | undefined;
}

/** Every violation in the files `src/**` of the tree, in their order. */
export function checkLayers(tree: Tree): readonly Violation[] {
  const violations: Violation[] = [];
  const graph = new Map<string, readonly string[]>();
  for (const [path, text] of tree) {
    if (!path.startsWith('src/') || !path.endsWith('.ts')) continue;
    const source = scan(text);
    const at = (offset: number, what: string): void => {
      violations.push({ path, line: lineAt(text, offset), text: what });
    };
    const room = roomOf(path);
    if (room === undefined) {
      at(0, 'lies in no known room: move it, or add the room to check-layers with a decision record');
      continue;
    }
    const targets: string[] = [];
    for (const found of importsOf(source)) {
      const target = resolve(path, found.specifier);
      if (target !== undefined) targets.push(target);
      const what = judge(tree, room, path, found);
      if (what !== undefined) at(found.offset, what);
    }
    graph.set(path, targets);
    for (const { words, because } of room.forbids ?? []) {
      for (const match of source.code.matchAll(words)) at(match.index, `${match[0]} ${because}`);
    }
  }
  return [...violations, ...circles(graph)];
}

function importsOf(source: Source): readonly Import[] {
  const imports: Import[] = [];
  for (const match of source.code.matchAll(/\b(?:from\s*(?=['"])|import\s*(?=['"])|import\s*\(\s*)/g)) {
    const open = skipSpace(source.code, match.index + match[0].length);
    const quote = source.code[open] as string;
    const quoted = quote === "'" || quote === '"' || quote === '`';
    const close = source.code.indexOf(quote, open + 1);
    const specifier = quoted ? source.text.slice(open + 1, close) : undefined;
    imports.push({ offset: match.index, specifier });
  }
  return imports;
}

/** What is wrong with one import, if anything. */
function judge(tree: Tree, room: Room, path: string, found: Import): string | undefined {
  const { specifier } = found;
  if (specifier === undefined) {
    const dynamic = 'imports a computed name: write the name out, or do it in adapters or cli';
    return room.outside === 'node' ? undefined : dynamic;
  }
  const target = resolve(path, specifier);
  if (target === undefined) return judgeOutside(room, specifier);
  if (!tree.has(target)) {
    return `imports ${target}, which does not exist: write the full file name, with .ts`;
  }
  if (ownRoom(room, path, target)) return undefined;
  const allowed = room.mayImport.some((name) =>
    name.endsWith('.ts') ? target === `src/${name}` : target.startsWith(`src/${name}/`),
  );
  if (allowed) return undefined;
  const list = room.mayImport.length === 0 ? 'nothing else' : room.mayImport.join(', ');
  const cure = 'move what is shared down, or hand it in';
  return `imports ${target}, but ${room.room} may import only ${list}: ${cure}`;
}

function judgeOutside(room: Room, specifier: string): string | undefined {
  const name = specifier.split('/')[0] as string;
  if (name === 'bluemarble') return `imports '${specifier}': inside, import the file itself`;
  const builtin = specifier.startsWith('node:') || builtinModules.includes(name);
  if (room.outside === 'node' || (room.outside === 'npm' && !builtin)) return undefined;
  return `imports '${specifier}': only adapters and cli reach outside; ask through a port`;
}

/** The path of a relative import from the root of the tree; nothing for packages. */
function resolve(path: string, specifier: string | undefined): string | undefined {
  if (specifier === undefined || !specifier.startsWith('.')) return undefined;
  return posix.join(posix.dirname(path), specifier);
}

function roomOf(path: string): Room | undefined {
  return ROOMS.find(({ room }) => {
    if (room.endsWith('.ts')) return path === `src/${room}`;
    return path.startsWith(`src/${room.replace('*', '')}${room.endsWith('*') ? '' : '/'}`);
  });
}

function ownRoom(room: Room, path: string, target: string): boolean {
  if (room.room.endsWith('.ts')) return target === path;
  if (!room.room.endsWith('/*')) return target.startsWith(`src/${room.room}/`);
  const [, top, own, deeper] = path.split('/');
  return deeper !== undefined && target.startsWith(`src/${top}/${own}/`);
}

/** One violation for each knot of files that reach each other, with a shortest way around. */
function circles(graph: ReadonlyMap<string, readonly string[]>): readonly Violation[] {
  const violations: Violation[] = [];
  const told = new Set<string>();
  for (const start of graph.keys()) {
    if (told.has(start)) continue;
    const way = shortestCircle(graph, start);
    if (way === undefined) continue;
    for (const path of way) told.add(path);
    const drawn = [...way, start].map((path) => path.replace('src/', '')).join(' -> ');
    const text = `is in a circle: ${drawn}; move what they share into a file of its own`;
    violations.push({ path: start, line: 1, text });
  }
  return violations;
}

/** The files on a shortest way from `start` back to itself, `start` first. */
function shortestCircle(
  graph: ReadonlyMap<string, readonly string[]>,
  start: string,
): readonly string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const path of queue) {
    for (const next of graph.get(path) ?? []) {
      if (next === start) {
        const way = [path];
        while (way[0] !== start) way.unshift(cameFrom.get(way[0] as string) as string);
        return way;
      }
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, path);
      queue.push(next);
    }
  }
  return undefined;
}

if (import.meta.main) {
  const clean = report('layers', checkLayers(readTree(process.argv[2] ?? '.')));
  process.exitCode = clean ? 0 : 1;
}
