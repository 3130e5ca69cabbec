// One process with one region and its gateway, as a region node has them, for the fan-out benchmark.
//
// The benchmark forks it, and asks it over IPC for what it has used. The way of every frame is the
// shipped one: WebSocket adapter, gateway, session, region. There are no groups, so nothing but
// `account.resume` and `position.*` is answered; tokens are minted by whoever knows the key.
// As `bare` it is the WebSocket library alone: what a connection costs before there is any of ours.
import { createServer } from 'node:http';
import { getHeapSpaceStatistics } from 'node:v8';
import { WebSocketServer } from 'ws';
import { systemClock } from '../../src/adapters/node/clock.ts';
import { openHttp } from '../../src/adapters/node/http.ts';
import { listen } from '../../src/adapters/node/listen.ts';
import { openSecrets } from '../../src/adapters/node/secrets.ts';
import { nodeId, type PlayerId } from '../../src/base/id.ts';
import type { Logger, Peers } from '../../src/runtime/ports.ts';
import { Accounts } from '../../src/services/gateway/accounts.ts';
import { Gateway } from '../../src/services/gateway/gateway.ts';
import { GroupCalls } from '../../src/services/calls/group-calls.ts';
import { Outbox } from '../../src/services/calls/outbox.ts';
import { RegionCalls } from '../../src/services/calls/region-calls.ts';
import { Route } from '../../src/services/calls/route.ts';
import { Spaces } from '../../src/services/space/spaces.ts';
import type { Topology } from '../../src/services/topology/topology.ts';

export interface ServerOptions {
  readonly kind: 'region' | 'bare';
  /** Hex. */
  readonly key: string;
  readonly tickMs: number;
  readonly sightMetres: number;
}

/** What the server process has used so far, and the worst of the last seconds. */
export interface Usage {
  readonly cpuMs: number;
  readonly residentBytes: number;
  /** The engine's heap and the buffers beside it. */
  readonly heapBytes: number;
  /** What the engine has set aside for new objects, before a collection that gives it back. */
  readonly youngBytes: number;
  readonly connections: number;
  readonly tickMsMax: number;
  readonly framesSkipped: number;
}

type Ask = { readonly kind: 'usage'; readonly collect: boolean };

const LINKS_MAX = 16_000;
const silent: Logger = { log: () => {} };
const nobody: Peers = {
  send: () => {},
  flush: () => {},
  connected: () => false,
  listen: () => {},
  close: () => Promise.resolve(),
};

const options = JSON.parse(process.argv[2] ?? '') as ServerOptions;
const { port, extra } = await (options.kind === 'region' ? openRegion() : openBare());
process.on('message', (ask: Ask) => {
  const youngBytes = youngSpaceBytes();
  if (ask.collect) collect();
  const memory = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const usage: Usage = {
    cpuMs: (user + system) / 1_000,
    residentBytes: memory.rss,
    heapBytes: memory.heapUsed + memory.external,
    youngBytes,
    ...extra(),
  };
  process.send?.(usage);
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port });

/** Twice, as what the first pass finishes off is freed by the second. */
function collect(): void {
  for (let pass = 0; pass < 2; pass++) {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }
}

function youngSpaceBytes(): number {
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  return young?.physical_space_size ?? 0;
}

type Opened = {
  readonly port: number;
  readonly extra: () => Pick<Usage, 'connections' | 'tickMsMax' | 'framesSkipped'>;
};

async function openRegion(): Promise<Opened> {
  const self = nodeId(6);
  const { tickMs, sightMetres } = options;
  const whole = { number: 101, name: 'earth', westLon: -1_800_000_000, eastLon: 1_800_000_000 };
  const regions = [{ ...whole, copies: [self], features: [], tickMs, sightMetres }];
  const topology: Topology = { world: 'fan-out', nodes: [], groups: [], regions };
  const clock = systemClock;
  const logger = silent;
  const outbox = new Outbox(clock, nobody);
  const route = new Route({ clock, peers: nobody, outbox, groups: [], firstNumber: 1 });
  const calls = new GroupCalls({ route, logger, topology, features: [] });
  const secrets = openSecrets(Buffer.from(options.key, 'hex'));
  const accounts = new Accounts({ calls, secrets, clock, region: whole.name });
  const spaces = new Spaces({ self, clock, logger, outbox, regions, isLand: () => true });
  const { presences } = spaces;
  const standsIn = (player: PlayerId): string | undefined => presences.regionOf(player)?.name;
  const regional = new RegionCalls({ calls, self, regions, home: whole.name, standsIn });
  const gateway = new Gateway({ clock, logger, calls, regional, accounts, presences });
  spaces.start();
  spaces.appointed(whole.number, self);
  const http = await openHttp({
    host: '127.0.0.1',
    port: 0,
    logger,
    routes: {
      health: () => true,
      ready: () => true,
      status: () => null,
      metrics: () => '',
      audit: () => null,
    },
    players: gateway,
    limits: { linksMax: LINKS_MAX },
  });
  const extra: Opened['extra'] = () => {
    const { connections, framesSkipped } = gateway.status();
    return { connections, framesSkipped, tickMsMax: spaces.status()[0]?.tickMsMax ?? 0 };
  };
  return { port: http.port, extra };
}

async function openBare(): Promise<Opened> {
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  // As an echo that nobody uses: whoever listens to messages at all has such a listener.
  sockets.on('connection', (socket) => socket.on('message', (bytes) => socket.send(bytes)));
  const setting = { host: '127.0.0.1', port: 0, setting: 'httpPort' } as const;
  const bound = await listen(server, setting);
  return {
    port: bound,
    extra: () => ({ connections: sockets.clients.size, tickMsMax: 0, framesSkipped: 0 }),
  };
}
