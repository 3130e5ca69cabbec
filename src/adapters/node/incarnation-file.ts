// Which data folders this node and those it met live in: a small file in its own folder.
//
// `cli/node` opens it once the folder is claimed; `services/incarnations` says what is in it. It is as old as
// the folder, and lost with it: that is what tells a wiped folder from the one before.
import { publishJson, readJson } from './process-files.ts';
import { StartError } from './start-error.ts';

const FILE = 'incarnations.json';

/** `found` throws `StartError` when there is a file that can not be read. */
export function incarnationFile(folder: string): {
  found(): unknown;
  keep(known: readonly object[]): void;
} {
  return {
    found() {
      const file = readJson(folder, FILE);
      if (file.kind === 'json') return file.value;
      if (file.kind === 'absent') return undefined;
      throw new StartError(
        `${FILE} in ${folder} can not be read: see "A damaged folder" in docs/operating.md.`,
      );
    },
    keep: (known) => void publishJson(folder, FILE, known),
  };
}
