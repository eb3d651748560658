import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readLimitSupport } from './limits.ts';

test('version 1: a limit is there when its file is, and CPUs and memory nodes are what cpuset says', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'gantry-limits-'));
  t.after(() => rmSync(root, { recursive: true }));
  const file = (path: string, text = ''): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  file('memory/memory.limit_in_bytes');
  file('blkio/blkio.throttle.read_bps_device');
  file('cpuset/cpuset.cpus', '0-3,8\n');
  file('cpuset/cpuset.mems', '0-1\n');
  const controllers = new Map(['memory', 'blkio', 'cpuset'].map((name) => [name, join(root, name)]));
  const layout = { mode: 'v1', version: 1, controllers, unified: '', unifiedControllers: [] } as const;
  const { limits, cpus, memoryNodes } = await readLimitSupport(layout);
  assert.deepEqual([...limits].sort(), ['blkioReadBps', 'cpuset', 'memory']);
  assert.deepEqual([cpus, memoryNodes], ['0-3,8', '0-1']);
});

test('version 2: the controllers say it, and some limits of version 1 do not exist', async () => {
  const layout = {
    mode: 'v2',
    version: 2,
    controllers: new Map(),
    unified: '/proc/no/such/mount',
    unifiedControllers: ['memory', 'io'],
  } as const;
  const { limits, cpus } = await readLimitSupport(layout);
  const has = (name: Parameters<typeof limits.has>[0]) => limits.has(name);
  assert.ok(has('memory') && has('swap') && has('blkioWeight'));
  assert.ok(!has('oomKillDisable') && !has('memorySwappiness') && !has('pids') && !has('cpuRealtime'));
  assert.match(cpus, /^0(-\d+)?$/);
});
