// Owns trying create bodies on an engine by its API, and making two outcomes comparable. Asserts nothing.

import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { type Answer, apiCall } from '../../support/daemon.ts';
import type { BodyCase, Outcome, Try } from './types.ts';

export interface Engine {
  /** Path of its UNIX socket. */
  readonly socket: string;
  readonly image: string;
}

/** Tries all bodies of a case, one after the other; leaves nothing. */
export async function play(engine: Engine, { tries, peer }: BodyCase): Promise<Outcome[]> {
  const name = `gtb${randomBytes(5).toString('hex')}x`;
  const call = (method: string, path: string, body?: unknown) => apiCall(engine.socket, method, path, body);
  try {
    if (peer) await startPeer(engine, `${name}-peer`);
    const outcomes: Outcome[] = [];
    for (const one of tries) outcomes.push(clean(await attempt(engine, one, name), name));
    return outcomes;
  } finally {
    await call('DELETE', `/containers/${name}-peer?force=1&v=1`);
    const filters = encodeURIComponent(JSON.stringify({ name: [name] }));
    const { Volumes } = (await call('GET', `/volumes?filters=${filters}`)).json<{
      Volumes: { Name: string }[] | null;
    }>();
    for (const { Name } of Volumes ?? []) await call('DELETE', `/volumes/${Name}?force=1`);
  }
}

async function startPeer({ socket, image }: Engine, name: string): Promise<void> {
  const body = { Image: image, Cmd: ['sleep', '600'], HostConfig: { NetworkMode: 'none' } };
  await apiCall(socket, 'POST', `/containers/create?name=${name}`, body);
  await apiCall(socket, 'POST', `/containers/${name}/start`);
}

async function attempt(engine: Engine, one: Try, name: string): Promise<Outcome> {
  const over =
    one.of === 'volume' ? {} : one.of === 'exec' ? { Cmd: ['true'] } : { Image: engine.image, Cmd: ['true'] };
  const body: unknown = JSON.parse(JSON.stringify({ ...over, ...one.body }).replaceAll('$N', name));
  const path = `/${one.version ?? 'v1.51'}${PATHS[one.of ?? 'container']}`.replace('$N', name);
  const made = await apiCall(engine.socket, 'POST', path, body);
  if (made.status !== 201) return { refused: { at: 'create', status: made.status, message: messageOf(made) } };
  if (one.of === 'volume') return volumeOutcome(engine, one, made);
  if (one.of === 'exec') return one.start ? runExec(engine.socket, made.json<{ Id: string }>().Id, one.start) : {};
  return containerOutcome(engine, one, made);
}

const PATHS = { container: '/containers/create', exec: '/containers/$N-peer/exec', volume: '/volumes/create' } as const;

async function containerOutcome({ socket }: Engine, { start, shows }: Try, made: Answer): Promise<Outcome> {
  const { Id, Warnings } = made.json<{ Id: string; Warnings: string[] | null }>();
  const warned = Warnings?.length ? { warnings: Warnings } : {};
  try {
    const ran = start ? await run(socket, Id) : {};
    return { ...warned, ...ran, ...(shows ? { shows: await look(socket, Id, shows) } : {}) };
  } finally {
    await apiCall(socket, 'DELETE', `/containers/${Id}?force=1&v=1`);
  }
}

async function volumeOutcome({ socket }: Engine, { shows = [] }: Try, made: Answer): Promise<Outcome> {
  const volume = made.json<Record<string, unknown>>();
  await apiCall(socket, 'DELETE', `/volumes/${volume.Name}?force=1`);
  return { shows: Object.fromEntries(shows.map((place) => [place, volume[place] ?? null])) };
}

async function run(socket: string, id: string): Promise<Outcome> {
  const started = await apiCall(socket, 'POST', `/containers/${id}/start`);
  if (started.status !== 204) {
    return { refused: { at: 'start', status: started.status, message: messageOf(started) } };
  }
  const { StatusCode } = (await apiCall(socket, 'POST', `/containers/${id}/wait`)).json<{ StatusCode: number }>();
  const { output } = await streamed(socket, 'GET', `/containers/${id}/logs?stdout=1&stderr=1`);
  return { exitCode: StatusCode, output };
}

async function runExec(socket: string, id: string, start: unknown): Promise<Outcome> {
  const { status, output } = await streamed(socket, 'POST', `/exec/${id}/start`, start);
  if (status !== 200) {
    const message = (JSON.parse(output) as { message: string }).message;
    return { refused: { at: 'start', status, message } };
  }
  for (;;) {
    const record = (await apiCall(socket, 'GET', `/exec/${id}/json`)).json<{ Running: boolean; ExitCode: number }>();
    if (!record.Running) return { exitCode: record.ExitCode, output };
    await setTimeout(50);
  }
}

/** An answer's text, without the frames of a stream that has some. */
function streamed(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request({ socketPath, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const framed = bytes.length >= 8 && bytes.readUInt32BE(0) % 0x1000000 === 0;
        resolve({ status: response.statusCode ?? 0, output: framed ? unframe(bytes) : bytes.toString() });
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function unframe(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    text += bytes.subarray(at + 8, at + 8 + length).toString();
    at += 8 + length;
  }
  return text;
}

async function look(socket: string, id: string, places: readonly string[]): Promise<Record<string, unknown>> {
  const inspected = (await apiCall(socket, 'GET', `/containers/${id}/json`)).json();
  const at = (place: string): unknown =>
    place.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], inspected);
  return Object.fromEntries(places.map((place) => [place, at(place) ?? null]));
}

function messageOf(answer: Answer): string {
  try {
    return answer.json<{ message?: string }>().message ?? answer.text;
  } catch {
    return answer.text;
  }
}

/** What differs from run to run and from host to host. */
function clean(outcome: Outcome, name: string): Outcome {
  const text = JSON.stringify(outcome)
    .replaceAll(name, '<name>')
    .replace(/(?<![0-9a-f])[0-9a-f]{64}\b/g, '<id>')
    .replace(/(?<![0-9a-f])[0-9a-f]{12}\b/g, '<id12>')
    .replace(/\/[\w./-]*\/volumes\//g, '<root>/volumes/')
    .replace(/(?<!\d)(?:172\.17|10\.\d+)\.\d+\.\d+\b/g, '<ip>')
    .replace(/to \d+\.00, as there are only \d+ CPUs/g, 'to <n>, as there are only <n> CPUs')
    .replace(/available: [\d,-]+/g, 'available: <list>');
  return JSON.parse(text) as Outcome;
}

/** Of a runtime's failure the reason, whichever runtime it was. */
const RUNTIME =
  /^.*OCI runtime create failed: \w+ create failed: (?:unable to start container process: )?(?:error during container init: )?(?:error setting cgroup config for procHooks process: )?/s;

/**
 * An outcome to compare with Docker's. What Docker finds out at the start only, this engine may refuse at create: the words
 * count then, not the status.
 */
export function comparable(outcome: Outcome, other: Outcome): unknown {
  if (!outcome.refused) return outcome;
  const message = outcome.refused.message.replace(RUNTIME, '');
  const both = outcome.refused.at === 'create' && other.refused?.at === 'create';
  return { refused: message, ...(both ? { status: outcome.refused.status } : {}) };
}
