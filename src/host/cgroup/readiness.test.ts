import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownProcsFile } from './readiness.ts';
import type { CgroupLayout } from './types.ts';

const V1: CgroupLayout = {
  mode: 'hybrid',
  version: 1,
  controllers: new Map([['pids', '/sys/fs/cgroup/pids']]),
  unified: '/sys/fs/cgroup/unified',
  unifiedControllers: [],
};
const V2: CgroupLayout = {
  mode: 'v2',
  version: 2,
  controllers: new Map(),
  unified: '/sys/fs/cgroup',
  unifiedControllers: ['pids'],
};

test('the own cgroup is found on either version; nothing is named where none is mounted', () => {
  assert.equal(ownProcsFile(V1, '9:name=systemd:/a\n8:pids:/\n0::/\n'), '/sys/fs/cgroup/pids/cgroup.procs');
  assert.equal(ownProcsFile(V1, '8:pids:/user/x\n'), '/sys/fs/cgroup/pids/user/x/cgroup.procs');
  assert.equal(
    ownProcsFile(V2, '0::/system.slice/gantry.service\n'),
    '/sys/fs/cgroup/system.slice/gantry.service/cgroup.procs',
  );
  assert.equal(ownProcsFile(V1, '0::/\n'), undefined);
});
