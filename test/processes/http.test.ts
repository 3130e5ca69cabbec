// A node's HTTP server over real sockets: what operators are told, and what strangers are not.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';

import { type HttpRoutes, openHttp } from '../../src/adapters/node/http.ts';
import { StartError } from '../../src/adapters/node/start-error.ts';
import type { Logger } from '../../src/runtime/ports.ts';

const HOST = '127.0.0.1';
const quiet: Logger = { log: () => undefined };
const fine: HttpRoutes = {
  health: () => true,
  ready: () => true,
  status: () => ({ node: 7 }),
  metrics: () => '# HELP held Who holds.\n# TYPE held gauge\nheld{node="é"} 1\n',
  audit: () => ({ groups: [] }),
};

async function start(t: TestContext, routes: Partial<HttpRoutes> = {}): Promise<number> {
  const http = await openHttp({ host: HOST, port: 0, logger: quiet, routes: { ...fine, ...routes } });
  t.after(() => http.close());
  return http.port;
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly type: string | undefined;
}

async function ask(port: number, method: string, path: string, headers = {}): Promise<Answer> {
  const asked = request({ host: HOST, port, method, path, headers, agent: false });
  asked.end();
  const [response] = await once(asked, 'response');
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, body, type: response.headers['content-type'] };
}

test('a healthy and ready node says so, and shows its status as JSON', async (t) => {
  const port = await start(t);
  for (const path of ['/healthz', '/readyz']) {
    const answer = await ask(port, 'GET', path);
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.body), { ok: true });
  }
  const status = await ask(port, 'GET', '/v1/status');
  assert.deepEqual(JSON.parse(status.body), { node: 7 });
  assert.match(status.type ?? '', /application\/json/);
});

test('measurements are given in the text that Prometheus reads, whatever the query', async (t) => {
  const port = await start(t);
  for (const path of ['/metrics', '/metrics?name[]=held']) {
    const answer = await ask(port, 'GET', path);
    assert.equal(answer.status, 200);
    assert.equal(answer.type, 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(answer.body, fine.metrics());
  }
  assert.equal((await ask(port, 'HEAD', '/metrics')).body, '');
  assert.equal((await ask(port, 'POST', '/metrics')).status, 405);
});

test('a sick or unready node answers 503', async (t) => {
  const port = await start(t, { health: () => false, ready: () => false });
  for (const path of ['/healthz', '/readyz']) {
    const answer = await ask(port, 'GET', path);
    assert.equal(answer.status, 503);
    assert.deepEqual(JSON.parse(answer.body), { ok: false });
  }
});

test('other paths are 404, other methods are 405, and HEAD has no body', async (t) => {
  const port = await start(t);
  const lost = await ask(port, 'GET', '/etc/passwd');
  assert.equal(lost.status, 404);
  assert.deepEqual(JSON.parse(lost.body), { error: 'no such path' });
  assert.equal((await ask(port, 'POST', '/healthz')).status, 405);
  assert.equal((await ask(port, 'DELETE', '/v1/status')).status, 405);
  const head = await ask(port, 'HEAD', '/healthz');
  assert.equal(head.status, 200);
  assert.equal(head.body, '');
});

test('a route that fails answers 500 and tells nothing of the inside', async (t) => {
  const port = await start(t, {
    status() {
      throw new Error('a secret of the house');
    },
  });
  const answer = await ask(port, 'GET', '/v1/status');
  assert.equal(answer.status, 500);
  assert.deepEqual(JSON.parse(answer.body), { error: 'internal error' });
});

test('a client that offers another protocol gets its answer in this one', async (t) => {
  const port = await start(t);
  const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' };
  assert.equal((await ask(port, 'GET', '/healthz', headers)).status, 200);
});

test('a node without a gateway has no way in for players', async (t) => {
  const port = await start(t);
  const headers = { connection: 'Upgrade', upgrade: 'websocket' };
  assert.equal((await ask(port, 'GET', '/v1/ws', headers)).status, 404);
});

test('headers that are too large or malformed are answered and the node goes on', async (t) => {
  const port = await start(t);
  const headers = { 'x-long': 'x'.repeat(20_000) };
  assert.equal((await ask(port, 'GET', '/healthz', headers)).status, 431);
  const socket = connect(port, HOST);
  socket.write('\x00\x01\x02 not http\r\n\r\n');
  const [chunk] = await once(socket, 'data');
  assert.match(String(chunk), /^HTTP\/1.1 400/);
  socket.destroy();
  assert.equal((await ask(port, 'GET', '/healthz')).status, 200);
});

test('a port in use stops the start and names the port and the setting', async (t) => {
  const port = await start(t);
  await assert.rejects(openHttp({ host: HOST, port, logger: quiet, routes: fine }), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, new RegExp(`${port}.*httpPort`));
    return true;
  });
});

test('an address that this machine does not have stops the start', async () => {
  const elsewhere = openHttp({ host: '192.0.2.1', port: 0, logger: quiet, routes: fine });
  await assert.rejects(elsewhere, StartError);
});
