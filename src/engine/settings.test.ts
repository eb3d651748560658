import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EngineHost } from './runs/index.ts';
import { type ReloadableSettings, Settings, securityWords, withSettings } from './settings.ts';

const INITIAL: ReloadableSettings = {
  debug: false,
  labels: [],
  insecureRegistries: [],
  registryMirrors: ['https://one.example'],
  maxConcurrentDownloads: 3,
  defaultRuntime: '',
  runtimes: {},
};

function open(initial: Partial<ReloadableSettings> = {}): Settings {
  const driver = (name: string) => [name, { name, binary: `/bin/${name}` }] as const;
  const names = ['crun', 'runc', ...Object.keys(initial.runtimes ?? {})];
  const runtimes = { drivers: new Map(names.map(driver)), defaultName: 'crun', warnings: [] };
  return new Settings({ ...INITIAL, ...initial }, runtimes as never, {} as never);
}

test('without a choice the fastest runtime is the default; a choice of the owner counts', () => {
  assert.equal(open().defaultRuntime, 'crun');
  assert.equal(open({ defaultRuntime: 'runc' }).defaultRuntime, 'runc');
  assert.deepEqual(open().runtimes, ['crun', 'runc']);
});

test('a reload is seen by what was handed out before it', async () => {
  const settings = open();
  const { registries } = settings;
  await settings.reload({
    ...INITIAL,
    registryMirrors: ['https://two.example'],
    insecureRegistries: ['local:5000'],
    maxConcurrentDownloads: 9,
    maxDownloadAttempts: 2,
    defaultRuntime: 'runc',
  });
  assert.deepEqual(
    [registries.mirrors, registries.insecure, registries.maxConcurrentDownloads, registries.maxDownloadAttempts],
    [['https://two.example'], ['local:5000'], 9, 2],
  );
  assert.equal(settings.defaultRuntime, 'runc');
});

test('a reload that names a runtime which is not there changes nothing', async () => {
  const settings = open();
  const bad = settings.reload({ ...INITIAL, debug: true, defaultRuntime: 'nope' });
  await assert.rejects(bad, { code: 'NO_SUCH_RUNTIME' });
  assert.deepEqual([settings.now.debug, settings.defaultRuntime], [false, 'crun']);
});

test('a runtime that a reload takes away serves the containers that have it, and no new ones', async () => {
  const settings = open({ runtimes: { kata: { path: '/bin/kata' } } as never });
  assert.deepEqual(settings.runtimes, ['crun', 'runc', 'kata']);
  await settings.reload(INITIAL);
  assert.deepEqual(settings.runtimes, ['crun', 'runc']);
  assert.ok(settings.drivers.has('kata'));
  await assert.rejects(settings.reload({ ...INITIAL, defaultRuntime: 'kata' }), { code: 'NO_SUCH_RUNTIME' });
});

const HOST = { initBinary: '/shim', initByDefault: false } as EngineHost;

test('the daemon’s own init and security options go into every container’s host', () => {
  assert.deepEqual(withSettings(HOST, {}), { ...HOST, securityOptions: [] });
  assert.partialDeepStrictEqual(withSettings(HOST, { init: true, initPath: '/bin/tini', noNewPrivileges: true }), {
    initByDefault: true,
    initBinary: '/bin/tini',
    initArgs: [],
    securityOptions: ['no-new-privileges'],
  });
  const seccompOf = (seccompProfile: string) => withSettings(HOST, { seccompProfile }).securityOptions;
  assert.deepEqual(seccompOf('builtin'), []);
  assert.deepEqual(seccompOf('unconfined'), ['seccomp=unconfined']);
});

test('a seccomp profile that cannot be read stops the daemon, rather than run containers without it', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-settings-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'profile.json');
  const read = () => withSettings(HOST, { seccompProfile: path }).securityOptions;
  const why = `open ${path}: no such file or directory`;
  assert.throws(read, { kind: 'invalid', message: `opening seccomp profile (${path}) failed: ${why}` });
  writeFileSync(path, '{"defaultAction":');
  assert.throws(read, { code: 'SECCOMP_PROFILE', message: /^Decoding seccomp profile failed: / });
  writeFileSync(path, '{"defaultAction":"SCMP_ACT_ALLOW"}');
  assert.deepEqual(read(), ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']);
});

test('info names the security features that are on', () => {
  assert.deepEqual(securityWords({}, {}), ['name=seccomp,profile=builtin']);
  const all = securityWords({ seccompProfile: '/p.json', noNewPrivileges: true }, { cgroupnsMode: 'private' });
  assert.deepEqual(all, ['name=seccomp,profile=/p.json', 'name=cgroupns', 'name=no-new-privileges']);
});
