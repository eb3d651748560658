// Owns running one case with our command line or with docker, and the shape in which both are compared.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { main } from '../../../src/cli/main.ts';
import { engineAnswers } from './engine-answers.ts';
import { type Recorded, startRecordingEngine } from './recording-engine.ts';

/** Folder of files that cases name. */
export const FIXTURES = fileURLToPath(new URL('../golden/fixtures', import.meta.url));

/** What a case did. */
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly requests: readonly Recorded[];
}

/** Runs `work` beside a pretend daemon with an empty config folder. */
async function withEngine(
  work: (host: string, config: string) => Promise<Omit<Outcome, 'requests'>>,
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-cli-'));
  const engine = await startRecordingEngine(join(folder, 'engine.sock'), engineAnswers());
  try {
    const outcome = await work(engine.host, join(folder, 'config'));
    return normalise({ ...outcome, requests: engine.requests }, folder);
  } finally {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A case that takes longer hangs; its exit code is then -1. */
const DOCKER_TIMEOUT_MS = 10_000;

const ENVIRONMENT = { PATH: process.env.PATH, HOME: '/root', TZ: 'UTC' };

/** Our command line, in this process, at the time `nowMs`. */
export function runGantry(argv: readonly string[], nowMs: number): Promise<Outcome> {
  return withEngine(async (host, config) => {
    const [stdout, stderr] = [collector(), collector()];
    const exitCode = await main(
      argv,
      { ...ENVIRONMENT, DOCKER_HOST: host, DOCKER_CONFIG: config },
      { stdin: Readable.from([]), stdout: stdout.stream, stderr: stderr.stream },
      { now: () => nowMs },
    );
    return { exitCode, stdout: stdout.read(), stderr: stderr.read() };
  });
}

/** The real docker. */
export function runDocker(argv: readonly string[]): Promise<Outcome> {
  return withEngine(async (host, config) => {
    const child = spawn('docker', argv, {
      env: { ...ENVIRONMENT, DOCKER_HOST: host, DOCKER_CONFIG: config },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: DOCKER_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    const exit = new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? -1));
    });
    const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
    return { exitCode, stdout, stderr };
  });
}

function collector(): { readonly stream: Writable; read(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, read: () => Buffer.concat(chunks).toString() };
}

/** Takes out what may differ: the program's name, our hints, temporary paths, order of maps, absent against null. */
function normalise(outcome: Outcome, folder: string): Outcome {
  const clean = (output: string): string =>
    output
      .replace(/^Hint: .*\n/gm, '')
      .replaceAll(folder, 'FOLDER')
      .replaceAll(FIXTURES, 'FIXTURES')
      .replaceAll('gantry', 'docker')
      .replaceAll('SRun ', 'Run ');
  return {
    ...outcome,
    stdout: clean(outcome.stdout),
    stderr: clean(outcome.stderr),
    requests: outcome.requests.map(normaliseRequest).sort((left, right) => order(left) - order(right)),
  };
}

/** Attach and wait are sent side by side. */
function order(request: Recorded): number {
  return ['create', 'attach', 'wait', 'start'].findIndex((verb) => request.path.endsWith(`/${verb}`));
}

function normaliseRequest(request: Recorded): Recorded {
  const json = JSON.stringify(request, (key, value: unknown) => {
    if (value === null) return undefined;
    if (key === 'EndpointsConfig') return withoutZeros(value);
    if ((key === 'Binds' || key === 'Env') && Array.isArray(value)) return [...value].sort();
    return value;
  });
  return JSON.parse(json.replaceAll(FIXTURES, 'FIXTURES').replaceAll(process.cwd(), 'CWD')) as Recorded;
}

/** Docker's client sends every field of an endpoint, most of them empty. */
function withoutZeros(endpoints: unknown): unknown {
  return JSON.parse(
    JSON.stringify(endpoints, (_key, value: unknown) =>
      value === '' || value === 0 || value === null ? undefined : value,
    ),
  );
}
