// What a simulated cluster is made of, and what its hosts are handed.
//
// `run.ts` fills it in, `cluster.ts` adds the network, the hosts of nodes take what they need.
import type { Random } from '../../base/random.ts';
import type { Topology } from '../../services/topology/topology.ts';
import type { Feature } from '../../world/feature.ts';
import type { Invariants } from '../checks/invariants.ts';
import type { Network } from '../machine/network.ts';
import type { Plan } from '../plan/plan.ts';
import type { EventQueue } from '../machine/queue.ts';
import type { RegionInvariants } from '../checks/region-invariants.ts';
import type { SpaceInvariants } from '../checks/space-invariants.ts';
import type { Verdicts } from '../checks/violation.ts';

export interface ClusterSetting {
  readonly plan: Plan;
  readonly topology: Topology;
  readonly features: readonly Feature[];
  readonly queue: EventQueue;
  readonly verdicts: Verdicts;
  readonly invariants: Invariants;
  readonly regionInvariants: RegionInvariants;
  readonly spaceInvariants: SpaceInvariants;
  /** For a timeline; costs nothing where it is not given. */
  readonly note?: ((lane: number, what: string) => void) | undefined;
}

/** What a node's host needs to start a process. */
export interface World extends Omit<ClusterSetting, 'topology'> {
  /** As it stands by now: a process learns of another one when it starts again. */
  topology: Topology;
  readonly random: Random;
  readonly network: Network;
}
