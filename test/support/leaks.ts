// Owns the list of what Gantry can leave on a machine, and what a test run left of it. Removes nothing.
// Usage: leaks.ts --save FILE | --compare FILE

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Traces of Gantry on this machine, one line each: `kind what`. */
export type Traces = ReadonlySet<string>;

const attempt = <T>(action: () => T, otherwise: T): T => {
  try {
    return action();
  } catch {
    return otherwise;
  }
};
const names = (folder: string) => attempt(() => readdirSync(folder), []);

function mounts(): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.filter((line) => line.includes('gantry')).map((line) => line.split(' ')[4] ?? line);
}

function tables(): string[] {
  const listed = attempt(() => execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }), '');
  return listed.split('\n').filter((line) => line.includes('gantry'));
}

function cgroups(folder = '/sys/fs/cgroup', depth = 0): string[] {
  if (depth > 5) return [];
  const below = attempt(() => readdirSync(folder, { withFileTypes: true }), []).filter((entry) => entry.isDirectory());
  return below.flatMap(({ name }) => {
    const path = join(folder, name);
    return [...(path.includes('gantry') ? [path] : []), ...cgroups(path, depth + 1)];
  });
}

function processes(): string[] {
  return names('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    const words = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'), []);
    const exe = attempt(() => readlinkSync(`/proc/${pid}/exe`), '');
    const isOurs =
      exe.includes('gantry-shim') || words.some((word) => /(gantryd(\.[jt]s)?|src\/daemon\/\w+\.ts)$/.test(word));
    return isOurs ? [`${pid} ${words.join(' ').trim()}`] : [];
  });
}

const filesLike = (folder: string) =>
  names(folder)
    // The folder of the root locks stays for as long as the machine runs; it holds empty files.
    .filter((name) => name.startsWith('gantry') && name !== 'gantry-locks')
    .map((name) => join(folder, name));

/** Everything of Gantry's that can be seen now. */
export function traces(): Traces {
  const kinds: Record<string, string[]> = {
    mount: mounts(),
    link: names('/sys/class/net').filter((name) => /^(gantry|gty|gtyt|veth)/.test(name)),
    table: tables(),
    cgroup: cgroups(),
    process: processes(),
    file: [...filesLike('/run'), ...filesLike(tmpdir()), ...filesLike('/run/netns')],
  };
  return new Set(Object.entries(kinds).flatMap(([kind, list]) => list.map((what) => `${kind} ${what}`)));
}

/** What is there now and was not before, after at most `patienceMs` for what is just ending. `mine` narrows to the names of one daemon. */
export async function leftSince(before: Traces, mine: (trace: string) => boolean = () => true, patienceMs = 3000) {
  const until = Date.now() + patienceMs;
  for (;;) {
    const left = [...traces()].filter((trace) => !before.has(trace) && mine(trace));
    if (left.length === 0 || Date.now() > until) return left;
    await sleep(100);
  }
}

if (import.meta.main) {
  const [mode, file = ''] = process.argv.slice(2);
  if (mode === '--save') writeFileSync(file, [...traces()].join('\n'));
  else {
    const left = await leftSince(new Set(readFileSync(file, 'utf8').split('\n')));
    for (const trace of left) process.stdout.write(`left behind: ${trace}\n`);
    process.exitCode = left.length === 0 ? 0 : 1;
  }
}
