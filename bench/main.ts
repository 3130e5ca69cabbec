// `npm run bench -- JOURNEY [ROUNDS] [CAUSES]`: measures one journey on this machine and prints the figures.
import { benchCheckpoints } from './checkpoints.ts';
import { benchCrc32c } from './crc32c.ts';
import { benchDetection } from './detection.ts';
import { benchElections } from './elections.ts';
import { benchFailover } from './failover.ts';
import { benchFanOut } from './fan-out.ts';
import { benchMinority } from './minority.ts';
import { benchPromotion } from './promotion.ts';
import { benchSim } from './sim.ts';
import { benchStart } from './start.ts';
import { benchSuspicions } from './suspicions.ts';
import { benchTrade } from './trade.ts';
import { benchVerify } from './verify.ts';

interface Journey {
  readonly rounds: number;
  run(rounds: number, words: readonly string[]): Promise<void>;
}

const [journey = '', rounds = '', ...words] = process.argv.slice(2);
const journeys: Record<string, Journey> = {
  checkpoints: { rounds: 3, run: benchCheckpoints },
  crc32c: { rounds: 15, run: benchCrc32c },
  sim: { rounds: 5, run: benchSim },
  start: { rounds: 5, run: benchStart },
  trade: { rounds: 5, run: benchTrade },
  /** Its words are causes, all when there are none, and a file such as `g.txt` that keeps the figures. */
  failover: { rounds: 20, run: benchFailover },
  minority: { rounds: 10, run: benchMinority },
  /** Its rounds are minutes. */
  elections: { rounds: 10, run: benchElections },
  /** Its words are scenarios, with a number of players if they like: `towns:3000`. */
  'fan-out': { rounds: 1, run: benchFanOut },
  /** Its rounds are runs of three minutes for each line. */
  detection: { rounds: 40, run: benchDetection },
  /** Its rounds are minutes. */
  suspicions: { rounds: 10, run: benchSuspicions },
  /** As failover. */
  promotion: { rounds: 10, run: benchPromotion },
  verify: { rounds: 5, run: benchVerify },
};
const chosen = Object.hasOwn(journeys, journey) ? journeys[journey] : undefined;
if (chosen === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(journeys).join('|')} [rounds]\n`);
  process.exitCode = 2;
} else {
  await chosen.run(rounds === '' ? chosen.rounds : Number(rounds), words);
}
