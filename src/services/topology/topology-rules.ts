// Whether a topology's promises can be kept: every fault as one sentence that says what to change.
//
// The CLI asks before it starts anything, each node again before it joins. Nothing here stops at the
// first fault: an operator mends a file once, not ten times.
import { InvalidInputError } from '../../base/errors.ts';
import type { NodeId } from '../../base/id.ts';
import { VOTERS_MAX } from '../../protocols/raft/messages.ts';
import type { Feature } from '../../world/feature.ts';
import { type GroupPlan, parseTopology, type RegionPlan, type Topology } from './topology.ts';

/** Two copies can not outvote a dead third: fewer than three keep no `linearizable` promise. */
const REPLICAS_MIN = 3;
/** A majority of fewer copies can not lose one of them; more than seven slow every quorum down. */
const COPIES_MIN = 3;
const COPIES_MAX = 7;
const PORT_MAX = 65_535;
const NAME = /^[a-z0-9-]{1,32}$/;
/** Words of an operator's commands, and the process of the test players. */
const NAMES_TAKEN: readonly string[] = ['all', 'rest', 'players'];
/** A studio's feature whose file was not named, or nobody's. */
const UNKNOWN = 'which this world does not have: remove it, or name the file that has it with --world.';
const DEGREE = 10_000_000;
const GLOBE: number = 360 * DEGREE;

/** The faults of a topology for a world with these features; empty when it can be run. */
export function validateTopology(
  topology: Topology,
  features: readonly Feature[],
): readonly string[] {
  return [
    ...nameFaults(topology),
    ...numberFaults(topology),
    ...portFaults(topology),
    ...topology.groups.flatMap((group) => memberFaults(topology, group)),
    ...featureFaults(topology, features),
    ...topology.regions.flatMap((region) => copyFaults(topology, region)),
    ...regionalFeatureFaults(topology, features),
    ...coverFaults(topology.regions),
  ];
}

/** A topology that can be run, out of JSON; throws `InvalidInputError` with all faults in its text. */
export function soundTopology(input: unknown, features: readonly Feature[]): Topology {
  const topology = parseTopology(input);
  const faults = validateTopology(topology, features);
  if (faults.length > 0) throw new InvalidInputError(faults.join(' '));
  return topology;
}

function nameFaults(topology: Topology): string[] {
  const faults = topology.nodes
    .filter(({ name }) => NAMES_TAKEN.includes(name))
    .map(({ name }) => `A node is called "${name}", which means something else to commands: rename it.`);
  const kinds: readonly (readonly [string, readonly { readonly name: string }[]])[] = [
    ['world', [{ name: topology.world }]],
    ['node', topology.nodes],
    ['group', topology.groups],
    ['region', topology.regions],
  ];
  for (const [kind, named] of kinds) {
    const names = named.map((each) => each.name);
    for (const name of names) {
      if (NAME.test(name)) continue;
      faults.push(`${kind} "${name}" needs a name of 1 to 32 characters out of a-z, 0-9 and "-".`);
    }
    for (const name of repeated(names)) {
      faults.push(`Two ${kind}s are called "${name}": give each a name of its own.`);
    }
  }
  return faults;
}

function numberFaults(topology: Topology): string[] {
  const ids = repeated(topology.nodes.map((node) => node.id));
  const numbers = repeated([...topology.groups, ...topology.regions].map(({ number }) => number));
  const retired = topology.nodes.filter(({ id }) => topology.retired?.includes(id));
  return [
    ...retired.map(({ id, name }) => `Node ${name} has the retired id ${id}: give it a new one.`),
    ...ids.map((id) => `Two nodes have the id ${id}: give each an id of its own.`),
    ...numbers.map((number) => `Two groups or regions have the number ${number}: give each one of its own.`),
  ];
}

function portFaults(topology: Topology): string[] {
  const faults: string[] = [];
  const taken = new Map<string, string>();
  for (const node of topology.nodes) {
    for (const field of ['peerPort', 'httpPort'] as const) {
      const port = node[field];
      const use = `${field} of ${node.name}`;
      if (port < 1 || port > PORT_MAX) {
        faults.push(`The ${use} is ${port}: choose one from 1 to ${PORT_MAX}.`);
      }
      const address = `${node.host}:${port}`;
      const other = taken.get(address);
      if (other === undefined) taken.set(address, use);
      else faults.push(`The ${use} is ${address}, as is the ${other}: choose another port.`);
    }
  }
  return faults;
}

function memberFaults(topology: Topology, group: GroupPlan): string[] {
  const faults: string[] = [];
  const count = new Set(group.members).size;
  if (count < REPLICAS_MIN) {
    faults.push(
      `Group ${group.name} has ${count} replicas, but a linearizable group needs at least ` +
        `${REPLICAS_MIN}: add members on other nodes.`,
    );
  }
  if (count > VOTERS_MAX) {
    faults.push(
      `Group ${group.name} has ${count} replicas, but at most ${VOTERS_MAX} may vote: ` +
        'remove members.',
    );
  }
  for (const member of repeated(group.members)) {
    faults.push(`Group ${group.name} names node ${member} twice: each replica needs its own node.`);
  }
  for (const member of new Set(group.members)) {
    const kind = kindOf(topology, member);
    if (kind === 'global') continue;
    const what = kind === undefined ? 'which is not in the topology' : 'which is not a global node';
    faults.push(`Group ${group.name} names node ${member}, ${what}: name a global node instead.`);
  }
  return faults;
}

function featureFaults(topology: Topology, features: readonly Feature[]): string[] {
  const faults: string[] = [];
  const byName = new Map(features.map((feature) => [feature.name, feature]));
  const homes = new Map<string, string>();
  for (const group of topology.groups) {
    const before = new Set<string>();
    for (const name of group.features) {
      const feature = byName.get(name);
      const home = homes.get(name);
      if (feature === undefined) {
        faults.push(`Group ${group.name} holds "${name}", ${UNKNOWN}`);
      } else if (feature.promise !== 'linearizable') {
        faults.push(
          `Group ${group.name} holds "${name}", which is ${feature.promise}: a replicated group ` +
            'carries linearizable features only, remove it.',
        );
      }
      if (home !== undefined) {
        faults.push(`Feature "${name}" is in group ${home} and in ${group.name}: leave it in one.`);
      }
      for (const need of feature?.needs ?? []) {
        if (before.has(need)) continue;
        faults.push(`Feature "${name}" needs "${need}": list that before it in group ${group.name}.`);
      }
      before.add(name);
      homes.set(name, group.name);
    }
  }
  for (const feature of features) {
    if (feature.promise !== 'linearizable' || homes.has(feature.name)) continue;
    faults.push(`Feature "${feature.name}" is in no group: add it to one.`);
  }
  return faults;
}

function copyFaults(topology: Topology, region: RegionPlan): string[] {
  const faults: string[] = [];
  const count = new Set(region.copies).size;
  if (count < COPIES_MIN || count > COPIES_MAX) {
    faults.push(
      `Region ${region.name} has ${count} copies: give it ${COPIES_MIN} to ${COPIES_MAX}, each on a ` +
        'node of its own.',
    );
  }
  for (const node of repeated(region.copies)) {
    faults.push(`Region ${region.name} names node ${node} twice: each copy needs its own node.`);
  }
  for (const node of new Set(region.copies)) {
    if (kindOf(topology, node) === 'region') continue;
    faults.push(`Region ${region.name} is on node ${node}: name a node of kind region.`);
  }
  return faults;
}

function regionalFeatureFaults(topology: Topology, features: readonly Feature[]): string[] {
  const regional = features.filter(({ promise }) => promise === 'regional').map(({ name }) => name);
  return topology.regions.flatMap(({ name, features: held }) => [
    ...held.filter((feature) => !regional.includes(feature)).map((feature) => {
      const isKnown = features.some((each) => each.name === feature);
      const what = isKnown ? 'which is no regional feature: remove it.' : UNKNOWN;
      return `Region ${name} holds "${feature}", ${what}`;
    }),
    ...regional
      .filter((feature) => !held.includes(feature))
      .map((feature) => `Feature "${feature}" is not in region ${name}: every region needs it.`),
  ]);
}

/** Walks eastward around the globe, from the westernmost region on, and looks at each seam. */
function coverFaults(regions: readonly RegionPlan[]): string[] {
  const faults: string[] = [];
  const strips = regions
    .map((region) => ({
      region,
      from: eastward(-GLOBE / 2, region.westLon),
      width: eastward(region.westLon, region.eastLon) || GLOBE,
    }))
    .sort((a, b) => a.from - b.from);
  if (strips.length === 0) return ['There are no regions: add one from -180 to 180 degrees.'];
  strips.forEach((strip, place) => {
    const { region, width } = strip;
    const next = (strips[(place + 1) % strips.length] ?? strip).region;
    // Alone or last, the next strip is a whole turn away and not at hand.
    const reach = eastward(region.westLon, next.westLon) || (strips.length === 1 ? GLOBE : 0);
    const seam = `${degrees(region.eastLon)} and ${degrees(next.westLon)} degrees`;
    if (width < reach) {
      faults.push(`No region holds the longitudes between ${seam}: widen ${region.name}.`);
    } else if (width > reach) {
      faults.push(
        `Regions ${region.name} and ${next.name} overlap (${seam}): let one end where ` +
          'the other begins.',
      );
    }
  });
  return faults;
}

function eastward(from: number, to: number): number {
  return (((to - from) % GLOBE) + GLOBE) % GLOBE;
}

function degrees(lon: number): string {
  return String(lon / DEGREE);
}

function kindOf(topology: Topology, id: NodeId): 'global' | 'region' | undefined {
  return topology.nodes.find((node) => node.id === id)?.kind;
}

function repeated<Value>(values: readonly Value[]): readonly Value[] {
  const twice = values.filter((value, place) => values.indexOf(value) !== place);
  return [...new Set(twice)];
}
