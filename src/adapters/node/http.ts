// A node's HTTP server: health and status for operators, and the way in for players.
//
// Every node opens one; only those with a gateway hand in a listener for players. It answers GET and HEAD
// of `/healthz`, `/readyz`, `/v1/status` and `/v1/audit` in JSON, of `/metrics` in the text that Prometheus
// reads, and nothing else, holds no session and takes no orders. Connections that ask nothing are bounded
// and closed within seconds.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { Logger, PlayerListener } from '../../runtime/ports.ts';
import { EXPOSITION_TYPE } from '../../wire/exposition.ts';
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
  /** The same in Prometheus' text format. */
  metrics(): string;
  /** All that is held here, counted through: now (`?fresh`), or the latest count. */
  audit(fresh: boolean): unknown;
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
    answerer(options.routes, logger),
  );
  server.maxConnections = limits.linksMax + SPARE_CONNECTIONS;
  const heard = boundSilent(server);
  server.on('request', ({ socket }) => {
    heard(socket);
    // Not for every connection by `server.timeout`: a player's link would keep its timer for ever.
    socket.setTimeout(IDLE_MS_MAX);
  });
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

/**
 * A handful of routes needs no framework: one that answers with Web `Response` objects would load the
 * engine's whole fetch implementation into every node, twenty megabytes for nothing.
 */
function answerer(
  routes: HttpRoutes,
  logger: Logger,
): (request: IncomingMessage, response: ServerResponse) => void {
  const rare = rareLogger(logger);
  return (request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    try {
      answer(request, response, reply(routes, { method: request.method, path, query }));
    } catch (cause) {
      rare.log('error', 'http-route-failed', { path, error: cause });
      answer(request, response, { code: 500, body: { error: 'internal error' } });
    }
  };
}

interface Reply {
  readonly code: number;
  /** As JSON. */
  readonly body: unknown;
}

/** What is text already. */
interface TextReply {
  readonly code: 200;
  readonly text: string;
  readonly type: string;
}

interface Question {
  readonly method: string | undefined;
  readonly path: string;
  readonly query: string;
}

function reply(routes: HttpRoutes, { method, path, query }: Question): Reply | TextReply {
  if (method !== 'GET' && method !== 'HEAD') return { code: 405, body: { error: 'only GET and HEAD' } };
  switch (path) {
    case '/healthz':
      return check(routes.health());
    case '/readyz':
      return check(routes.ready());
    case '/v1/status':
      return { code: 200, body: routes.status() };
    case '/metrics':
      return { code: 200, text: routes.metrics(), type: EXPOSITION_TYPE };
    case '/v1/audit':
      return { code: 200, body: routes.audit(query === 'fresh') };
    default:
      return { code: 404, body: { error: 'no such path' } };
  }
}

function check(ok: boolean): Reply {
  return { code: ok ? 200 : 503, body: { ok } };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  given: Reply | TextReply,
): void {
  const { text, type } =
    'text' in given ? given : { text: JSON.stringify(given.body), type: 'application/json' };
  response.writeHead(given.code, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    ...(given.code === 405 ? { Allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

/**
 * Keeps the connections that have said nothing from crowding out the others: a newcomer takes the
 * place of the oldest, and whoever asks at once is through long before its turn. Tell the function
 * it returns who has spoken.
 */
function boundSilent(server: Server): (socket: Socket) => void {
  const silent = new Set<Socket>();
  // One function for all connections: most of them stay for long.
  const closed = function (this: Socket): void {
    silent.delete(this);
  };
  server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.on('close', closed);
    for (const oldest of silent) {
      if (silent.size <= SILENT_MAX) break;
      silent.delete(oldest);
      oldest.destroy();
    }
  });
  return (socket) => silent.delete(socket);
}
