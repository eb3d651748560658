// Owns the recording of what dockerd says about flags and daemon.json: run where dockerd is on the PATH, it renews the answers in dockerd.json.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Golden {
  /** Every flag of dockerd, those that --help hides too. */
  flags: string[];
  /** Every key that a daemon.json may hold. */
  keys: string[];
  answers: { argv: string[]; file?: string; says: string }[];
}

const place = new URL('dockerd.json', import.meta.url);
const golden: Golden = JSON.parse(readFileSync(place, 'utf8'));
const dir = mkdtempSync(join(tmpdir(), 'dockerd-'));
const path = join(dir, 'daemon.json');

function ask(argv: readonly string[], file?: string): string {
  if (file !== undefined) writeFileSync(path, file);
  const all = ['--validate', ...(file === undefined ? [] : ['--config-file', path]), ...argv];
  const { stdout, stderr } = spawnSync('dockerd', all, { encoding: 'utf8', timeout: 20_000 });
  const lines = (stderr || stdout).replaceAll(path, 'FILE').split('\n');
  return lines.find((line) => line && !/^time=|is deprecated/.test(line))?.replace(/^Status: /, '') ?? '';
}

const { stdout: help } = spawnSync('dockerd', ['--help'], { encoding: 'utf8' });
const shown = [...help.matchAll(/--([a-z0-9-]+)/g)].map(([, name]) => name as string);
golden.flags = [...new Set([...golden.flags, ...shown])]
  .filter((name) => !ask([`--${name}`]).startsWith('unknown'))
  .sort();
golden.keys = [...new Set([...golden.flags, ...golden.keys])]
  .filter((key) => !ask([], JSON.stringify({ [key]: key === 'proxies' ? {} : null })).includes("don't match any"))
  .sort();
for (const answer of golden.answers) answer.says = ask(answer.argv, answer.file);
const [flags, keys] = [golden.flags, golden.keys].map((names) => JSON.stringify(names));
const lines = golden.answers.map((answer) => `  ${JSON.stringify(answer)}`).join(',\n');
writeFileSync(place, `{"flags":${flags},\n"keys":${keys},\n"answers":[\n${lines}\n]}\n`);
rmSync(dir, { recursive: true });
