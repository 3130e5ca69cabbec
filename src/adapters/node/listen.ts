// Opening a port so that what goes wrong is told to the operator in one sentence.
//
// `peers` and `http` listen through it.
import type { Server } from 'node:net';

import { StartError } from './start-error.ts';

/**
 * Connections the kernel keeps until we accept them. Node accepts one per round of its loop, so a
 * storm of log-ins must have room to wait: what does not fit is only tried again a second later.
 */
const WAITING_MAX = 4_096;

export interface ListenPlan {
  readonly host: string;
  /** Zero lets the system choose. */
  readonly port: number;
  /** The setting of the topology that holds the port: named in errors. */
  readonly setting: string;
}

/** Resolves with the port once the server accepts; rejects with `StartError` when it cannot. */
export async function listen(server: Server, plan: ListenPlan): Promise<number> {
  const opened = Promise.withResolvers<void>();
  const failed = (cause: NodeJS.ErrnoException): void => {
    opened.reject(new StartError(sentence(cause.code, plan), { cause }));
  };
  server.once('error', failed);
  server.listen({ host: plan.host, port: plan.port, backlog: WAITING_MAX }, opened.resolve);
  await opened.promise;
  server.off('error', failed);
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : plan.port;
}

function sentence(code: string | undefined, plan: ListenPlan): string {
  const { host, port, setting } = plan;
  switch (code) {
    case 'EADDRINUSE':
      return (
        `Port ${port} on ${host} is in use: stop the program that uses it, ` +
        `or give this node another ${setting} in the topology.`
      );
    case 'EACCES':
      return (
        `This user may not open port ${port}: ` +
        `give this node a ${setting} of 1024 or more in the topology.`
      );
    default:
      return (
        `Cannot listen on ${host}:${port} (${code ?? 'unknown cause'}): ` +
        `set the node's host in the topology to an address of this machine.`
      );
  }
}
