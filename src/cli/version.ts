// The version of this package, as operators see it.
import { readFileSync } from 'node:fs';

/** Out of `package.json`, which lies at the same place beside the sources and the built files. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const manifest: unknown = JSON.parse(text);
  const isNamed = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isNamed ? String(manifest.version) : 'unknown';
}
