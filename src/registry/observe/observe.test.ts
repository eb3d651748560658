// What operators read must be true, and nobody else may write it.

import assert from 'node:assert/strict';
import performanceHooks from 'node:perf_hooks';
import { mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Exchange, RequestReport } from '../http/types.ts';
import { type Counted, createAccessLog, createLog, gaugesOf, Metrics, type MetricsOptions } from './index.ts';

const REPORT: RequestReport = {
  id: 'x',
  label: 'manifest',
  method: 'GET',
  path: '/v2/app/manifests/v1',
  status: 200,
  durationMs: 12,
  bytesIn: 5,
  bytesOut: 7,
  remoteAddress: '127.0.0.1:1',
  proxyAddress: '',
  actor: 'ann',
  userAgent: 'docker/28',
  isAborted: false,
};

test('a log keeps what is under its level to itself', () => {
  const lines: string[] = [];
  const log = createLog('warn', 'json', (line) => lines.push(line));
  log('info', 'no');
  log('warn', 'yes', { key: 1 });
  assert.equal(lines.length, 1);
  const { time: _, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.deepEqual(rest, { level: 'warn', msg: 'yes', key: 1 });
});

test('whatever a client sends, it is one line of text', async () => {
  const lines: string[] = [];
  createLog('info', 'text', (line) => lines.push(line))('info', 'a\nb', { c: 'd\x1b[31m' });
  const tell = createAccessLog('text', (line) => lines.push(line));
  tell({ ...REPORT, path: `/\r\n"x\x1b${'y'.repeat(5000)}`, actor: 'a\nb', userAgent: '"\n' });
  await turn();
  assert.equal(lines.length, 2);
  for (const line of lines) {
    assert.doesNotMatch(line.slice(0, -1), /[\p{Cc}]/u);
    assert.ok(line.length < 3000);
  }
});

test('the access log is written once a turn, a request a line', async () => {
  const written: string[] = [];
  const tell = createAccessLog('json', (lines) => written.push(lines));
  tell(REPORT);
  tell({ ...REPORT, isAborted: true });
  await turn();
  assert.equal(written.length, 1);
  const lines = (written[0] ?? '').trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as RequestReport).isAborted),
    [false, true],
  );
});

async function ask(metrics: Metrics, path: string): Promise<{ status: number; body: string }> {
  const answer = { status: 0, body: '' };
  const exchange = {
    send: (status: number, _headers: unknown, body: string) => Object.assign(answer, { status, body }),
    json: (status: number, value: unknown) => Object.assign(answer, { status, body: JSON.stringify(value) }),
  };
  await metrics.routes.find((route) => route.path === path)?.handle(exchange as unknown as Exchange);
  return answer;
}

const COUNTED: Counted = {
  inventory: { repositories: 1, tags: 2, manifests: 3, blobs: 4, blobBytes: 5, uploads: 6 },
  collected: { blobs: 7, bytes: 8, uploads: 9 },
  webhooks: { delivered: 10, failed: 11, pending: 12, dead: 13 },
  replicationsPending: 14,
  faults: 15,
};
const options = (more: Partial<MetricsOptions> = {}): MetricsOptions => ({
  right: 'open',
  gauges: () => gaugesOf(COUNTED),
  checks: [],
  ...more,
});

test('metrics count requests by route, their bytes and their time, and what the parts tell', async () => {
  const metrics = new Metrics(options());
  metrics.request(REPORT);
  metrics.request({ ...REPORT, durationMs: 200 });
  metrics.request({ ...REPORT, status: 404 });
  const { body } = await ask(metrics, '/metrics');
  const lines = new Set(body.split('\n'));
  for (const line of [
    'gantry_registry_http_requests_total{route="manifest",method="GET",status="200"} 2',
    'gantry_registry_http_requests_total{route="manifest",method="GET",status="404"} 1',
    'gantry_registry_http_bytes_total{direction="in"} 15',
    'gantry_registry_http_bytes_total{direction="out"} 21',
    'gantry_registry_http_request_duration_seconds_bucket{route="manifest",le="0.025"} 2',
    'gantry_registry_http_request_duration_seconds_bucket{route="manifest",le="0.5"} 3',
    'gantry_registry_http_request_duration_seconds_count{route="manifest"} 3',
    'gantry_registry_tags 2',
    'gantry_registry_garbage_bytes_total 8',
    'gantry_registry_webhook_events_dead 13',
    'gantry_registry_replication_jobs_pending 14',
    'gantry_registry_content_faults 15',
  ]) {
    assert.ok(lines.has(line), line);
  }
  assert.match(body, /^process_resident_memory_bytes \d/m);
  assert.equal([...body.matchAll(/^# TYPE (\S+)/gm)].length, new Set(body.match(/^# TYPE (\S+)/gm)).size);
});

test('asking for metrics again and again starts no more watchers', async () => {
  const watch = mock.method(performanceHooks, 'monitorEventLoopDelay');
  const metrics = new Metrics(options());
  for (let i = 0; i < 5; i++) await ask(metrics, '/metrics');
  assert.equal(watch.mock.callCount(), 1);
  watch.mock.restore();
});

test('health is what the checks say', async () => {
  const fine = { name: 'records', run: () => undefined };
  const broken = { name: 'storage', run: () => Promise.reject(new Error('gone')) };
  assert.deepEqual(await ask(new Metrics(options({ checks: [fine] })), '/healthz'), {
    status: 200,
    body: '{"status":"ok","faults":[]}',
  });
  assert.deepEqual(await ask(new Metrics(options({ checks: [fine, broken] })), '/healthz'), {
    status: 503,
    body: '{"status":"failing","faults":["storage: gone"]}',
  });
});
