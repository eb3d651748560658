// Owns: measuring the start path, memory and throughput of the shim (`node test/shim/measure.ts`). Refuses: judging them.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runFields, runtimes, writeBundle } from './bundle.ts';
import {
  Attach,
  build,
  Control,
  type Fields,
  fakeRuntime,
  pause,
  readText,
  removeDir,
  runDir,
  Spawner,
} from './link.ts';

const rounds = Number(process.argv[2] ?? 30);

const show = (name: string, times: number[]): void => {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN).toFixed(2);
  console.log(`${name.padEnd(44)} p50 ${at(0.5)} ms   p95 ${at(0.95)} ms   min ${at(0)} ms`);
};

const repeat = async (name: string, once: () => Promise<number>): Promise<void> => {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) times.push(await once());
  show(name, times);
};

/** From the request to `started`, in ms. */
const start = async (spawner: Spawner, fields: (dir: string) => Fields): Promise<number> => {
  const dir = runDir();
  const request = fields(dir);
  const from = performance.now();
  await spawner.request([['op', 'spawn'], ['dir', dir], ['auto-start', 1], ...request]);
  const control = new Control(dir);
  await control.event('started');
  const took = performance.now() - from;
  await control.command('signal', [['sig', 9]]);
  await control.closed;
  removeDir(dir);
  return took;
};

const bare = (path: string, dir: string, id: string, hide: boolean): number => {
  const argv = [
    path,
    '--root',
    join(dir, 'state'),
    'run',
    '--detach',
    '--bundle',
    dir,
    '--pid-file',
    join(dir, 'pid'),
    id,
  ];
  const all = hide ? ['unshare', '-m', 'sh', '-c', 'umount /sys/fs/cgroup/unified; exec "$@"', 'sh', ...argv] : argv;
  const from = performance.now();
  spawnSync(all[0] ?? '', all.slice(1), { stdio: 'ignore' });
  return performance.now() - from;
};

build();
const spawner = new Spawner();
let count = 0;
await repeat('spawner: op=run /bin/true', async () => {
  const from = performance.now();
  await spawner.request([
    ['op', 'run'],
    ['arg', '/bin/true'],
  ]);
  return performance.now() - from;
});
await repeat('fake runtime (sh): spawn to started', () => start(spawner, (dir) => fakeRuntime(dir, 'exec sleep 100')));
for (const runtime of runtimes()) {
  await repeat(`${runtime.name}: spawn to started`, () =>
    start(spawner, (dir) => {
      writeBundle(dir, 'exec sleep 100');
      return runFields(runtime, dir, `measure-${process.pid}-${++count}`);
    }),
  );
  await repeat(`${runtime.name}: run by node's spawnSync`, async () => {
    const dir = runDir();
    const id = `measure-${process.pid}-${++count}`;
    writeBundle(dir, 'exec sleep 100');
    const took = bare(runtime.path, dir, id, runtime.steps.length > 0);
    execFileSync(runtime.path, ['--root', join(dir, 'state'), 'delete', '--force', id], { stdio: 'ignore' });
    removeDir(dir);
    return took;
  });
}

const pss = (pid: number): string =>
  /^Pss:\s+(\d+ kB)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? '?';
const idle = [];
for (let i = 0; i < 10; i++) {
  const dir = runDir();
  const more: Fields = [['log-path', join(dir, 'log')]];
  await spawner.request([
    ['op', 'spawn'],
    ['dir', dir],
    ...fakeRuntime(dir, 'seq 1 1000; exec sleep 100'),
    ...more,
    ['auto-start', 1],
  ]);
  const control = new Control(dir);
  await control.event('started');
  idle.push({ dir, control });
  if (i === 0 || i === 9) {
    await pause(1500);
    const pids = idle.map((run) => Number(readText(run.dir, 'shim.pid')));
    console.log(
      `PSS with ${idle.length} shim(s) at rest: spawner ${pss(spawner.pid)}, shims ${pids.map(pss).join(', ')}`,
    );
  }
}
for (const { dir, control } of idle) {
  await control.command('signal', [['sig', 9]]);
  await control.closed;
  removeDir(dir);
}

const dir = runDir();
execFileSync('sh', ['-c', `seq -f 'line %055.0f' 1 5000000 > ${join(dir, 'lines')}`]);
for (const [name, log, attached] of [
  ['log only', true, false],
  ['log and one attacher', true, true],
  ['one attacher', false, true],
] as const) {
  const run = runDir();
  writeFileSync(join(run, 'lines'), '');
  const more: Fields = log ? [['log-path', join(run, 'log')]] : [];
  await spawner.request([['op', 'spawn'], ['dir', run], ...fakeRuntime(run, `cat ${join(dir, 'lines')}`), ...more]);
  const control = new Control(run);
  const attach = attached ? new Attach(run, { stdout: true }) : undefined;
  await attach?.ready;
  const from = performance.now();
  await control.command('start');
  await control.event('exited');
  console.log(`${name}: ${Math.round((5_000_000 * 61) / 1000 / (performance.now() - from))} MB/s of 61-byte lines`);
  await control.closed;
  removeDir(run);
}
removeDir(dir);
await spawner.close();
