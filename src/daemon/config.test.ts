import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readCommand, usage } from './config.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-config-'));
after(() => rmSync(dir, { recursive: true, force: true }));

function withFile(content: unknown, ...argv: string[]): readonly string[] {
  const path = join(dir, `${Math.random()}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return ['--config-file', path, ...argv];
}
const config = (argv: readonly string[]) => {
  const command = readCommand(argv);
  assert.equal(command.kind, 'run');
  return command.kind === 'run' ? command.config : assert.fail();
};

test('flags have the names and short forms of dockerd', () => {
  const { hosts, dataRoot, debug, pidfile, recover, addressPools, runtimes, userlandProxy, logOpts } = config([
    ...['-H', 'unix:///tmp/a.sock', '-Htcp://127.0.0.1:1234', '--data-root=/tmp/d', '-D', '--userland-proxy=false'],
    ...['-p', '/tmp/p', '--recover'],
    ...[
      '--default-address-pool',
      'base=10.1.0.0/16,size=24',
      '--add-runtime',
      'my=/opt/my',
      '--log-driver',
      'json-file',
      '--log-opt',
      'max-size=1m',
    ],
  ]);
  assert.deepEqual(hosts, ['unix:///tmp/a.sock', 'tcp://127.0.0.1:1234']);
  assert.deepEqual([dataRoot, debug, userlandProxy, pidfile, recover], ['/tmp/d', true, false, '/tmp/p', true]);
  assert.deepEqual(addressPools, [{ base: '10.1.0.0/16', size: 24 }]);
  assert.deepEqual(runtimes, { my: { path: '/opt/my', args: [] } });
  assert.deepEqual(logOpts, { 'max-size': '1m' });
});

test('a daemon.json is read; what is said twice is refused, lists too', () => {
  const { insecureRegistries, bridge, runtimes, hosts } = config(
    withFile({
      'insecure-registries': ['a:5000'],
      bridge: 'br9',
      runtimes: { r: { path: '/r', runtimeArgs: ['--x'] } },
      'exec-root': '/tmp/e',
      pidfile: '/tmp/p',
    }),
  );
  assert.deepEqual(insecureRegistries, ['a:5000']);
  assert.throws(() => config(withFile({ 'insecure-registries': ['a:5000'] }, '--insecure-registry', 'b:5000')), {
    message: /both as a flag and in the configuration file: insecure-registries/,
  });
  assert.equal(bridge, 'br9');
  assert.deepEqual(runtimes, { r: { path: '/r', args: ['--x'] } });
  assert.deepEqual(hosts, ['unix:///tmp/e/gantry.sock']);
});

test('mistakes are one clear line each', () => {
  for (const [argv, pattern] of [
    [['--bogus'], /^unknown flag: --bogus$/],
    [['-Z'], /^unknown shorthand flag: 'Z' in -Z$/],
    [['--data-root'], /^flag needs an argument: --data-root$/],
    [['extra'], /accepts no arguments: extra$/],
    [['--log-level', 'loud'], /^invalid logging level: loud$/],
    [['-H', 'ftp://x'], /invalid bind address \(ftp:\/\/x\): unsupported proto 'ftp'$/],
    [['--userland-proxy=maybe'], /^invalid argument "maybe" for "--userland-proxy" flag/],
    [['--default-address-pool', 'x'], /invalid field 'x' must be a key=value pair$/],
    [
      ['--config-file', join(dir, 'absent.json')],
      /unable to configure the daemon with file .*: open .*: no such file or directory/,
    ],
    [withFile('{'), /unable to configure the daemon with file .*JSON/],
    [withFile({ bogus: 1 }), /the following directives don't match any configuration option: bogus$/],
    [
      withFile({ hosts: 'unix:///x' }),
      /json: cannot unmarshal string into Go struct field Config.hosts of type \[\]string$/,
    ],
    [
      withFile({ bridge: 'a' }, '--bridge', 'b'),
      /both as a flag and in the configuration file: bridge: \(from flag: b, from file: a\)$/,
    ],
    [withFile({ hosts: ['unix:///a'] }, '-H', 'unix:///b'), /both as a flag and in the configuration file: hosts/],
  ] as const) {
    assert.throws(() => readCommand(argv), { kind: 'invalid', message: pattern }, String(pattern));
  }
});

test('--help names every flag; --version and --validate start nothing', () => {
  assert.equal(readCommand(['--version']).kind, 'version');
  assert.equal(readCommand(['--validate', ...withFile({})]).kind, 'validate');
  assert.equal(readCommand(['--help']).kind, 'help');
  for (const flag of ['--host', '--data-root', '--exec-root', '--bip', '--registry-mirror'])
    assert.match(usage(), new RegExp(flag));
});
