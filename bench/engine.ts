// Owns starting our engine for measurements, under a root of its own, and taking it away again.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { docker, type Target } from './command.ts';

export interface BenchEngine extends Target, AsyncDisposable {
  readonly pid: number;
}

/** Starts bin/gantryd as users get it (bundle and all) with `runtime` as default. */
export async function startGantry(runtime: string, index: number, extra: readonly string[] = []): Promise<BenchEngine> {
  const root = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
  const host = `unix://${root}/gantry.sock`;
  const args = [
    ...['--data-root', join(root, 'data'), '--exec-root', join(root, 'exec'), '--host', host],
    ...['--bridge', `gtyb${process.pid % 10000}${index}`, '--bip', `10.213.${index}.1/24`, '--log-level', 'warn'],
    ...(runtime === '' ? [] : ['--default-runtime', runtime]),
    ...extra,
  ];
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const child = spawn(join(import.meta.dirname, '../bin/gantryd'), args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  });
  const target = { name: runtime === '' ? 'gantry' : `gantry (${runtime})`, host };
  await answering(target, child);
  return { ...target, pid: child.pid ?? 0, [Symbol.asyncDispose]: () => stop(target, child, root) };
}

async function answering(target: Target, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (child.exitCode !== null) throw new Error(`gantryd ended with ${child.exitCode}`);
    if (await docker(target, ['version'], { capture: true }).catch(() => '')) return;
    await sleep(100);
  }
  throw new Error('gantryd does not answer');
}

async function stop(target: Target, child: ChildProcess, root: string): Promise<void> {
  const ids = await docker(target, ['ps', '-aq'], { capture: true }).catch(() => '');
  if (ids !== '') await docker(target, ['rm', '-f', '-v', ...ids.split('\n')]).catch(() => undefined);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
  rmSync(root, { recursive: true, force: true });
}
