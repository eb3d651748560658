// Owns timing whole commands from outside, turn by turn between engines. Judges nothing.

import { spawn } from 'node:child_process';

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
  readonly before?: (target: Target) => Promise<void>;
  readonly work: (target: Target, run: number) => Promise<void>;
  readonly after?: (target: Target) => Promise<void>;
}

/** Milliseconds of each counted run, by target name. One run of each goes before, uncounted. */
export async function timeRow(row: Row, targets: readonly Target[]): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>(targets.map(({ name }) => [name, []]));
  for (const target of targets) await row.before?.(target);
  try {
    for (let run = -1; run < row.runs; run++) {
      for (const target of targets) {
        const start = performance.now();
        await row.work(target, run);
        if (run >= 0) times.get(target.name)?.push(performance.now() - start);
      }
    }
  } finally {
    for (const target of targets) await row.after?.(target).catch(() => undefined);
  }
  return times;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
