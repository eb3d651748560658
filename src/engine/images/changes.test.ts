// Checks what `docker import --change` makes of Dockerfile instructions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../../lib/errors.ts';
import type { ImageConfig } from '../../spec/docker/types.gen.ts';
import { applyChanges } from './changes.ts';

/** Instructions, and the members of the configuration that they make. */
const GOOD: readonly (readonly [string, ImageConfig])[] = [
  ['CMD ["sh", "-c", "a b"]', { Cmd: ['sh', '-c', 'a b'] }],
  ['CMD echo "a b"', { Cmd: ['/bin/sh', '-c', 'echo "a b"'] }],
  // What looks like a list and is none is the shell's.
  ['CMD [ -f /x ] && y', { Cmd: ['/bin/sh', '-c', '[ -f /x ] && y'] }],
  ['CMD ["a", 1]', { Cmd: ['/bin/sh', '-c', '["a", 1]'] }],
  ['entrypoint ["/a"]', { Entrypoint: ['/a'] }],
  ['ENV A=1 B="two words" C=a\\ b', { Env: ['A=1', 'B=two words', 'C=a b'] }],
  ['ENV A the rest of it', { Env: ['A=the rest of it'] }],
  ['ENV A=x=y', { Env: ['A=x=y'] }],
  ['LABEL a=\'$x "q"\' b=', { Labels: { a: '$x "q"', b: '' } }],
  ['EXPOSE 80 53/UDP 8000-8010/tcp', { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000-8010/tcp': {} } }],
  ['USER 1000:1000', { User: '1000:1000' }],
  ['WORKDIR /a', { WorkingDir: '/a' }],
  ['WORKDIR a', { WorkingDir: '/a' }],
  ['WORKDIR a/../b', { WorkingDir: '/b' }],
  ['WORKDIR /my files', { WorkingDir: '/my files' }],
  ['WORKDIR "/my files"', { WorkingDir: '/my files' }],
  ['VOLUME ["/a b", "/c"]', { Volumes: { '/a b': {}, '/c': {} } }],
  ['VOLUME /a /b', { Volumes: { '/a': {}, '/b': {} } }],
  ['STOPSIGNAL SIGUSR1', { StopSignal: 'SIGUSR1' }],
  ['ONBUILD RUN a && b', { OnBuild: ['RUN a && b'] }],
  ['HEALTHCHECK none', { Healthcheck: { Test: ['NONE'] } }],
  ['CMD a \\\n b', { Cmd: ['/bin/sh', '-c', 'a   b'] }],
];

for (const [line, wanted] of GOOD) {
  test(`import --change ${JSON.stringify(line)} makes what Docker makes`, () => {
    assert.deepEqual(applyChanges({}, [line]), wanted);
  });
}

test('a health check keeps its command and all of its times', () => {
  const flags = '--interval=1m30s --timeout=500ms --start-period=1.5s --start-interval=2us --retries=3';
  const made = applyChanges({}, [`HEALTHCHECK ${flags} CMD curl -f http://x`]);
  assert.deepEqual(made.Healthcheck, {
    Test: ['CMD-SHELL', 'curl -f http://x'],
    Interval: 90e9,
    Timeout: 500e6,
    StartPeriod: 1.5e9,
    StartInterval: 2000,
    Retries: 3,
  });
  assert.deepEqual(applyChanges({}, ['HEALTHCHECK CMD ["a","b"]']).Healthcheck?.Test, ['CMD', 'a', 'b']);
});

test('later instructions add to earlier ones, and replace what has one value', () => {
  const made = applyChanges({}, [
    'ENV A=1 AB=2',
    'ENV A=3',
    'LABEL a=1\nLABEL b=2',
    'WORKDIR /a/',
    'WORKDIR b',
    'USER x',
    'USER y',
    'EXPOSE 1',
    'EXPOSE 2',
    'VOLUME /v',
    'VOLUME /w',
    'ONBUILD A',
    'ONBUILD B',
  ]);
  assert.deepEqual(made, {
    Env: ['AB=2', 'A=3'],
    Labels: { a: '1', b: '2' },
    WorkingDir: '/a/b',
    User: 'y',
    ExposedPorts: { '1/tcp': {}, '2/tcp': {} },
    Volumes: { '/v': {}, '/w': {} },
    OnBuild: ['A', 'B'],
  });
});

test('empty lines and comments say nothing', () => {
  assert.deepEqual(applyChanges({ User: 'x' }, ['', '  ', '# CMD x', 'ENV A=1\n\n# y\n']), { User: 'x', Env: ['A=1'] });
});

const BAD: readonly (readonly [string, string])[] = [
  ['RUN rm -rf /', 'RUN is not a valid change command'],
  ['FROM x', 'FROM is not a valid change command'],
  // Not a name that every object has.
  ['constructor x', 'constructor is not a valid change command'],
  ['123', '123 is not a valid change command'],
  ['CMD', 'CMD requires at least one argument'],
  ['WORKDIR ""', 'cannot normalize nothing'],
  ['ENV A', 'ENV must have two arguments'],
  ['ENV A=1 B', 'Syntax error - can\'t find = in "B". Must be of the form: name=value'],
  ['LABEL =x', 'Syntax error - can\'t find = in "=x". Must be of the form: name=value'],
  ['EXPOSE web', 'Invalid containerPort: web'],
  ['EXPOSE 80/icmp', 'Invalid containerPort: 80/icmp'],
  ['HEALTHCHECK RUN x', 'Unknown type "RUN" in HEALTHCHECK (try CMD)'],
  ['HEALTHCHECK --interval=5 CMD x', 'invalid duration "5"'],
  ['HEALTHCHECK --timeout=1mx CMD x', 'invalid duration "1mx"'],
];

for (const [line, message] of BAD) {
  test(`import --change ${JSON.stringify(line)} is refused by name`, () => {
    assert.throws(
      () => applyChanges({}, [line]),
      (error) => isGantryError(error, 'invalid') && error.code === 'BAD_CHANGE' && error.message === message,
    );
  });
}
