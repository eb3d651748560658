import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkDeviceRequests } from './device-requests.ts';

test('a CDI device that a specification declares is refused otherwise than one that nobody knows', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-cdi-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const ask = (...DeviceIDs: string[]) => checkDeviceRequests([{ Driver: 'cdi', DeviceIDs }], [dir, join(dir, 'none')]);
  const unknown = (names: string) => ({
    kind: 'system',
    message: `CDI device injection failed: unresolvable CDI devices ${names}`,
  });
  await assert.rejects(ask('vendor.com/gpu=0', 'x'), unknown('vendor.com/gpu=0, x'));
  writeFileSync(join(dir, 'a.json'), JSON.stringify({ cdiVersion: '0.6.0', kind: 'vendor.com/gpu', devices: [] }));
  writeFileSync(join(dir, 'b.yaml'), 'cdiVersion: "0.6.0"\nkind: other.org/net\n');
  writeFileSync(join(dir, 'c.txt'), 'kind: third.org/x\n');
  const known = { kind: 'notImplemented', message: /not supported by this engine yet: CDI devices/ };
  await assert.rejects(ask('vendor.com/gpu=0'), known);
  await assert.rejects(ask('other.org/net=a'), known);
  await assert.rejects(ask('vendor.com/gpu=0', 'third.org/x=1'), unknown('third.org/x=1'));
});

test('a device that no driver brings is refused in Docker’s words', async () => {
  await assert.rejects(checkDeviceRequests([{ Count: -1, Capabilities: [['gpu', 'x'], ['y']] }]), {
    kind: 'system',
    message: 'could not select device driver "" with capabilities: [[gpu x] [y]]',
  });
  await checkDeviceRequests([]);
});
