import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExitRecord } from './exit-record.ts';
import { specFields, stepText } from './spec.ts';

test('every request for a shim travels under its key of the protocol', () => {
  const fields = specFields({
    dir: '/run/x',
    steps: [
      { verb: 'unshare', what: 'mount' },
      { verb: 'mount', type: 'overlay', source: 'overlay', target: '/run/x/rootfs', flags: 4096, data: 'lowerdir=1' },
      { verb: 'mkdir', path: '/a', mode: 0o755 },
      { verb: 'write', path: '/b', text: '0 1' },
      { verb: 'bind', root: '/v', path: 'a/b', target: '/t' },
      { verb: 'hold', path: '/s' },
      { verb: 'put', path: '/t' },
    ],
    args: ['crun', 'run'],
    failFile: '/run/x/log',
    pidFile: 'pid',
    cleanupArgs: ['crun', 'delete'],
    stdin: 'open',
    stdinOnce: true,
    terminal: { rows: 24, columns: 80, consoleSocket: 'console' },
    log: { path: '/log', maxSizeBytes: 10, maxFiles: 2, compressArgs: ['gzip'], attrsJson: '{"a":"b"}' },
    oomFile: '/oom',
    oomScoreAdj: -500,
    drainMs: 1,
    lingerMs: 0,
    autoStart: true,
    session: 107,
  });
  assert.deepEqual(fields, [
    ['dir', '/run/x'],
    ['step', 'unshare\x1fmount'],
    ['step', 'mount\x1foverlay\x1foverlay\x1f/run/x/rootfs\x1f4096\x1flowerdir=1'],
    ['step', 'mkdir\x1f/a\x1f755'],
    ['step', 'write\x1f/b\x1f0 1'],
    ['step', 'bind\x1f/v\x1fa/b\x1f/t'],
    ['step', 'hold\x1f/s'],
    ['step', 'put\x1f/t'],
    ['arg', 'crun'],
    ['arg', 'run'],
    ['fail-file', '/run/x/log'],
    ['pid-file', 'pid'],
    ['cleanup-arg', 'crun'],
    ['cleanup-arg', 'delete'],
    ['stdin', 'open'],
    ['stdin-once', '1'],
    ['tty', '1'],
    ['rows', '24'],
    ['cols', '80'],
    ['console-socket', 'console'],
    ['log-path', '/log'],
    ['log-max-size', '10'],
    ['log-max-files', '2'],
    ['log-compress-arg', 'gzip'],
    ['log-attrs', '{"a":"b"}'],
    ['oom-file', '/oom'],
    ['oom-score-adj', '-500'],
    ['drain-ms', '1'],
    ['linger-ms', '0'],
    ['auto-start', '1'],
    ['session', '107'],
  ]);
});

test('a path cannot smuggle a further part into a step', () => {
  assert.throws(() => stepText({ verb: 'umount', path: '/a\x1fb' }), { code: 'SHIM_STEP_INVALID' });
});

test('the record of an exit or of a failed start is read back whole', () => {
  assert.deepEqual(parseExitRecord('code=137\nat=1795490454227188588\noom=1\n'), {
    kind: 'exited',
    code: 137,
    atUnixNs: 1795490454227188588n,
    oomKilled: true,
  });
  assert.deepEqual(parseExitRecord('stage=runtime\nerrno=0\ntext={"level":"error"}\nline two\n'), {
    kind: 'failed',
    stage: 'runtime',
    errno: 0,
    text: '{"level":"error"}\nline two',
  });
  assert.throws(() => parseExitRecord('code=1\n'));
});
