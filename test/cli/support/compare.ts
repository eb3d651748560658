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

/** A case that takes longer hangs; its exit code is then -1. */
const DOCKER_TIMEOUT_MS = 10_000;

/** The environment of every case: the same on every machine, since cases print and send what it holds. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', TZ: 'UTC' };

/** A pretend daemon, and both command lines to set on it, one case after the other. */
export interface Comparison extends AsyncDisposable {
  /** Our command line, in this process, at the time `nowMs`. */
  gantry(argv: readonly string[], nowMs: number): Promise<Outcome>;
  /** Our command line, what it prints as it prints it. */
  rawGantry(argv: readonly string[]): Promise<Omit<Outcome, 'requests'>>;
  /** The real docker. */
  docker(argv: readonly string[]): Promise<Outcome>;
}

type Run = (env: Readonly<Record<string, string | undefined>>) => Promise<Omit<Outcome, 'requests'>>;

/** Starts the pretend daemon. Every case has an empty config folder of its own. */
export async function openComparison(): Promise<Comparison> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-cli-'));
  const engine = await startRecordingEngine(join(folder, 'engine.sock'), engineAnswers);
  const config = join(folder, 'config');
  const raw = (work: Run): ReturnType<Run> => {
    engine.begin();
    rmSync(config, { recursive: true, force: true });
    return work({ ...ENVIRONMENT, DOCKER_HOST: engine.host, DOCKER_CONFIG: config });
  };
  const run = async (work: Run): Promise<Outcome> => {
    const outcome = await raw(work);
    return normalise({ ...outcome, requests: [...engine.requests] }, folder);
  };
  return {
    gantry: (argv, nowMs) => run((env) => runGantry(argv, env, nowMs)),
    rawGantry: (argv) => raw((env) => runGantry(argv, env, 0)),
    docker: (argv) => run((env) => runDocker(argv, env)),
    [Symbol.asyncDispose]: async () => {
      await engine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const runGantry = (argv: readonly string[], env: Parameters<Run>[0], nowMs: number): ReturnType<Run> =>
  runOurs(argv, env, Readable.from([]), nowMs);

/** Our command line, in this process. */
export async function runOurs(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  stdin: Readable,
  nowMs = 0,
): Promise<Omit<Outcome, 'requests'>> {
  const [stdout, stderr] = [collector(), collector()];
  const exitCode = await main(argv, env, { stdin, stdout: stdout.stream, stderr: stderr.stream }, { now: () => nowMs });
  return { exitCode, stdout: stdout.read(), stderr: stderr.read() };
}

async function runDocker(argv: readonly string[], env: Parameters<Run>[0]): Promise<Omit<Outcome, 'requests'>> {
  const child = spawn('docker', argv, {
    env,
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
    requests: orderRequests(outcome.requests.map(normaliseRequest).filter((request) => !isExtra(request, outcome))),
  };
}

/** Requests that docker's client makes and ours need not: kinds of objects we lack, a wait that nobody reads. */
function isExtra(request: Recorded, outcome: Outcome): boolean {
  if (request.path.startsWith('/plugins/')) return true;
  if (request.path === '/info') return outcome.stderr.includes('No such object');
  return request.path.endsWith('/wait') && outcome.requests.some(isDetachedCreate);
}

function isDetachedCreate(request: Recorded): boolean {
  const body = request.body as
    | { readonly AttachStdin?: boolean; readonly AttachStdout?: boolean; readonly AttachStderr?: boolean }
    | undefined;
  if (request.path !== '/containers/create') return false;
  return !body?.AttachStdin && !body?.AttachStdout && !body?.AttachStderr;
}

/** Requests of one kind that follow each other may be sent side by side; so are attach and wait. */
function orderRequests(requests: readonly Recorded[]): Recorded[] {
  const ordered = [...requests];
  const kindOf = (request: Recorded): string =>
    `${request.method} ${request.path.replace(/^\/(\w+)\/[^/]+/, '/$1/*').replace(/(attach|wait)$/, 'attach')}`;
  for (let pass = 0; pass < ordered.length; pass++) {
    for (let at = 1; at < ordered.length; at++) {
      const [before, after] = [ordered[at - 1], ordered[at]];
      if (before === undefined || after === undefined || kindOf(before) !== kindOf(after)) continue;
      if (before.path > after.path) [ordered[at - 1], ordered[at]] = [after, before];
    }
  }
  return ordered;
}

function normaliseRequest(request: Recorded): Recorded {
  const json = JSON.stringify(request, (key, value: unknown) => {
    if (value === null) return undefined;
    // The daemon ignores it in the create of an exec.
    if (key === 'Detach' && request.path.endsWith('/exec')) return undefined;
    if (key === 'EndpointsConfig') return withoutZeros(value);
    if ((key === 'Binds' || key === 'Env') && Array.isArray(value)) return [...value].sort();
    return value;
  });
  return JSON.parse(
    json
      .replaceAll(FIXTURES, 'FIXTURES')
      .replaceAll(process.cwd(), 'CWD')
      .replaceAll(join(process.cwd(), '../up'), 'UP'),
  ) as Recorded;
}

/** Docker's client sends every field of an endpoint, most of them empty. */
function withoutZeros(endpoints: unknown): unknown {
  return JSON.parse(
    JSON.stringify(endpoints, (_key, value: unknown) =>
      value === '' || value === 0 || value === null ? undefined : value,
    ),
  );
}
