// Owns the gRPC door through which buildx builds: what this engine cannot do yet is said in gRPC's own form, and an empty build cache is
// listed and pruned. A door that refuses HTTP/2 would make buildx start a build container of its own, from an image that it pulls.

import { performServerHandshake } from 'node:http2';
import { GantryError } from '../../lib/errors.ts';
import { DONE, type Handlers } from '../exchange.ts';

/** @source gRPC over HTTP/2: status codes */
const OK = 0;
const UNIMPLEMENTED = 12;

/** Calls whose empty answer is true as long as nothing builds. @source moby.buildkit.v1.Control, buildx 0.29 */
const EMPTY_ANSWERS: Readonly<Record<string, Buffer>> = {
  '/moby.buildkit.v1.Control/DiskUsage': Buffer.alloc(5),
  '/moby.buildkit.v1.Control/Prune': Buffer.alloc(0),
};

/** The bytes before the first frame. @source dockerd 28.5 */
const HEAD = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';

export function grpcHandlers(refusal: string): Handlers<'grpc'> {
  return {
    grpc(x) {
      const protocol = x.takeover.upgraded ? (x.headers.upgrade ?? '') : '';
      if (protocol === '') throw new GantryError('system', 'NO_UPGRADE', 'no upgrade proto in request');
      if (protocol !== 'h2c') throw new GantryError('system', 'BAD_UPGRADE', `protocol ${protocol} not supported`);
      const connection = x.take();
      connection.write(HEAD);
      const session = performServerHandshake(connection);
      session.on('error', () => undefined);
      session.on('stream', (stream, headers) => {
        const empty = EMPTY_ANSWERS[String(headers[':path'])];
        const status = empty ? { 'grpc-status': OK } : { 'grpc-status': UNIMPLEMENTED, 'grpc-message': refusal };
        stream.on('error', () => undefined);
        stream.resume();
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers(status));
        stream.end(empty);
      });
      return DONE;
    },
  };
}
