// Which one-way links a cut of a certain shape takes away.
//
// `nemesis.ts` blocks them. Gateways stand on all sides of a partition, unless the shape says otherwise.
import type { CutShape } from '../plan/plan.ts';

export type Way = readonly [from: number, to: number];

export interface Sides {
  readonly globals: readonly number[];
  readonly gateways: readonly number[];
}

/** `node` is whom it is about, where it is about one. */
export function waysOf(
  node: number,
  shape: CutShape,
  { globals, gateways }: Sides,
): readonly Way[] {
  const all = [...globals, ...gateways];
  const others = globals.filter((other) => other !== node);
  const next = neighbourOf(node, globals);
  const inward = all.filter((from) => from !== node).map((from): Way => [from, node]);
  const outward = inward.map(([from, to]): Way => [to, from]);
  switch (shape) {
    case 'isolated':
      return [...inward, ...outward];
    case 'deaf':
      return inward;
    case 'mute':
      return outward;
    case 'old-regime': {
      const loyal = gateways.filter((_, i) => i % 2 === node % 2);
      const rest = [...others, ...gateways.filter((gateway) => !loyal.includes(gateway))];
      return both(pairsAcross([node, ...loyal], rest));
    }
    case 'deaf-to-peers':
      return others.map((from): Way => [from, node]);
    case 'couple':
      return both(pairsAcross([node, next], all.filter((other) => other !== node && other !== next)));
    case 'pair':
      return both([[node, next]]);
    case 'one-way':
      return [[node, next]];
    case 'no-witnesses':
    case 'mute-to-witnesses':
    case 'deaf-to-witnesses':
    case 'no-copies':
    case 'with-gateway':
      return waysOfRegionNode(node, shape, { globals, gateways });
    case 'halves':
      return both(pairsAcross(others.filter((_, i) => i % 2 === 0), [
        node,
        ...others.filter((_, i) => i % 2 === 1),
      ]));
    case 'bridge':
      return both(
        pairsAcross(
          others.filter((_, i) => i % 2 === 0),
          others.filter((_, i) => i % 2 === 1),
        ),
      );
    case 'ring':
      return both(
        pairsAcross(globals, globals).filter(([a, b]) => {
          const apart = Math.abs(globals.indexOf(a) - globals.indexOf(b));
          return a < b && apart !== 1 && apart !== globals.length - 1;
        }),
      );
  }
}

function waysOfRegionNode(
  node: number,
  shape: Extract<CutShape, `${string}witnesses` | 'no-copies' | 'with-gateway'>,
  { globals, gateways }: Sides,
): readonly Way[] {
  const inward = globals.map((from): Way => [from, node]);
  const others = gateways.filter((gateway) => gateway !== node);
  const toOthers = others.map((other): Way => [other, node]);
  switch (shape) {
    case 'no-witnesses':
      return both(inward);
    case 'deaf-to-witnesses':
      return inward;
    case 'mute-to-witnesses':
      return inward.map(([from, to]): Way => [to, from]);
    case 'no-copies':
      return both(toOthers);
    case 'with-gateway':
      return both([...inward, ...toOthers.slice(1)]);
  }
}

/** All links between the ones and the others, both ways. */
export function acrossOf(ones: readonly number[], others: readonly number[]): readonly Way[] {
  return both(pairsAcross(ones, others));
}

function both(pairs: readonly Way[]): readonly Way[] {
  return [...pairs, ...pairs.map(([from, to]): Way => [to, from])];
}

export function neighbourOf(node: number, globals: readonly number[]): number {
  const others = globals.filter((other) => other !== node);
  return others[globals.indexOf(node) % others.length] ?? node;
}

function pairsAcross(ones: readonly number[], others: readonly number[]): readonly Way[] {
  return ones.flatMap((one) => others.map((other): Way => [one, other]));
}
