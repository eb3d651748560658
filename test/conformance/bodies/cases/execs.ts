// Owns the bodies of execs, which run in the case's peer.

import { type BodyCase, exec, type Try } from '../types.ts';

const OUT = { AttachStdout: true, AttachStderr: true };
const shell = (script: string, body: Record<string, unknown> = {}, start: Record<string, unknown> = {}): Try =>
  exec({ ...OUT, ...body, Cmd: ['sh', '-c', script] }, start);
const refused = (body: Record<string, unknown>): Try => ({ of: 'exec', body });

export const EXECS: readonly BodyCase[] = [
  {
    name: 'an exec has the variables, folder, user and rights that it asks for',
    peer: true,
    tries: [
      shell('env | sort', { Env: ['A=b', 'A=c', '', 'HOSTNAME=h', 'PWD'] }),
      shell('pwd', { WorkingDir: '/etc/../tmp/' }),
      shell('id -u; id -g; echo $HOME', { User: '5:7' }),
      shell('grep CapEff /proc/self/status', { User: 'daemon' }),
      shell('test "$(grep CapEff /proc/self/status)" = "$(grep CapEff /proc/1/status)"'),
      shell('test "$(grep CapEff /proc/self/status)" = "$(grep CapEff /proc/1/status)"', { Privileged: true }),
      exec({ ...OUT, Cmd: ['echo', 'a  b'] }),
    ],
  },
  {
    name: 'an exec’s streams are those that it asks for',
    peer: true,
    tries: [
      shell('echo out; echo err >&2', { AttachStderr: false }),
      shell('echo out; echo err >&2', { AttachStdout: false }),
      shell('echo out', {}, { Detach: true }),
      shell('echo out', { Detach: true }),
      shell('test -t 1 && echo terminal', { Tty: true }, { Tty: true }),
      shell('test -t 1 || echo none', {}, { Tty: true }),
      shell('sleep 0.2; stty size', { Tty: true, ConsoleSize: [23, 47] }, { Tty: true }),
      shell('sleep 0.2; stty size', { Tty: true, ConsoleSize: [23, 47] }, { Tty: true, ConsoleSize: [13, 31] }),
      shell('exit 7', { DetachKeys: 'ctrl-a,b' }),
      shell('test -z "$(cat)"', { AttachStdin: false }),
      refused({ DetachKeys: 'bad-keys' }),
      refused({ ConsoleSize: [-1, 5] }),
    ],
  },
  {
    name: 'an exec that could only run otherwise than asked is refused',
    peer: true,
    tries: [
      refused({ Cmd: [] }),
      refused({ User: 'nosuch' }),
      refused({ User: '0:nosuch' }),
      refused({ User: '-5' }),
      refused({ Detach: 'x' }),
      ...[{ Env: ['=x'] }, { Env: ['A\0b=1'] }, { Env: ['A=\0'] }, { WorkingDir: 'rel' }, { WorkingDir: '/a\0b' }].map(
        (body) => exec({ ...OUT, ...body }),
      ),
      exec({ ...OUT, WorkingDir: '/nosuch' }),
      exec({ ...OUT, WorkingDir: '/etc/passwd' }),
      exec({ ...OUT, Cmd: ['nosuch'] }),
      exec({ ...OUT, Cmd: ['a\0b'] }),
      exec({ ...OUT, Env: ['PATH'], Cmd: ['sh'] }),
      exec({ ...OUT, WorkingDir: 'rel' }, { Detach: true }),
      exec({ ...OUT, Cmd: ['nosuch'] }, { Detach: true }),
    ],
  },
];
