// Rare items, when all is over: each was claimed once, and each that was made was made by one claim.
//
// `run.ts` calls it once no event waits anywhere. What workshops told their players stands in the regions'
// logs, and what was consumed and minted in the economy's books: both must come to the same.
import type { Audit } from '../../wire/calls.ts';
import { decodeReply, encodeQuery } from '../../wire/command.ts';
import { type Job, myWorkshop } from '../../wire/regional-calls.ts';
import { decodeWith, encodeWith } from '../../wire/schema.ts';
import { awaiting } from '../../world/features/crafting-events.ts';
import { FIRST_ITEMS } from '../../world/features/holdings.ts';
import { type Primary, primariesOf } from './region-events.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { RegionHistory } from '../checks/region-history.ts';
import type { Verdicts } from '../checks/violation.ts';

const MINE = { call: 'crafting.mine', args: encodeWith(myWorkshop.args, null) };

/** No workshop waits for a word of the economy. */
export function areWorkshopsAnswered(cluster: Cluster, players: readonly number[]): boolean {
  const waits = ({ state }: Job): boolean => awaiting.some((each) => each === state);
  return primariesOf(cluster).every((primary) =>
    players.every((player) => !jobsOf(primary, player).some(waits)),
  );
}

/** `books`: of the economy, after its last entry. */
export function countRareItems(
  histories: Iterable<RegionHistory>,
  books: Audit | undefined,
  verdicts: Verdicts,
): void {
  if (books === undefined) return;
  const claims = new Map<number, string>();
  const made = new Map<number, string>();
  const claimedBy = new Set<string>();
  for (const history of histories) {
    for (const job of history.told()) {
      const place = `${history.name} ${job.job}`;
      if (job.state === 'working' && job.reason === '') {
        isFirst(claims, job.item, { place, what: 'claimed' }, verdicts);
        claimedBy.add(place);
      } else if (job.state === 'made' && job.made > 0) {
        isFirst(made, job.made, { place, what: 'made' }, verdicts);
        if (!claimedBy.delete(place)) verdicts.broken('RARE', `${place} has made ${job.made} of no claim`);
      }
    }
  }
  const { players, itemsConsumed, itemsMinted } = books;
  const minted = itemsMinted - players * FIRST_ITEMS.length;
  if (itemsConsumed === claims.size && minted === made.size) return;
  const told = `workshops were told of ${claims.size} claims and ${made.size} products`;
  verdicts.broken('RARE', `${told}; the economy has consumed ${itemsConsumed} and made ${minted}`);
}

function isFirst(
  known: Map<number, string>,
  item: number,
  { place, what }: { readonly place: string; readonly what: string },
  verdicts: Verdicts,
): void {
  const before = known.get(item);
  if (before !== undefined) verdicts.broken('RARE', `item ${item} is ${what} at ${before} and at ${place}`);
  known.set(item, place);
}

function jobsOf({ read }: Primary, player: number): readonly Job[] {
  const reply = decodeReply(read(encodeQuery({ player, ...MINE })));
  return reply.kind === 'done' ? decodeWith(myWorkshop.value, reply.value).jobs : [];
}
