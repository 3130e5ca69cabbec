// Which of some ports are taken on this machine: asked before a world starts, not while it does.
//
// `host/up` calls it, so that a taken port is one sentence and not nine processes that die.
import { createServer } from 'node:net';

/** The first of the ports that can not be listened on; `undefined` when all can. */
export async function takenPort(host: string, ports: readonly number[]): Promise<number | undefined> {
  for (const port of ports) {
    if (!(await canListen(host, port))) return port;
  }
  return undefined;
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
