// Owns `docker search` from the command line through the engine to our own registry.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRegistry } from '../registry/support/registry.ts';
import { SKIP } from '../support/clis.ts';
import { startDaemon } from '../support/daemon.ts';

test('docker search finds images of a local registry', { skip: SKIP.docker }, async () => {
  await using daemon = await startDaemon();
  await using registry = await startRegistry();
  const labels = { 'org.opencontainers.image.description': 'serves pages' };
  await registry.pushImage('team/web', 'v1', { labels });
  await registry.pushImage('team/store', 'v1');
  const said = await daemon.docker('search', '--format', '{{.Name}}: {{.Description}}', `${registry.address}/web`);
  assert.deepEqual([said.code, said.stdout], [0, 'team/web: serves pages\n'], said.stderr);
  const none = await daemon.docker(
    'search',
    '--filter',
    'stars=1',
    '--format',
    '{{.Name}}',
    `${registry.address}/team`,
  );
  assert.deepEqual([none.code, none.stdout], [0, '']);
});
