import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { peerIsGone } from './peer-gone.ts';

test('a client that closed is told from one that only half-closed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-peer-'));
  const path = join(dir, 'sock');
  const server = createServer({ allowHalfOpen: true }).listen(path);
  await once(server, 'listening');
  try {
    const client = connect({ path, allowHalfOpen: true });
    const [socket] = (await once(server, 'connection')) as [Socket];
    socket.resume();
    assert.equal(peerIsGone(socket), false);
    client.end();
    await once(socket, 'end');
    assert.equal(peerIsGone(socket), false);
    client.destroy();
    await once(client, 'close');
    assert.equal(peerIsGone(socket), true);
    socket.destroy();
    await once(socket, 'close');
    assert.equal(peerIsGone(socket), false);
  } finally {
    server.close();
    rmSync(dir, { recursive: true });
  }
});
