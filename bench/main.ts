// `npm run bench -- JOURNEY [ROUNDS]`: measures one journey on this machine and prints the figures.
import { benchCrc32c } from './crc32c.ts';
import { benchFailover } from './failover.ts';
import { benchStart } from './start.ts';
import { benchTrade } from './trade.ts';

const [journey = '', rounds = ''] = process.argv.slice(2);
const journeys: Record<string, { readonly rounds: number; run(rounds: number): Promise<void> }> = {
  crc32c: { rounds: 15, run: benchCrc32c },
  start: { rounds: 5, run: benchStart },
  trade: { rounds: 5, run: benchTrade },
  failover: { rounds: 20, run: benchFailover },
};
const chosen = Object.hasOwn(journeys, journey) ? journeys[journey] : undefined;
if (chosen === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(journeys).join('|')} [rounds]\n`);
  process.exitCode = 2;
} else {
  await chosen.run(rounds === '' ? chosen.rounds : Number(rounds));
}
