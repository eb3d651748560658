// Pins what a failed exchange is called: a user acts on these words, and stock clients search for them.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import { createServer as createPlainServer, type Server as PlainServer } from 'node:net';
import { test } from 'node:test';
import { transportError } from './errors.ts';

/** What asking `server` for HTTPS fails with. */
async function failureAt(server: Server | PlainServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  try {
    const error = await new Promise((resolve) => {
      request({ host: '127.0.0.1', port, path: '/v2/' }).on('error', resolve).end();
    });
    return transportError('GET', 'https://registry.example/v2/', error).message;
  } finally {
    server.close();
  }
}

test('a registry that speaks plain HTTP where HTTPS was wanted is called that, not by a line of OpenSSL', async () => {
  const wanted = 'Get "https://registry.example/v2/": http: server gave HTTP response to HTTPS client';
  assert.equal(await failureAt(createServer((_request, response) => response.end('x'))), wanted);
});

test('a server that hangs up in the handshake is an end of file', async () => {
  const server = createPlainServer((socket) => socket.destroy());
  assert.equal(await failureAt(server), 'Get "https://registry.example/v2/": EOF');
});

test('other complaints of OpenSSL lose their file names and numbers', () => {
  const told = (message: string): string =>
    transportError('GET', 'https://r/', Object.assign(new Error(message), { code: 'EPROTO' })).message;
  const line =
    'write EPROTO 40:error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:../deps/x.c:918:';
  assert.equal(told(line), 'Get "https://r/": remote error: tls: handshake failure');
  const other = 'write EPROTO 40:error:0A000102:SSL routines:f:unsupported protocol:../deps/x.c:1:';
  assert.equal(told(other), 'Get "https://r/": tls: unsupported protocol');
});
