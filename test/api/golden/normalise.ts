// Owns what two daemons may differ in: ids, times, addresses, versions. Turns answers into comparable text.

import type { RawAnswer } from '../support/raw-http.ts';

/** An answer without what differs from run to run. */
export interface GoldenAnswer {
  readonly status: string;
  readonly headers: readonly string[];
  readonly body: unknown;
}

const VOLATILE_HEADERS = /^(date|connection|keep-alive|content-length|transfer-encoding|server):/i;

/** Comparable form. Header order does not count; which body framing was used does not either. */
export function normalise(answer: RawAnswer): GoldenAnswer {
  const headers = answer.headers.filter((line) => !VOLATILE_HEADERS.test(line)).map((line) => line.trim());
  const server = answer.headers.find((line) => /^server:/i.test(line));
  if (server) headers.push(`Server: ${server.replace(/^server:\s*/i, '').replace(/\/\S+/, '/<version>')}`);
  const status = answer.statusLine.replace(/^HTTP\/1\.\d /, '');
  return { status, headers: headers.sort(), body: normaliseBody(answer.body) };
}

function normaliseBody(body: string): unknown {
  try {
    return normaliseValue('', withoutOurs(JSON.parse(body)));
  } catch {
    return normaliseText(body);
  }
}

/** An error says more here than Docker's does: see test/api/errors.test.ts. */
function withoutOurs(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('message' in body)) return body;
  return { message: body.message };
}

/** Fields whose values say nothing about the API. */
const VOLATILE_FIELDS: Readonly<Record<string, string>> = {
  Created: '<time>',
  CreatedAt: '<time>',
  StartedAt: '<time>',
  FinishedAt: '<time>',
  LastTagTime: '<time>',
  time: '<time>',
  timeNano: '<time>',
  Pid: '<pid>',
  Status: '<status>',
  Runtime: '<runtime>',
  IPPrefixLen: '<bits>',
  Data: '<graph>',
  Processes: '<processes>',
  SandboxID: '<sandbox>',
  SandboxKey: '<sandbox>',
  Size: '<bytes>',
  SizeRw: '<bytes>',
  SizeRootFs: '<bytes>',
  execDuration: '<seconds>',
  ImageID: '<image>',
  DockerVersion: '<version>',
};

/** Others may have given the test's image further names, with their registry in front. */
const NAME_LISTS: ReadonlySet<string> = new Set(['RepoTags', 'RepoDigests', 'Tags']);

const NEVER = '0001-01-01T00:00:00Z';

function normaliseValue(key: string, value: unknown): unknown {
  if (key === 'Containers' && typeof value === 'number' && value >= 0) return '<count>';
  if (NAME_LISTS.has(key) && Array.isArray(value)) return value.filter((name) => !String(name).includes('/'));
  const mask = VOLATILE_FIELDS[key];
  const isPlain = typeof value !== 'object' || key === 'Data' || key === 'Processes';
  if (mask !== undefined && isPlain && value !== '' && value !== 0 && value !== NEVER) return mask;
  if (typeof value === 'string') return normaliseText(value);
  if (Array.isArray(value)) return value.map((item) => normaliseValue('', item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => [normaliseText(name), normaliseValue(name, item)]);
  return Object.fromEntries(entries);
}

function normaliseText(text: string): string {
  return text
    .replace(/\b[0-9a-f]{64}\b/g, '<id>')
    .replace(/\b[0-9a-f]{12}\b/g, '<short id>')
    .replace(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z/g, (time) => (time === NEVER ? time : '<time>'))
    .replace(/\b(?:10|172|192)\.\d+\.\d+\.\d+(\/\d+)?/g, '<ip>')
    .replace(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, '<mac>')
    .replace(/\/(?:var\/lib|run|tmp)\/\S*?(?=\/containers\/|\/volumes\/)/g, '<root>');
}
