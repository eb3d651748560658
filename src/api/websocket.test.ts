// A WebSocket client that sends and does not read holds no memory.

import assert from 'node:assert/strict';
import { Duplex, PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { Exchange } from './exchange.ts';
import { acceptWebSocket } from './websocket.ts';

/** A connection whose peer never takes what is written to it. */
function stuckConnection(): Duplex {
  return new Duplex({ read() {}, write() {}, writableHighWaterMark: 16 * 1024 });
}

function pingOf(length: number): Buffer {
  const extra = length < 126 ? [] : [length >> 8, length & 255];
  return Buffer.concat([
    Buffer.of(0x89, 0x80 | (length < 126 ? length : 126), ...extra, 0, 0, 0, 0),
    Buffer.alloc(length),
  ]);
}

async function accept(connection: Duplex): Promise<void> {
  const key = 'dGhlIHNhbXBsZSBub25jZQ==';
  const headers = { 'sec-websocket-key': key, 'sec-websocket-version': '13', upgrade: 'websocket' };
  const request = { method: 'GET', headers };
  const exchange = { headers, request, takeover: { upgraded: true }, take: () => connection } as unknown as Exchange;
  await acceptWebSocket(exchange, async () => ({ tty: true, stream: new PassThrough() }), true);
}

test('pings of a client that does not read are not answered for ever', async () => {
  const connection = stuckConnection();
  await accept(connection);
  const pings = Buffer.concat(Array.from({ length: 100 }, () => pingOf(125)));
  for (let i = 0; i < 100; i++) connection.push(pings);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(connection.writableLength < 64 * 1024, `${connection.writableLength} bytes wait`);
  connection.destroy();
});

test('a ping longer than the protocol allows ends the connection', async () => {
  const connection = stuckConnection();
  await accept(connection);
  connection.push(pingOf(60_000));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(connection.destroyed, true);
});
