// Owns playing the scenes of files on one engine: one line a step, with what differs from run to run taken out.

import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { textOf } from '../../../src/lib/bytes.ts';
import { type TarEntry, TarReader } from '../../../src/lib/tar/index.ts';
import { eventually } from '../../support/patience.ts';
import { ARCHIVES, type Scene, type Step } from './steps.ts';

interface Answer {
  readonly status: number;
  readonly stat: string | undefined;
  readonly body: Buffer;
}

/** Plays a scene on the engine at `socketPath` with a container of `image`; one line a step. Removes what it made. */
export async function playScene(socketPath: string, image: string, scene: Scene): Promise<readonly string[]> {
  const name = `files-${randomBytes(4).toString('hex')}`;
  const ask = (method: string, path: string, body?: Buffer): Promise<Answer> => call(socketPath, method, path, body);
  const named = (text: string): string => text.replaceAll('NAME', name);
  const command = scene.script === undefined ? ['true'] : ['sh', '-c', `${scene.script}`];
  const body = named(JSON.stringify({ Image: image, Cmd: command, ...scene.body }));
  const must = async (method: string, path: string, sent?: Buffer): Promise<void> => {
    const { status, body: text } = await ask(method, path, sent);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
  };
  await must('POST', `/containers/create?name=${name}`, Buffer.from(body));
  try {
    if (scene.script !== undefined) {
      await must('POST', `/containers/${name}/start`);
      if (scene.script.includes('/ready')) {
        const isReady = async () => (await ask('HEAD', `/containers/${name}/archive?path=/ready`)).status === 200;
        await eventually('the files', isReady);
      }
    }
    if (scene.stopped) await must('POST', `/containers/${name}/kill`);
    const lines: string[] = [];
    for (const step of scene.steps) lines.push((await play(ask, name, step)).replaceAll(name, 'NAME'));
    return lines;
  } finally {
    await ask('DELETE', `/containers/${name}?force=1&v=1`);
    for (const volume of [name, `${name}-2`]) await ask('DELETE', `/volumes/${volume}`);
  }
}

async function play(
  ask: (method: string, path: string, body?: Buffer) => Promise<Answer>,
  name: string,
  step: Step,
): Promise<string> {
  const [method, what] = step;
  const query = step[0] === 'PUT' ? step[2] : `path=${encodeURIComponent(what)}`;
  const sent = step[0] === 'PUT' ? ARCHIVES[what] : undefined;
  const { status, stat, body } = await ask(method, `/containers/${name}/archive?${query}`, sent);
  const shown = status === 200 && method === 'GET' ? listing(body) : messageIn(body.toString());
  const facts =
    stat === undefined
      ? ''
      : Buffer.from(stat, 'base64')
          .toString()
          .replace(/"mtime":"[^"]*",/, '');
  return `${method} ${what} ${method === 'PUT' ? query : ''}→ ${status} ${facts} ${shown}`;
}

/** What both daemons say of an error. */
function messageIn(body: string): string {
  if (!body.startsWith('{"message":')) return body.trim();
  const { message } = JSON.parse(body) as { readonly message: string };
  return JSON.stringify({ message });
}

/** One entry a word: type, mode, owner, name, link, size. */
function listing(archive: Buffer): string {
  const entries: string[] = [];
  const reader = new TarReader({ entry: (entry) => void entries.push(inWords(entry)), data() {}, entryEnd() {} });
  reader.write(archive);
  reader.end();
  return entries.join(' ');
}

function inWords({ type, mode, uid, gid, name, linkName, size }: TarEntry): string {
  const link = linkName === '' ? '' : `>${textOf(linkName)}`;
  return `${type}:${mode.toString(8)}:${uid}:${gid}:${textOf(name)}${link}${type === 'file' ? `:${size}` : ''}`;
}

function call(socketPath: string, method: string, path: string, body: Buffer | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const type = method === 'PUT' ? 'application/x-tar' : 'application/json';
    const headers = body === undefined ? {} : { 'content-type': type, 'content-length': body.length };
    const sent = request({ socketPath, method, path: `/v1.51${path}`, agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      const header = response.headers['x-docker-container-path-stat'];
      const stat = typeof header === 'string' ? header : undefined;
      response.on('end', () => resolve({ status: response.statusCode ?? 0, stat, body: Buffer.concat(chunks) }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
