// Builds the published package: JavaScript and types in `dist`, the sources beside them, one archive.
//
// `npm run pack` puts the archive into the root; the test of the package puts it elsewhere. The private
// root stays as it is: what is published is staged in a folder of its own, with a manifest of its own.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT: string = join(import.meta.dirname, '..');
const FILES: readonly string[] = [
  'src',
  'bin',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'docs',
];
/** What of the root's manifest a user's npm needs; the rest serves those who work on it. */
const MANIFEST_KEYS: readonly string[] = [
  'name',
  'version',
  'description',
  'license',
  'type',
  'engines',
  'sideEffects',
  'bin',
  'exports',
  'dependencies',
];

type Manifest = Readonly<Record<string, unknown>>;

/** Returns the path of the archive, which it leaves in `folder`. Throws when a step fails. */
export function packInto(folder: string): string {
  const stage = mkdtempSync(join(tmpdir(), 'bluemarble-pack-'));
  try {
    for (const path of FILES) {
      mkdirSync(dirname(join(stage, path)), { recursive: true });
      cpSync(join(ROOT, path), join(stage, path), { recursive: true });
    }
    const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    writeFileSync(join(stage, 'package.json'), JSON.stringify(published(manifest), undefined, 2));
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', join(stage, 'dist')], ROOT);
    run('npm', ['pack', '--silent', '--pack-destination', folder], stage);
    return join(folder, `${manifest['name']}-${manifest['version']}.tgz`);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function published(manifest: Manifest): Manifest {
  const kept = MANIFEST_KEYS.map((key) => [key, manifest[key]]);
  return { ...Object.fromEntries(kept), files: ['dist', ...FILES] };
}

function run(file: string, words: readonly string[], folder: string): void {
  const result = spawnSync(file, words, {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (result.status === 0) return;
  const said = result.error?.message ?? `${result.stdout}${result.stderr}`;
  throw new Error(`${file} ${words[0]} failed:\n${said}`);
}

if (import.meta.main) console.log(packInto(ROOT));
