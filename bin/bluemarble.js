#!/usr/bin/env node
// The `bluemarble` command: makes sure that Node is new enough, then starts the command line.
//
// Users call it, on any Node: so old syntax and bare names of built-in modules only, and nothing of the
// product is imported before the version is known. In a clone the launcher does the same for the sources.
import { existsSync, readFileSync } from 'fs';
import { createRequire } from 'module';
import { fileURLToPath } from 'url';

const launcher = fileURLToPath(new URL('../tools/launch.cjs', import.meta.url));

if (existsSync(launcher)) {
  const words = ['run', 'src/cli/main.ts'].concat(process.argv.slice(2));
  createRequire(import.meta.url)(launcher).launch(words);
} else {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const needed = manifest.engines.node.match(/\d+/g).map(Number);
  const found = process.versions.node.split('.').map(Number);
  if (found[0] > needed[0] || (found[0] === needed[0] && found[1] >= needed[1])) {
    import('../dist/cli/main.js');
  } else {
    console.error(
      'bluemarble: this needs Node.js ' + needed.join('.') + ' or newer and found ' +
        process.versions.node + ': install a newer one from https://nodejs.org.',
    );
    process.exitCode = 1;
  }
}
