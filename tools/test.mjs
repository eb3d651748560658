#!/usr/bin/env node
// Owns `npm test`: the set-up, the checks, then every test in one run of Node's test runner, and the proof that nothing of ours
// is left. `npm test -- test/networks src/engine/logs` runs these areas alone; other options go to the runner. Knows no test.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check } from './check.mjs';
import { complain, done, SetupFailure, say } from './setup/step.mjs';
import { ROOT, setup } from './setup.mjs';

const PLACES = ['src', 'tools', 'test'];
const FILE_LIMIT_MS = 600_000;

function testFiles(folder) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return testFiles(path);
    return /\.test\.(ts|mjs)$/.test(entry.name) ? [path] : [];
  });
}

/** The files of the named areas (a file, or all under a folder); all files when none is named. */
function chosen(areas) {
  const wanted = areas.map((area) => normalize(area).replace(/^\.\//, '').replace(/\/$/, ''));
  const files = PLACES.flatMap(testFiles).filter(
    (file) => wanted.length === 0 || wanted.some((area) => file === area || file.startsWith(`${area}/`)),
  );
  if (files.length > 0) return files;
  throw new SetupFailure(
    `No test file under: ${areas.join(', ')}.`,
    `Test files are called *.test.ts, in ${PLACES.join(', ')}.`,
  );
}

/** Runs the files; answers the exit code and the runner's closing lines, kept back so that they can be printed last. */
function runTests(node, files, options, env) {
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--test',
    '--test-concurrency=2',
    `--test-timeout=${FILE_LIMIT_MS}`,
  ];
  const child = spawn(node, [...args, '--test-reporter=spec', ...options, ...files], {
    cwd: ROOT,
    env: { ...env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let closing = '';
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are escape sequences
      if (closing || /^(\x1b\[\d+m)*ℹ tests \d/.test(line)) closing += `${line}\n`;
      else say(line);
    }
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code: code ?? 1, closing: closing + rest })));
}

function leaks(node, env, ...args) {
  return spawnSync(node, [join(ROOT, 'test/support/leaks.ts'), ...args], { env, encoding: 'utf8' });
}

function shimTests() {
  const shim = spawnSync('make', ['-C', join(ROOT, 'shim'), 'test'], { encoding: 'utf8' });
  if (shim.status !== 0)
    throw new SetupFailure("The shim's own tests fail.", 'Try: make -C shim test', shim.stdout + shim.stderr);
  done("Shim's own tests");
}

/** What needs no engine. Its faults are told at once and again at the end; the tests run all the same. */
async function checksBefore(node) {
  const faults = [];
  for (const step of [() => check(node), shimTests]) {
    try {
      await step();
    } catch (error) {
      complain(error);
      faults.push(error);
    }
  }
  return faults;
}

async function main(args) {
  const areas = args.filter((arg) => !arg.startsWith('-'));
  const options = args.filter((arg) => arg.startsWith('-'));
  const node = await setup({ tests: true });
  const files = chosen(areas);
  const faults = areas.length === 0 ? await checksBefore(node) : [];
  const scratch = mkdtempSync(join(tmpdir(), 'gantry-run-'));
  const env = { ...process.env, GANTRY_TEST_RUN: scratch.slice(-6).replace(/[^a-zA-Z0-9]/g, '0') };
  try {
    const before = join(scratch, 'before');
    leaks(node, env, '--save', before);
    const result = await runTests(node, files, options, env);
    const left = leaks(node, env, '--compare', before);
    if (left.status === 0) done('Nothing is left behind');
    else process.stdout.write(left.stdout + left.stderr);
    for (const fault of faults) complain(fault);
    process.stdout.write(result.closing);
    return faults.length > 0 ? 1 : result.code || left.status;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    complain(error);
    process.exitCode = 1;
  }
}
