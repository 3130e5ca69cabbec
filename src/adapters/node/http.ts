// A node's HTTP server: health and status for operators, and the way in for players.
//
// Every node opens one; only those with a gateway hand in a listener for players. It answers GET
// and HEAD of `/healthz`, `/readyz` and `/v1/status` in JSON and nothing else, holds no session and
// takes no orders. Connections that ask nothing are bounded and closed within seconds.
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';

import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';

import type { Logger, PlayerListener } from '../../runtime/ports.ts';
import { listen } from './listen.ts';
import { PLAYER_LIMITS, type PlayerLimits, Players } from './players.ts';
import { rareLogger } from './rare-log.ts';

/** Connections that have not asked anything yet; beyond it the oldest is closed. */
const SILENT_MAX = 1_024;
/** Connections besides the players' links; beyond it new ones are closed unheard. */
const SPARE_CONNECTIONS: number = SILENT_MAX + 1_024;
const HEADERS_MS_MAX = 5_000;
const REQUEST_MS_MAX = 10_000;
const IDLE_MS_MAX = 30_000;
const HEADERS_BYTES_MAX: number = 8 * 1024;

export interface HttpRoutes {
  /** Whether the process can still do its work; if not it should be replaced. */
  health(): boolean;
  /** Whether players and nodes should be sent here now. */
  ready(): boolean;
  /** Everything an operator wants to see, as JSON values. */
  status(): unknown;
}

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly logger: Logger;
  readonly routes: HttpRoutes;
  /** Only where a gateway runs. */
  readonly players?: PlayerListener;
  readonly limits?: Partial<PlayerLimits>;
}

/**
 * Resolves once connections are accepted; rejects with `StartError` when the port cannot be opened.
 * `close` asks players to go, and resolves when the last connection is gone: within about a second.
 */
export async function openHttp(
  options: HttpOptions,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const { logger, players: listener } = options;
  const limits = { ...PLAYER_LIMITS, ...options.limits };
  const app = routesOf(options.routes, logger);
  const server = createServer(
    {
      connectionsCheckingInterval: 1_000,
      headersTimeout: HEADERS_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      maxHeaderSize: HEADERS_BYTES_MAX,
      // Some HTTP clients offer HTTP/2 with every request; they get their answer in HTTP/1.1.
      shouldUpgradeCallback: (request) =>
        listener !== undefined && request.headers.upgrade?.toLowerCase() === 'websocket',
    },
    getRequestListener(app.fetch, { overrideGlobalObjects: false }),
  );
  server.timeout = IDLE_MS_MAX;
  server.maxConnections = limits.linksMax + SPARE_CONNECTIONS;
  const heard = boundSilent(server);
  server.on('request', (request) => heard(request.socket));
  const port = await listen(server, { ...options, setting: 'httpPort' });
  const players = listener && new Players({ listener, logger, limits });
  if (players !== undefined) {
    server.on('upgrade', (request, socket, head) => {
      heard(request.socket);
      players.upgrade(request, socket, head);
    });
  }
  const rare = rareLogger(logger);
  server.on('error', (cause) => {
    rare.log('error', 'http-accept-failed', { cause: cause.message });
  });
  return {
    port,
    async close() {
      const ended = Promise.withResolvers<void>();
      server.close(() => ended.resolve());
      await players?.close();
      server.closeAllConnections();
      await ended.promise;
    },
  };
}

function routesOf(routes: HttpRoutes, logger: Logger): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    const { method } = context.req;
    context.header('Cache-Control', 'no-store');
    if (method === 'GET' || method === 'HEAD') return next();
    return context.json({ error: 'only GET and HEAD' }, 405, { Allow: 'GET, HEAD' });
  });
  app.get('/healthz', (context) => {
    const ok = routes.health();
    return context.json({ ok }, ok ? 200 : 503);
  });
  app.get('/readyz', (context) => {
    const ok = routes.ready();
    return context.json({ ok }, ok ? 200 : 503);
  });
  app.get('/v1/status', (context) => context.json(routes.status()));
  app.notFound((context) => context.json({ error: 'no such path' }, 404));
  const rare = rareLogger(logger);
  app.onError((cause, context) => {
    rare.log('error', 'http-route-failed', { path: context.req.path, error: cause });
    return context.json({ error: 'internal error' }, 500);
  });
  return app;
}

/**
 * Keeps the connections that have said nothing from crowding out the others: a newcomer takes the
 * place of the oldest, and whoever asks at once is through long before its turn. Tell the function
 * it returns who has spoken.
 */
function boundSilent(server: Server): (socket: Socket) => void {
  const silent = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
    for (const oldest of silent) {
      if (silent.size <= SILENT_MAX) break;
      silent.delete(oldest);
      oldest.destroy();
    }
  });
  return (socket) => silent.delete(socket);
}
