// Owns timing whole commands from outside, turn by turn between engines. Judges nothing.

import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** An engine to measure, as the Docker CLI reaches it. */
export interface Target {
  readonly name: string;
  /** `unix:///…` */
  readonly host: string;
}

/** Runs a shell-free command against an engine; output is thrown away. @throws Error when it fails */
export function docker(
  target: Target,
  args: readonly string[],
  options: { readonly capture?: boolean } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, DOCKER_HOST: target.host };
    const child = spawn('docker', args, { env, stdio: ['ignore', options.capture ? 'pipe' : 'ignore', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk;
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      if (err.length < 4096) err += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(out.trim());
      else reject(new Error(`docker ${args.join(' ')} on ${target.name} exited with ${code}: ${err.trim()}`));
    });
  });
}

/** One thing to time. `work` is timed; `before` and `after` surround all runs on a target and are not. */
export interface Row {
  readonly name: string;
  readonly runs: number;
  /** Quiet before each run, ms: how long it takes when nothing else just ran. Default 0: one run after another. */
  readonly quietMs?: number;
  readonly before?: (target: Target) => Promise<void>;
  readonly work: (target: Target, run: number) => Promise<void>;
  readonly after?: (target: Target) => Promise<void>;
}

/** The runs of a row come in this many blocks a target, turn by turn, so that a drift of the machine meets all alike. */
const BLOCKS = 2;
/** Engines tidy up behind an answer; what one still does must not be counted for the next. */
const SETTLE_MS = 500;

/** Milliseconds of each counted run, by target name. Each block begins with two runs that do not count. */
export async function timeRow(row: Row, targets: readonly Target[]): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>(targets.map(({ name }) => [name, []]));
  for (const target of targets) await row.before?.(target);
  try {
    for (let block = 0; block < BLOCKS; block++) {
      for (const target of targets) {
        await sleep(SETTLE_MS);
        times.get(target.name)?.push(...(await timeBlock(row, target, block)));
      }
    }
  } finally {
    for (const target of targets) await row.after?.(target).catch(() => undefined);
  }
  return times;
}

const UNCOUNTED = 2;

async function timeBlock(row: Row, target: Target, block: number): Promise<number[]> {
  const runs = Math.ceil(row.runs / BLOCKS);
  const times: number[] = [];
  for (let run = -UNCOUNTED; run < runs; run++) {
    if (row.quietMs) await sleep(row.quietMs);
    const start = performance.now();
    await row.work(target, block * 1000 + run + UNCOUNTED);
    if (run >= 0) times.push(performance.now() - start);
  }
  return times;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
