// Owns the benchmark run: our engine with each runtime, and a peer, turn by turn on this machine; prints one table.
//
//   npm run bench                                        ours alone
//   GANTRY_BENCH_PEER=unix:///run/docker.sock npm run bench    side by side with a dockerd that holds busybox:latest
//   BENCH_RUNS=10  BENCH_ROWS=exec,logs  BENCH_SOAK=5000  BENCH_RUNTIMES=crun,runc

import { cpus, release, totalmem } from 'node:os';
import { busybox } from '../test/fixtures/busybox.ts';
import { docker, median, type Target, timeRow } from './command.ts';
import { type BenchEngine, startGantry } from './engine.ts';
import { pidsOf, pssMib, rssMib } from './memory.ts';
import { IMAGE, rows } from './rows.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 10);
const SOAK = Number(process.env.BENCH_SOAK ?? 0);
const RUNTIMES = (process.env.BENCH_RUNTIMES ?? 'crun,runc').split(',');
const WANTED_ROWS = process.env.BENCH_ROWS?.split(',');

delete process.env.NODE_EXTRA_CA_CERTS;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const ms = (value: number): string => `${value.toFixed(1)} ms`;

async function main(): Promise<void> {
  const peerHost = process.env.GANTRY_BENCH_PEER;
  const peer: Target | undefined = peerHost ? { name: 'dockerd', host: peerHost } : undefined;
  await using stack = new AsyncDisposableStack();
  const engines: BenchEngine[] = [];
  for (const [index, runtime] of RUNTIMES.entries()) engines.push(stack.use(await startGantry(runtime, index)));
  const { archive } = await busybox();
  for (const engine of engines) await docker(engine, ['load', '-i', archive]);
  say(
    `${cpus().length} x ${cpus()[0]?.model ?? '?'}, ${Math.round(totalmem() / 2 ** 30)} GB, kernel ${release()}; medians\n`,
  );
  await timings(engines, peer);
  await memory(engines);
  if (SOAK > 0 && engines[0]) await soak(engines[0], SOAK);
}

async function timings(engines: readonly BenchEngine[], peer: Target | undefined): Promise<void> {
  const targets = peer ? [...engines, peer] : engines;
  const ratios = peer ? engines.map(({ name }) => `dockerd / ${name}`) : [];
  const header = ['', ...targets.map(({ name }) => name), ...ratios, ...(peer ? ['wanted'] : [])];
  say(`| ${header.join(' | ')} |`);
  say(`|${header.map(() => '---').join('|')}|`);
  for (const row of rows(RUNS)) {
    if (WANTED_ROWS && !WANTED_ROWS.some((part) => row.name.includes(part))) continue;
    const times = await timeRow(row, targets);
    const medians = targets.map(({ name }) => median(times.get(name) ?? []));
    const peerMs = medians.at(-1) ?? Number.NaN;
    const factors = peer ? medians.slice(0, -1).map((value) => `${(peerMs / value).toFixed(2)}x`) : [];
    say(
      `| ${[row.name, ...medians.map(ms), ...factors, ...(peer ? [row.want ? `${row.want}x` : '-'] : [])].join(' | ')} |`,
    );
  }
}

async function memory(engines: readonly BenchEngine[]): Promise<void> {
  for (const engine of engines) {
    const before = new Set(pidsOf(/gantry-shim/));
    for (let n = 0; n < 10; n++)
      await docker(engine, ['run', '-d', '--name', `bench-mem${n}`, IMAGE, 'sleep', '100000']);
    const shims = pidsOf(/gantry-shim/).filter((pid) => !before.has(pid));
    const pss = shims.map(pssMib);
    say(
      `\n${engine.name}: daemon ${rssMib(engine.pid).toFixed(0)} MB resident with ten containers; shim PSS median ${median(pss).toFixed(2)} MiB, most ${Math.max(...pss).toFixed(2)} (${shims.length} shims)`,
    );
    await docker(engine, ['rm', '-f', ...Array.from({ length: 10 }, (_, n) => `bench-mem${n}`)]);
  }
}

/** Many runs in a row: resident memory must not grow. */
async function soak(engine: BenchEngine, count: number): Promise<void> {
  say(`\n${engine.name}: resident memory over ${count} run --rm`);
  for (let done = 0; done < count; ) {
    await Promise.all([1, 2].map(() => docker(engine, ['run', '--rm', IMAGE, 'true'])));
    done += 2;
    if (done % Math.max(2, Math.floor(count / 10 / 2) * 2) === 0) say(`  ${done}: ${rssMib(engine.pid).toFixed(0)} MB`);
  }
}

await main();
