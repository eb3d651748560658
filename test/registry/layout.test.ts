// The store is an OCI image layout, and its index says what the records say.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRegistry, type TestRegistry } from './support/registry.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';

interface Entry {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

const entries = (registry: TestRegistry): string[] => {
  const index = JSON.parse(readFileSync(join(registry.root, 'content', 'index.json'), 'utf8')) as {
    manifests: Entry[];
  };
  return index.manifests.map(({ digest, annotations }) => `${annotations?.[REF_NAME] ?? ''} ${digest}`).sort();
};

async function settles(registry: TestRegistry, wanted: readonly string[]): Promise<void> {
  // Writing takes a fiftieth of the time at most: on a busy machine the next one comes late.
  for (let i = 0; i < 3000 && entries(registry).join() !== [...wanted].sort().join(); i++) await sleep(20);
  assert.deepEqual(entries(registry), [...wanted].sort());
}

test('index.json names every tag and every untagged image, and forgets what is deleted', async () => {
  await using registry = await startRegistry();
  const one = await registry.pushImage('team/app', 'v1');
  const other = await registry.pushImage('web', undefined);
  await registry.pushManifest('team/app', 'latest', one.bytes);
  await settles(registry, [`team/app:v1 ${one.digest}`, `team/app:latest ${one.digest}`, ` ${other.digest}`]);

  await registry.call('DELETE', '/v2/team/app/manifests/v1');
  await registry.call('DELETE', `/v2/web/manifests/${other.digest}`);
  await settles(registry, [`team/app:latest ${one.digest}`]);
});
