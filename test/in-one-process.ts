// All tests that need no process of their own, in one process: seconds instead of half a minute.
//
// `tools/test.ts` hands this file to the test runner. A file that cannot be loaded is a failed test, and
// the others still run. Tests here leave nothing behind: no timer, no global, no file.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

const apart: readonly string[] = ['checks.test.ts', 'processes'];

const files: readonly string[] = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !apart.some((one) => name.startsWith(one)))
  .sort();

for (const file of files) {
  try {
    await import(join(import.meta.dirname, file));
  } catch (error) {
    test(`test/${file} can be loaded`, () => {
      throw error;
    });
  }
}
