// The stock world's replicated features, in an order in which each comes after those it needs.
//
// `services/topology` names them per group; `services/node` finds them here.
import type { Feature } from './feature.ts';
import { accounts } from './features/accounts.ts';
import { chat } from './features/chat.ts';
import { crafting } from './features/crafting.ts';
import { holdings } from './features/holdings.ts';
import { names } from './features/names.ts';
import { placement } from './features/placement.ts';
import { trade } from './features/trade.ts';

export const stockFeatures: readonly Feature[] = [
  accounts,
  names,
  holdings,
  trade,
  placement,
  chat,
  crafting,
];

/** `undefined` when the stock world has no such replicated feature. */
export function findFeature(name: string): Feature | undefined {
  return stockFeatures.find((feature) => feature.name === name);
}
