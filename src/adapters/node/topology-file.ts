// The file in which a world's topology stands, as JSON.
//
// `cli/node` reads it; `services/topology-rules` judges what is in it.
import { basename, dirname } from 'node:path';

import { readJson } from './process-files.ts';
import { StartError } from './start-error.ts';

/** What the file holds, unchecked. Throws `StartError` when it is not there or is no JSON. */
export function readTopologyFile(file: string): unknown {
  const found = readJson(dirname(file), basename(file));
  switch (found.kind) {
    case 'json':
      return found.value;
    case 'absent':
      throw new StartError(`There is no topology file ${file}: name another one with --topology.`);
    case 'unreadable':
      throw new StartError(`${file} can not be read as JSON: mend it or name another topology file.`);
  }
}
