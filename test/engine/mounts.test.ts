// Owns what mounts of a container show of their sources, what they let through, and what they keep from the host.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { busybox } from '../fixtures/busybox.ts';
import { must as command, which } from '../support/commands.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';

const RUNTIMES = ['crun', 'runc'].filter((name) => which(name) !== undefined);

let daemon: Daemon;
before(async () => {
  daemon = await startDaemon();
  await daemon.load((await busybox()).archive);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

const said = (...args: string[]) => daemon.gantry(...args);
const must = async (...args: string[]) => {
  const { code, stdout, stderr } = await said(...args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout.trim();
};
const sh = (script: string, ...flags: string[]) => must('run', '--rm', ...flags, 'busybox', 'sh', '-c', script);

/** A folder of the host with a memory file system on it; both go with the test. */
async function mountedFolder(t: { after(work: () => Promise<unknown>): void }, propagation: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), `gantry-test-${process.env.GANTRY_TEST_RUN ?? 'dev'}-mount-`));
  await command('mount', ['-t', 'tmpfs', 'top', folder]);
  await command('mount', [`--make-${propagation}`, folder]);
  t.after(async () => {
    await command('umount', ['-R', folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

for (const runtime of RUNTIMES) {
  const by = ['--runtime', runtime];

  test(`${runtime}: only the part of a volume that was asked for is mounted, also when it is started again`, async () => {
    await sh('mkdir -p /v/part/deep /v/other; echo of the part > /v/part/file; echo text > /v/plain', '-v', 'parts:/v');
    const part = (subpath: string, ...more: string[]) =>
      ['--mount', ['type=volume', 'src=parts', 'dst=/x', `volume-subpath=${subpath}`, ...more].join(',')] as const;
    assert.equal(await sh('ls /x; cat /x/file', ...by, ...part('part')), 'deep\nfile\nof the part');
    assert.equal(await sh('cat /x', ...by, ...part('plain')), 'text');
    assert.equal(
      await sh('touch /x/new 2>&1; ls /x', ...by, ...part('part', 'readonly')),
      'touch: /x/new: Read-only file system\ndeep\nfile',
    );
    // Many at once: a shim that ends early must still be heard.
    const missing = Array.from({ length: 12 }, () => said('run', '--rm', ...by, ...part('none'), 'busybox', 'true'));
    for (const { stderr } of await Promise.all(missing))
      assert.match(stderr, /cannot access path \S+\/parts\/_data\/none: lstat \S+: no such file or directory/);

    await must('create', '--name', 'again', ...by, ...part('part'), 'busybox', 'sh', '-c', 'ls /x');
    assert.equal(await must('start', '-a', 'again'), 'deep\nfile');
    // Another container with the same volume changes what the name means.
    await sh('rm -r /v/part; ln -s /etc /v/part; mkdir /v/etc; touch /v/etc/of-the-volume', '-v', 'parts:/v');
    assert.equal(await must('start', '-a', 'again'), 'of-the-volume', 'not the host’s /etc');
    await sh('rm /v/part; ln -s ../../../../../../../etc /v/part', '-v', 'parts:/v');
    assert.equal(await must('start', '-a', 'again'), 'of-the-volume');
    await must('rm', 'again');
    await must('volume', 'rm', 'parts');
  });

  test(`${runtime}: a read-only mount is read-only with all that is mounted below it`, async (t) => {
    const folder = await mountedFolder(t, 'private');
    mkdirSync(join(folder, 'below'));
    await command('mount', ['-t', 'tmpfs', 'inner', join(folder, 'below')]);
    const script = 'touch /x/f 2>/dev/null && echo top; touch /x/below/f 2>/dev/null && echo below; true';
    const mount = (...more: string[]) =>
      ['--mount', ['type=bind', `src=${folder}`, 'dst=/x', ...more].join(',')] as const;
    assert.equal(await sh(script, ...by, '-v', `${folder}:/x:ro`), '');
    assert.equal(await sh(script, ...by, ...mount('readonly')), '');
    const forced = mount('readonly', 'bind-recursive=readonly', 'bind-propagation=rprivate');
    assert.equal(await sh(script, ...by, ...forced), '');
    assert.equal(await sh(script, ...by, ...mount('readonly', 'bind-recursive=writable')), 'below');
    assert.equal(await sh(script, ...by, ...mount()), 'top\nbelow');
    const alone = mount('bind-recursive=disabled');
    assert.equal(await sh('grep -c " /x/below " /proc/mounts; true', ...by, ...alone), '0');
    const aloneToo = mount('bind-recursive=disabled', 'readonly');
    assert.equal(await sh(`grep -c " /x/below " /proc/mounts; ${script}`, ...by, ...aloneToo), '0');
  });

  test(`${runtime}: mounts travel both ways through rshared, and in only through rslave`, async (t) => {
    const folder = await mountedFolder(t, 'shared');
    for (const name of ['in', 'out']) mkdirSync(join(folder, name));
    const flags = ['--privileged', ...by];
    await must('run', '-d', '--name', 'both', ...flags, '-v', `${folder}:/x:rshared`, 'busybox', 'sleep', '1000');
    await must('exec', 'both', 'sh', '-c', 'mount -t tmpfs made /x/out && touch /x/out/by-the-container');
    assert.deepEqual(readdirSync(join(folder, 'out')), ['by-the-container']);
    await command('mount', ['-t', 'tmpfs', 'made', join(folder, 'in')]);
    writeFileSync(join(folder, 'in/by-the-host'), '');
    assert.equal(await must('exec', 'both', 'ls', '/x/in'), 'by-the-host');
    await must('rm', '-f', 'both');
    await command('umount', [join(folder, 'in')]);
    await command('umount', [join(folder, 'out')]);

    await must('run', '-d', '--name', 'inward', ...flags, '-v', `${folder}:/x:rslave`, 'busybox', 'sleep', '1000');
    await must('exec', 'inward', 'mount', '-t', 'tmpfs', 'made', '/x/out');
    await must('exec', 'inward', 'touch', '/x/out/by-the-container');
    assert.deepEqual(readdirSync(join(folder, 'out')), []);
    await command('mount', ['-t', 'tmpfs', 'made', join(folder, 'in')]);
    writeFileSync(join(folder, 'in/by-the-host'), '');
    assert.equal(await must('exec', 'inward', 'ls', '/x/in'), 'by-the-host');
    await must('rm', '-f', 'inward');
  });

  test(`${runtime}: a mount point that is a link into nothing is made where the link leads`, async () => {
    const tree = join(daemon.root, `tree-${runtime}`);
    mkdirSync(join(tree, 'bin'), { recursive: true });
    mkdirSync(join(tree, 'etc'));
    await command('cp', ['/bin/busybox', join(tree, 'bin/busybox')]);
    for (const [name, target] of [
      ['data', '/var/not/there'],
      ['climbing', '../../../../../../tmp/gantry-climbed'],
      ['chain', 'data/further'],
      ['etc/file', '../run/file'],
      ['loop', 'loop'],
    ] as const)
      symlinkSync(target, join(tree, name));
    const tar = join(daemon.root, `tree-${runtime}.tar`);
    await command('tar', ['-cf', tar, '-C', tree, '.']);
    await must('import', tar, `links-${runtime}`);
    const run = (script: string, ...flags: string[]) =>
      must(
        'run',
        '--rm',
        ...by,
        ...flags,
        `links-${runtime}`,
        '/bin/busybox',
        'sh',
        '-c',
        `b() { /bin/busybox "$@"; }; ${script}`,
      );
    const source = join(daemon.root, `source-${runtime}`);
    mkdirSync(source);
    writeFileSync(join(source, 'file'), 'of the host');
    assert.equal(await run('b cat /var/not/there/file', '-v', `${source}:/data`), 'of the host');
    assert.equal(await run('b cat /var/not/there/further/file', '-v', `${source}:/chain`), 'of the host');
    assert.equal(await run('b cat /tmp/gantry-climbed/file', '-v', `${source}:/climbing`), 'of the host');
    assert.ok(!existsSync('/tmp/gantry-climbed'), 'not on the host');
    assert.equal(await run('b cat /run/file', '-v', `${source}/file:/etc/file`), 'of the host');
    assert.equal(await run('b cat /var/not/there/a/file', '-v', `${source}/file:/data/a/file`), 'of the host');
    assert.equal(await run('b grep -c " /var/not/there " /proc/mounts', '--tmpfs', '/data'), '1');
    assert.equal(await run('b touch /var/not/there/f; b ls /data', '-v', 'filled:/data'), 'f');
    assert.equal(await run('b pwd -P', '-w', '/data'), '/var/not/there');
    const loop = await said('run', '--rm', ...by, '-v', `${source}:/loop`, `links-${runtime}`, '/bin/busybox', 'true');
    assert.notEqual(loop.code, 0);
    assert.match(loop.stderr, /too many levels of symbolic links/i);
    await must('volume', 'rm', 'filled');
    await must('rmi', `links-${runtime}`);
  });
}

test('a propagation that the source does not allow is refused in Docker’s words', async (t) => {
  const folder = await mountedFolder(t, 'private');
  for (const [mode, kinds] of [
    ['rshared', 'a shared mount'],
    ['shared', 'a shared mount'],
    ['rslave', 'a shared or slave mount'],
    ['slave', 'a shared or slave mount'],
  ]) {
    const { code, stderr } = await said('run', '--rm', '-v', `${folder}:/x:${mode}`, 'busybox', 'true');
    assert.equal(code, 125);
    assert.ok(stderr.includes(`path ${folder} is mounted on ${folder} but it is not ${kinds}`), stderr);
  }
});

test('a source that a mount may make is made, with the folders above it', async () => {
  const Source = join(daemon.root, 'made/for/it');
  const create = (CreateMountpoint: boolean) => {
    const mount = { Type: 'bind', Source, Target: '/x', BindOptions: { CreateMountpoint } };
    return daemon.api('POST', '/containers/create?name=maker', { Image: 'busybox', HostConfig: { Mounts: [mount] } });
  };
  assert.equal((await create(false)).status, 400);
  const { status, text } = await create(true);
  assert.equal(status, 201, text);
  await must('start', 'maker');
  assert.ok(existsSync(Source));
  await must('rm', '-f', 'maker');
});

test('labels of --mount go to the volume that is made for it, named or not', async () => {
  const mount = (source: string) => `type=volume,${source}dst=/x,volume-label=tier=front,volume-label=bare`;
  await must('create', '--name', 'labelled', '--mount', mount('src=named,'), 'busybox');
  assert.equal(await must('volume', 'inspect', '-f', '{{json .Labels}}', 'named'), '{"bare":"","tier":"front"}');
  await must('rm', 'labelled');
  await must('create', '--name', 'labelled', '--mount', mount(''), 'busybox');
  const name = await must('inspect', '-f', '{{(index .Mounts 0).Name}}', 'labelled');
  const labels = await must('volume', 'inspect', '-f', '{{json .Labels}}', name);
  assert.deepEqual(JSON.parse(labels), { 'com.docker.volume.anonymous': '', bare: '', tier: 'front' });
  await must('rm', '-v', 'labelled');
  await must('volume', 'rm', 'named');
});

test('options of a volume’s driver are refused, never dropped, and nothing is left of the attempt', async () => {
  const mount = (option: string) => `type=volume,src=optioned,dst=/x,volume-opt=${option}`;
  const known = await said('create', '--mount', mount('type=tmpfs'), 'busybox');
  assert.match(known.stderr, /create optioned: this engine's local driver takes no options yet: type/);
  const unknown = await said('create', '--mount', mount('nope=1'), 'busybox');
  assert.match(unknown.stderr, /create optioned: invalid option: "nope"/);
  assert.deepEqual(readdirSync(join(daemon.dataRoot, 'volumes')), []);
});
