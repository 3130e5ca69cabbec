// What a drill reads off a running world: whether it is whole, and what it has come to.
//
// `run.ts` asks while it waits, and for the history `world`.
import type { WorldView } from '../host/view.ts';
import type { Appointment } from '../verify/invariants.ts';
import type { Cluster } from './cluster.ts';

/** Every node up, none being replaced, every group led and region served, every copy reached and healthy. */
export function isWhole({ nodes, groups, regions, inHand }: WorldView): boolean {
  return (
    inHand === undefined &&
    nodes.every(({ condition }) => condition === 'up') &&
    groups.every(({ leader, members }) => {
      return leader !== undefined && members.every(({ lag }) => lag !== undefined);
    }) &&
    regions.every(({ primary, isSought, copies }) => {
      return primary !== undefined && !isSought && copies.every(({ isHealthy }) => isHealthy);
    })
  );
}

/** Regions whose primary is not on the node of their name, as they all are in a new world. */
export function moved({ regions }: WorldView): readonly string[] {
  return regions.flatMap(({ region, primary, isSought }) => {
    if (isSought) return [`${region} nobody`];
    return primary === region || primary === undefined ? [] : [`${region} ${primary}`];
  });
}

/** Each once: most have been seen again and again. */
export function appointed(
  appointments: readonly Appointment[],
): readonly { readonly key: string; readonly value: object }[] {
  const texts = new Set(appointments.map(({ group, epoch, node }) => JSON.stringify([group, epoch, node])));
  return [...texts].map((text) => {
    const [key, epoch, node] = JSON.parse(text) as [string, number, string];
    return { key, value: { epoch, node } };
  });
}

/** What every copy had come to when it was last counted. */
export function digests({ watch }: Cluster): readonly { readonly key: string; readonly value: object }[] {
  return [...watch.audits].flatMap(([node, { groups }]) =>
    groups.map(({ group, applied: position, epoch, stateHash: digest }) => {
      const key = epoch === undefined ? group : `${group} epoch ${epoch}`;
      return { key, value: { position, node, digest } };
    }),
  );
}

/** Players in all spaces together: whoever is in two is counted twice. */
export function standingIn({ watch }: Cluster): number {
  const spaces = [...watch.statuses.values()].flatMap((status) => status.spaces);
  return spaces.reduce((sum, { players }) => sum + players, 0);
}
