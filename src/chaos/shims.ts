// Disks and clocks that fail on demand: two small libraries in C, preloaded into the nodes of a drill.
//
// `cluster.ts` builds them once for a drill and starts its nodes with them; `nemesis.ts` arms and disarms
// them by files that they read. Where there is no C compiler the nemeses that need them are left out, with
// the reason.
import { buildPreload, writeText } from '../adapters/node/drill-files.ts';

/** From here it is the same way in the sources and in the built package. */
const NATIVE = '../../src/chaos/native/';

export interface Shims {
  /** Why there are none; `undefined` where there are. */
  readonly absent: string | undefined;
  /** What to set in the environment of this node's process. */
  environmentOf(node: string): Readonly<Record<string, string>>;
  /** One line of `faultdisk.c`; empty to disarm. */
  setDisk(node: string, line: string): void;
  /** How wrong the wall clock is; 0 for a right one. */
  setClock(node: string, offsetMs: number): void;
}

/** `folder` holds the libraries and the files that arm them. */
export function buildShims(folder: string): Shims {
  const names = ['faultdisk', 'faultclock'];
  const built = names.map((name) =>
    buildPreload(new URL(`${NATIVE}${name}.c`, import.meta.url), `${folder}/${name}.so`),
  );
  const missing = built.find((each) => each.kind === 'absent');
  const libraries = built.flatMap((each) => (each.kind === 'built' ? [each.path] : []));
  return {
    absent: missing?.kind === 'absent' ? missing.reason : undefined,
    environmentOf: (node) =>
      missing === undefined
        ? {
            LD_PRELOAD: libraries.join(':'),
            FAULT_DISK: `${folder}/${node}.disk`,
            FAULT_CLOCK: `${folder}/${node}.clock`,
          }
        : {},
    setDisk: (node, line) => void writeText(folder, `${node}.disk`, line),
    setClock: (node, offsetMs) => void writeText(folder, `${node}.clock`, String(offsetMs)),
  };
}
