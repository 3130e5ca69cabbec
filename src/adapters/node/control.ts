// The operator's way to a running world: a Unix domain socket in the world folder, one question each.
//
// `host/up` serves it, the commands of the CLI ask. One line of JSON comes, one line goes, the link is
// closed. Only the owner of the folder can connect (mode 0600). The socket that answers is also the
// proof that its process is alive: process ids are reused, and a pid file outlives its process. So
// `host/players` holds one as well, by another name, and nobody else plays its players meanwhile.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publishJson, readJson, removeFile } from './process-files.ts';
import { StartError } from './start-error.ts';

/** The supervisor's. */
const CONTROL = 'control';
/** The least that operating systems allow for the path of a socket is 104 bytes, with a final zero. */
const SOCKET_PATH_BYTES_MAX = 100;
const LINE_BYTES_MAX: number = 1024 * 1024;
const CONNECTIONS_MAX = 32;
/** Longer than any action takes: `restart` waits for a process to end. */
const ANSWER_MS_MAX = 15_000;

export interface ControlClaim {
  readonly folder: string;
  /** Which socket of the folder; the supervisor's when not said. */
  readonly name?: string;
  /** The sentence for whoever comes second. */
  readonly inUse: string;
}

export interface ControlServer {
  /** Stops listening and removes every trace from the folder. */
  close(): Promise<void>;
}

/**
 * Serves questions about the world in this folder; `answer` never rejects. Throws `StartError` when a
 * live process already does.
 */
export async function serveControl(
  { folder, name = CONTROL, inUse }: ControlClaim,
  answer: (question: unknown) => Promise<unknown>,
): Promise<ControlServer> {
  const path = socketPath(folder, name);
  const former = await connectTo(path);
  if (former !== undefined) {
    former.destroy();
    throw new StartError(inUse);
  }
  // Nobody answers there, so whoever made it is dead.
  rmSync(path, { force: true });
  const links = new Set<Socket>();
  const server = createServer((link) => {
    links.add(link);
    link.on('close', () => links.delete(link));
    serveOne(link, answer);
  });
  server.maxConnections = CONNECTIONS_MAX;
  await listenPrivately(server, path);
  publishJson(folder, pointerFile(name), { socket: path, pid: process.pid });
  return {
    close: () => {
      removeFile(folder, pointerFile(name));
      for (const link of links) link.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export type ControlAnswer =
  | { readonly kind: 'answered'; readonly answer: unknown }
  /** No supervisor is alive for this folder. */
  | { readonly kind: 'nobody' }
  /** A supervisor is there and did not answer in time, or not in our language. */
  | { readonly kind: 'silent' };

/** Asks the supervisor of the world in this folder. */
export async function askControl(folder: string, question: object): Promise<ControlAnswer> {
  const pointer = readJson(folder, pointerFile(CONTROL));
  const path = pointer.kind === 'json' ? pointedAt(pointer.value) : undefined;
  const link = path === undefined ? undefined : await connectTo(path);
  if (link === undefined) return { kind: 'nobody' };
  return new Promise((resolve) => {
    const settle = (answer: ControlAnswer): void => {
      resolve(answer);
      link.destroy();
    };
    link.setTimeout(ANSWER_MS_MAX, () => settle({ kind: 'silent' }));
    link.on('error', () => settle({ kind: 'silent' }));
    link.on('close', () => settle({ kind: 'silent' }));
    readLine(link, (line) => {
      settle(line.kind === 'json' ? { kind: 'answered', answer: line.value } : { kind: 'silent' });
    });
    link.write(`${JSON.stringify(question)}\n`);
  });
}

function serveOne(link: Socket, answer: (question: unknown) => Promise<unknown>): void {
  // A link that breaks has nobody left to tell.
  link.on('error', () => link.destroy());
  link.setTimeout(ANSWER_MS_MAX, () => link.destroy());
  readLine(link, (line) => {
    if (line.kind !== 'json') {
      link.destroy();
      return;
    }
    void answer(line.value).then((value) => link.end(`${JSON.stringify(value)}\n`));
  });
}

type Line = { readonly kind: 'json'; readonly value: unknown } | { readonly kind: 'unreadable' };

function readLine(link: Socket, done: (line: Line) => void): void {
  let text = '';
  link.setEncoding('utf8');
  const read = (chunk: string): void => {
    text += chunk;
    const end = text.indexOf('\n');
    if (end < 0 && text.length <= LINE_BYTES_MAX) return;
    link.off('data', read);
    done(end < 0 ? { kind: 'unreadable' } : parseLine(text.slice(0, end)));
  };
  link.on('data', read);
}

function parseLine(text: string): Line {
  try {
    return { kind: 'json', value: JSON.parse(text) };
  } catch (cause) {
    if (cause instanceof SyntaxError) return { kind: 'unreadable' };
    throw cause;
  }
}

/** A standing connection, or `undefined` when nobody listens there. */
function connectTo(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const link = createConnection(path);
    const failed = (): void => {
      link.destroy();
      resolve(undefined);
    };
    link.once('error', failed);
    link.once('connect', () => {
      link.off('error', failed);
      // Until the caller adds his own, a link that breaks must not end the process.
      link.on('error', () => link.destroy());
      resolve(link);
    });
  });
}

function listenPrivately(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const code = 'code' in cause ? String(cause.code) : cause.message;
      reject(
        new StartError(
          `The control socket ${path} can not be made (${code}): choose another folder with --data.`,
          { cause },
        ),
      );
    });
    // The socket is made within `listen`: at no moment may others connect to it.
    const before = process.umask(0o177);
    server.listen(path, resolve);
    process.umask(before);
  });
}

/** Where the socket is, for those who ask: its path may be too long for the folder itself. */
function pointerFile(name: string): string {
  return `${name}.json`;
}

function socketPath(folder: string, name: string): string {
  const digest = createHash('sha256').update(`${folder} ${name}`).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\bluemarble-${digest}`;
  const inside = join(folder, `${name}.sock`);
  if (Buffer.byteLength(inside) <= SOCKET_PATH_BYTES_MAX) return inside;
  return join(tmpdir(), `bluemarble-${digest}.sock`);
}

function pointedAt(pointer: unknown): string | undefined {
  if (typeof pointer !== 'object' || pointer === null || !('socket' in pointer)) return undefined;
  return typeof pointer.socket === 'string' ? pointer.socket : undefined;
}
