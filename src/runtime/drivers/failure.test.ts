import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeStartFailure } from './failure.ts';
import { runtimeLogMessage } from './log.ts';

const RUN = 'failed to create task for container: failed to create shim task: OCI runtime create failed: ';
const runc = (message: string): string => `${JSON.stringify({ level: 'error', msg: message, time: 'x' })}\n`;

interface Case {
  readonly dialect: 'runc' | 'crun';
  readonly phase?: 'exec';
  readonly program: string;
  readonly log: string;
  readonly message: string;
  readonly code: number;
}

const START = 'unable to start container process: ';
const CASES: readonly Case[] = [
  {
    dialect: 'runc',
    program: 'nosuch',
    log: runc(`runc run failed: ${START}exec: "nosuch": executable file not found in $PATH`),
    message: `${RUN}runc create failed: ${START}exec: "nosuch": executable file not found in $PATH`,
    code: 127,
  },
  {
    dialect: 'crun',
    program: 'nosuch',
    log: 'executable file `nosuch` not found in $PATH: No such file or directory\n',
    message: `${RUN}crun create failed: ${START}exec: "nosuch": executable file not found in $PATH`,
    code: 127,
  },
  {
    dialect: 'crun',
    program: '/no/such',
    log: 'executable file `/no/such` not found in $PATH: No such file or directory\n',
    message: `${RUN}crun create failed: ${START}exec: "/no/such": stat /no/such: no such file or directory`,
    code: 127,
  },
  {
    dialect: 'crun',
    program: '',
    log: 'open executable: Operation not permitted\n',
    message: `${RUN}crun create failed: ${START}exec: "": executable file not found in $PATH`,
    code: 127,
  },
  {
    dialect: 'crun',
    program: '/tmp',
    log: 'open executable: Operation not permitted\n',
    message: `${RUN}crun create failed: ${START}exec: "/tmp": is a directory: permission denied`,
    code: 126,
  },
  {
    dialect: 'runc',
    program: '/tmp',
    log: runc(`runc run failed: ${START}exec: "/tmp": permission denied`),
    message: `${RUN}runc create failed: ${START}exec: "/tmp": permission denied`,
    code: 126,
  },
  {
    dialect: 'crun',
    program: '/etc/passwd',
    log: 'open executable: Permission denied\n',
    message: `${RUN}crun create failed: ${START}exec: "/etc/passwd": permission denied`,
    code: 126,
  },
  {
    dialect: 'crun',
    program: 'true',
    log: 'mount `/etc/passwd` to `tmp`: Not a directory\n',
    message: `${RUN}crun create failed: ${START}error mounting "/etc/passwd" to rootfs at "/tmp": not a directory: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type`,
    code: 127,
  },
  {
    dialect: 'crun',
    program: 'true',
    log: 'setrlimit `RLIMIT_NOFILE`: Operation not permitted\n',
    message: `${RUN}crun create failed: ${START}setrlimit \`RLIMIT_NOFILE\`: operation not permitted`,
    code: 128,
  },
  {
    dialect: 'runc',
    phase: 'exec',
    program: 'nosuch',
    log: runc(`exec failed: ${START}exec: "nosuch": executable file not found in $PATH`),
    message: `OCI runtime exec failed: exec failed: ${START}exec: "nosuch": executable file not found in $PATH`,
    code: 127,
  },
  {
    dialect: 'crun',
    phase: 'exec',
    program: 'nosuch',
    log: 'executable file `nosuch` not found in $PATH: No such file or directory\n',
    message: `OCI runtime exec failed: exec failed: ${START}exec: "nosuch": executable file not found in $PATH`,
    code: 127,
  },
  {
    dialect: 'crun',
    phase: 'exec',
    program: 'true',
    log: 'chdir `/etc/passwd`: Not a directory\n',
    message: `OCI runtime exec failed: exec failed: ${START}chdir to cwd ("/etc/passwd") set in config.json failed: not a directory: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type`,
    code: 127,
  },
];

for (const { dialect, phase, program, log, message, code } of CASES) {
  test(`the client sees Docker’s words and ${code} for ${phase ?? 'run'} of '${program}' by ${dialect}: ${log.trim()}`, () => {
    const attempt = { phase: phase ?? ('create' as const), driver: { dialect }, command: [program] };
    const described = describeStartFailure(attempt, { stage: 'runtime', errno: 0, text: log });
    assert.equal(described.message, message);
    assert.equal(described.exitCode, code);
    assert.equal(described.kind, code === 128 ? 'system' : 'invalid');
  });
}

test('a failed step of the shim tells where and why', () => {
  const attempt = { phase: 'create' as const, driver: { dialect: 'crun' as const }, command: ['true'] };
  const failure = { stage: 'step:write', errno: 2, text: '/proc/sys/net/nosuch' };
  assert.deepEqual(describeStartFailure(attempt, failure), {
    message: `${RUN}crun create failed: step:write: /proc/sys/net/nosuch: no such file or directory`,
    exitCode: 127,
    kind: 'invalid',
  });
});

test('the reason is found in a log of several lines, in every format', () => {
  const warning = '{"level":"warning","msg":"unable to get oom kill count"}\n';
  assert.equal(runtimeLogMessage(`${runc('the reason')}${warning}`), 'the reason');
  assert.equal(runtimeLogMessage(`cut off","level":"info"}\n${warning}${runc('a "quoted" one')}`), 'a "quoted" one');
  const logrus = 'time="2026" level=error msg="runc run failed: exec: \\"x\\": gone"\n';
  assert.equal(runtimeLogMessage(logrus), 'runc run failed: exec: "x": gone');
  assert.equal(runtimeLogMessage('mkdir: No space left on device\n'), 'mkdir: No space left on device');
  assert.equal(runtimeLogMessage(''), '');
});
