// Owns joining a taken-over connection with a container's stream: bytes both ways, half-close, back-pressure. Reads no byte.

import type { Duplex, Transform } from 'node:stream';

/** How long a client may take to close after its output has ended. */
const LINGER_MS = 10_000;

export interface SpliceOptions {
  /** Pass on what the client sends. */
  readonly stdin: boolean;
  /** Output goes through it. */
  readonly through?: Transform | undefined;
}

/**
 * Joins the two until the output ends or the client is gone. The client's end of input ends the container's stdin and nothing
 * else; the end of output closes the connection; a vanished client leaves the container alone.
 */
export function splice(client: Duplex, container: Duplex, options: SpliceOptions): void {
  const output = options.through ? container.pipe(options.through) : container;
  output.pipe(client);
  if (options.stdin) client.pipe(container);
  else client.resume();

  const leave = (): void => {
    container.destroy();
  };
  const linger = (): void => {
    client.unpipe(container);
    client.resume();
    if (!client.writableEnded) client.end();
    const timer = setTimeout(() => client.destroy(), LINGER_MS);
    timer.unref();
    const close = (): void => {
      clearTimeout(timer);
      client.destroy();
    };
    if (client.readableEnded) client.once('finish', close);
    else client.once('end', close);
    client.once('close', () => clearTimeout(timer));
    container.destroy();
  };
  client.on('error', leave);
  client.once('close', leave);
  output.once('end', linger);
  container.on('error', linger);
  if (client.destroyed) leave();
}
