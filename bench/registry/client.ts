// Owns the load that the registry benchmark puts on a server: kept-alive connections on raw sockets, answers counted and dropped.
// One process of its own, so that its work is not the server's. Usage: client.ts KIND HOST:PORT CLIENTS AMOUNT [PATH…]

import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { argv } from 'node:process';

/** What one run found. */
export interface Outcome {
  readonly seconds: number;
  readonly requests: number;
  readonly bytes: number;
  readonly failures: number;
}

/** One connection that sends a request, reads its whole answer and calls back. */
class Connection {
  readonly #socket: Socket;
  readonly #buffer = Buffer.allocUnsafe(1 << 20);
  #head = '';
  #left = -1;
  #status = 0;
  #headOnly = false;
  #settle: ((answer: { status: number; head: string }) => void) | undefined;
  bytes = 0;

  constructor(address: string) {
    const at = address.lastIndexOf(':');
    this.#socket = connect({
      host: address.slice(0, at),
      port: Number(address.slice(at + 1)),
      noDelay: true,
      onread: {
        buffer: this.#buffer,
        callback: (count) => {
          this.#read(count);
          return true;
        },
      },
    });
    this.#socket.on('error', () => this.#done(0));
    this.#socket.on('close', () => this.#done(0));
  }

  request(head: string, body?: Buffer): Promise<{ status: number; head: string }> {
    this.#head = '';
    this.#left = -1;
    this.#headOnly = head.startsWith('HEAD');
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#socket.write(head);
      if (body) this.#socket.write(body);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(count: number): void {
    this.bytes += count;
    if (this.#left < 0) {
      this.#head += this.#buffer.toString('latin1', 0, count);
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#status = Number(this.#head.slice(9, 12));
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#head.slice(0, end))?.[1] ?? 0);
      this.#left = this.#headOnly ? 0 : length - (this.#head.length - end - 4);
      this.#head = this.#head.slice(0, end);
    } else this.#left -= count;
    if (this.#left <= 0) this.#done(this.#status);
  }

  #done(status: number): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.({ status, head: this.#head });
  }
}

/** `clients` connections ask for `paths` in turn, `amount` requests in all. */
async function load(
  method: string,
  address: string,
  clients: number,
  amount: number,
  paths: readonly string[],
): Promise<Outcome> {
  const connections = Array.from({ length: clients }, () => new Connection(address));
  let left = amount;
  let failures = 0;
  const began = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      while (left > 0) {
        const path = paths[left-- % paths.length];
        const head = `${method} ${path} HTTP/1.1\r\nHost: ${address}\r\nAccept: application/vnd.oci.image.manifest.v1+json, */*\r\n\r\n`;
        if ((await connection.request(head)).status !== 200) failures++;
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const bytes = connections.reduce((total, connection) => total + connection.bytes, 0);
  for (const connection of connections) connection.close();
  return { seconds, requests: amount, bytes, failures };
}

/** `clients` connections push a blob of `sizeBytes` each, at once, each as POST and PUT. */
async function push(address: string, clients: number, sizeBytes: number): Promise<Outcome> {
  const piece = randomBytes(1 << 20);
  const blobs = Array.from({ length: clients }, (_, i) => {
    const blob = Buffer.alloc(sizeBytes);
    for (let at = 0; at < sizeBytes; at += piece.length) piece.copy(blob, at);
    blob.writeUInt32LE(i, 0);
    blob.writeUInt32LE(process.pid, 4);
    return { blob, digest: `sha256:${createHash('sha256').update(blob).digest('hex')}` };
  });
  let failures = 0;
  const began = performance.now();
  await Promise.all(
    blobs.map(async ({ blob, digest }) => {
      const connection = new Connection(address);
      const begun = await connection.request(
        `POST /v2/bench/push/blobs/uploads/ HTTP/1.1\r\nHost: ${address}\r\nContent-Length: 0\r\n\r\n`,
      );
      const location = /\r\nlocation: (\S+)/i.exec(begun.head)?.[1] ?? '';
      const path = location.replace(/^https?:\/\/[^/]+/, '');
      const url = `${path}${path.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
      const head = `PUT ${url} HTTP/1.1\r\nHost: ${address}\r\nContent-Type: application/octet-stream\r\nContent-Length: ${blob.length}\r\n\r\n`;
      if ((await connection.request(head, blob)).status !== 201) failures++;
      connection.close();
    }),
  );
  return { seconds: (performance.now() - began) / 1000, requests: clients, bytes: clients * sizeBytes, failures };
}

if (import.meta.main) {
  const [kind = '', address = '', clients = '1', amount = '1', ...paths] = argv.slice(2);
  const outcome =
    kind === 'PUSH'
      ? await push(address, Number(clients), Number(amount))
      : await load(kind, address, Number(clients), Number(amount), paths);
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
