// A process that writes to a journal until it is killed, and tells on stdout what is durable.
//
// Arguments: folder. Each line is the highest index of group 1 that was called durable.
import fs from 'node:fs';
import { openDisk } from '../../src/adapters/node/disk.ts';
import { nodeId } from '../../src/base/id.ts';
import { Journal } from '../../src/runtime/journal.ts';
import { entryOf, SEGMENT_BYTES } from './journal-entries.ts';

const { journal, recovered } = Journal.open(openDisk(process.argv[2] ?? ''), {
  segmentBytes: SEGMENT_BYTES,
});
const found = recovered.get(1);
const term = (found?.hardState.term ?? 0) + 1;
let last = (found?.snapshot.index ?? 0) + (found?.entries.length ?? 0);

function turn(): void {
  const batch = Array.from({ length: 1 + (last % 7) }, (_, i) => entryOf(last + 1 + i));
  last += batch.length;
  const end = last;
  journal.stage(1, { hardState: { term, votedFor: nodeId(1) }, entries: batch });
  if (end % 50 === 0) {
    const membership = { incoming: [nodeId(1)], outgoing: [], learners: [], retiring: [] };
    journal.compact(1, { index: end - 20, term: 1, timeMs: 0, membership, digest: 0 });
  }
  journal.flush(() => fs.writeSync(1, `${end}\n`));
  setImmediate(turn);
}
turn();
