// Owns the registry benchmark: ours beside Debian's docker-registry, turn by turn in one run on this machine; prints one table, medians.
//
//   node bench/registry/main.ts            BENCH_RUNS=5

import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RegistryProgram } from '../../test/registry/support/program.ts';
import { startRegistry } from '../../test/support/registry.ts';
import { median } from '../command.ts';
import type { Outcome } from './client.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const CLIENT = fileURLToPath(new URL('client.ts', import.meta.url));
const BLOB_BYTES = 100_000_000;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

delete process.env.NODE_EXTRA_CA_CERTS;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

function client(address: string, kind: string, clients: number, amount: number, ...paths: readonly string[]): Outcome {
  const text = execFileSync(process.execPath, [CLIENT, kind, address, String(clients), String(amount), ...paths], {
    encoding: 'utf8',
  });
  const outcome = JSON.parse(text) as Outcome;
  if (outcome.failures > 0) throw new Error(`${kind} ${paths.join()}: ${outcome.failures} failures at ${address}`);
  return outcome;
}

async function pushBlob(base: string, bytes: Buffer): Promise<{ digest: string; size: number }> {
  const begun = await fetch(`${base}/v2/bench/blobs/uploads/`, { method: 'POST' });
  const where = new URL(begun.headers.get('location') ?? '', base);
  where.searchParams.set('digest', digestOf(bytes));
  const put = await fetch(where, {
    method: 'PUT',
    body: new Uint8Array(bytes),
    headers: { 'content-type': 'application/octet-stream' },
  });
  if (put.status !== 201) throw new Error(await put.text());
  return { digest: digestOf(bytes), size: bytes.length };
}

/** One image of 100 MB; the digest of its layer. */
async function seed(base: string): Promise<string> {
  const layer = await pushBlob(base, randomBytes(BLOB_BYTES));
  const config = await pushBlob(
    base,
    Buffer.from('{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}'),
  );
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
  });
  const put = await fetch(`${base}/v2/bench/manifests/latest`, {
    method: 'PUT',
    body,
    headers: { 'content-type': MANIFEST },
  });
  if (put.status !== 201) throw new Error(await put.text());
  return layer.digest;
}

interface Peer {
  readonly name: string;
  readonly address: string;
  readonly layer: string;
}

/** Every row on every peer in turn; the figure of each is the median of its runs. */
function compare(peers: readonly Peer[], row: string, unit: string, wanted: string, run: (peer: Peer) => number): void {
  const figures = peers.map(() => [] as number[]);
  for (let i = 0; i < RUNS; i++) for (const [p, peer] of peers.entries()) figures[p]?.push(run(peer));
  const [ours = 0, theirs = 0] = figures.map((list) => median(list));
  say(
    `| ${row} | ${ours.toFixed(2)} ${unit} | ${theirs.toFixed(2)} ${unit} | ${(ours / theirs).toFixed(2)}x | ${wanted} |`,
  );
}

const rssMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** The largest resident size while `work` runs. */
async function peakWhile(pid: number, work: () => Promise<unknown>): Promise<number> {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, rssMb(pid));
  }, 50);
  await work();
  clearInterval(timer);
  return peak;
}

/** As `client`, without blocking this process. */
function clientAside(
  address: string,
  kind: string,
  clients: number,
  amount: number,
  ...paths: readonly string[]
): Promise<void> {
  const child = spawn(process.execPath, [CLIENT, kind, address, String(clients), String(amount), ...paths], {
    stdio: 'ignore',
  });
  return new Promise((resolve) => child.on('close', () => resolve()));
}

async function memory(program: RegistryProgram, address: string, layer: string): Promise<void> {
  say(`\nResident memory: ${rssMb(program.pid).toFixed(0)} MB before`);
  const upload = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await clientAside(address, 'PUSH', 10, BLOB_BYTES);
  };
  say(
    `- 5 GB pushed by 10 clients: at most ${(await peakWhile(program.pid, upload)).toFixed(0)} MB (wanted: under 150)`,
  );
  const pull = (): Promise<void> => clientAside(address, 'GET', 1000, 1000, `/v2/bench/blobs/${layer}`);
  say(
    `- 1,000 clients pulling 100 MB each: at most ${(await peakWhile(program.pid, pull)).toFixed(0)} MB (wanted: under 150)`,
  );
}

async function starts(): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const root = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
    const began = performance.now();
    const program = await RegistryProgram.start('--root', root);
    times.push(performance.now() - began);
    await program.kill('SIGTERM');
    rmSync(root, { recursive: true, force: true });
  }
  return times;
}

const quantile = (list: readonly number[], q: number): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length * q)] ?? Number.NaN;

async function timed(url: string): Promise<number> {
  const began = performance.now();
  const answer = await fetch(url);
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return performance.now() - began;
}

/** 100,000 tags by the protocol itself, then pages and queries of them. */
async function lists(base: string): Promise<void> {
  const body = async (i: number): Promise<Response> => {
    const manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: 'application/x.bench', digest: digestOf(Buffer.from('{}')), size: 2 },
      layers: [],
      annotations: { i: String(i % 100) },
    };
    return fetch(`${base}/v2/many/r${i % 1000}/manifests/tag-${i}`, {
      method: 'PUT',
      body: JSON.stringify(manifest),
      headers: { 'content-type': MANIFEST },
    });
  };
  const empty = Buffer.from('{}');
  await pushBlob(base, empty);
  for (let i = 0; i < 1000; i++)
    await fetch(`${base}/v2/many/r${i}/blobs/uploads/?mount=${digestOf(empty)}&from=bench`, { method: 'POST' });
  const began = performance.now();
  for (let i = 0; i < 100_000; ) {
    const batch = Array.from({ length: Math.min(32, 100_000 - i) }, () => body(i++));
    for (const answer of await Promise.all(batch)) {
      await answer.arrayBuffer();
      if (answer.status !== 201) throw new Error(`push of a tag: ${answer.status}`);
    }
  }
  say(`\n100,000 tags in 1,000 repositories (pushed in ${((performance.now() - began) / 1000).toFixed(0)} s):`);
  const queries = [
    'tag-999',
    'r12',
    'many',
    'tag:tag-5*',
    'repo:many/r7*',
    'nothing-of-it',
    'age:<1d',
    'size:>1GB',
    'r9 tag-1',
    'platform:linux/amd64',
  ];
  const searches: number[] = [];
  for (let i = 0; i < 500; i++)
    searches.push(await timed(`${base}/v2/_gantry/search?q=${encodeURIComponent(`${queries[i % queries.length]}`)}`));
  say(
    `- search: p50 ${quantile(searches, 0.5).toFixed(1)} ms, p99 ${quantile(searches, 0.99).toFixed(1)} ms (wanted: p99 under 50)`,
  );
  const pages: number[] = [];
  for (let i = 0; i < 500; i++)
    pages.push(
      await timed(i % 2 === 0 ? `${base}/v2/many/r${i}/tags/list` : `${base}/v2/_catalog?n=100&last=many/r${i}`),
    );
  say(
    `- lists of tags and repositories: p50 ${quantile(pages, 0.5).toFixed(1)} ms, p99 ${quantile(pages, 0.99).toFixed(1)} ms (wanted: p99 under 50)`,
  );
}

/** 10,000 blobs that nobody needs, collected while others push. */
async function garbage(base: string, address: string): Promise<void> {
  for (let i = 0; i < 10_000; ) {
    const batch = Array.from({ length: 16 }, () => pushBlob(base, Buffer.from(`garbage ${i++}`)));
    await Promise.all(batch);
  }
  await sleep(1500);
  const pushing = clientAside(address, 'PUSH', 4, BLOB_BYTES);
  const began = performance.now();
  const answer = await fetch(`${base}/v2/_gantry/gc`, { method: 'POST' });
  const { blobs } = (await answer.json()) as { blobs: number };
  const seconds = (performance.now() - began) / 1000;
  await pushing;
  say(
    `\nGarbage collection while 4 clients push: ${blobs} blobs in ${seconds.toFixed(2)} s, ${((blobs / seconds) * 60).toFixed(0)} a minute (wanted: 5,000)`,
  );
}

async function main(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
  try {
    const config = join(root, 'config.yml');
    writeFileSync(config, 'garbage: { grace: 1s, every: 1h }\nlog: { accesslog: { disabled: true } }\n');
    await using program = await RegistryProgram.start('--root', join(root, 'ours'), '--config', config);
    await using peer = await startRegistry();
    const address = program.url.replace('http://', '');
    const peers: Peer[] = [
      { name: 'gantry-registry', address, layer: await seed(program.url) },
      { name: 'docker-registry', address: peer.address, layer: await seed(`http://${peer.address}`) },
    ];
    say(`| 16 clients | gantry-registry | docker-registry | ratio | wanted |\n|---|---|---|---|---|`);
    for (const method of ['GET', 'HEAD']) {
      compare(peers, `manifest ${method}`, 'a second', '5x', (one) => {
        const { requests, seconds } = client(
          one.address,
          method,
          16,
          one.name === 'gantry-registry' ? 10_000 : 2000,
          '/v2/bench/manifests/latest',
        );
        return requests / seconds;
      });
    }
    compare(peers, 'blob GET, 100 MB each', 'GB/s', '1x', (one) => {
      const { bytes, seconds } = client(one.address, 'GET', 16, 64, `/v2/bench/blobs/${one.layer}`);
      return bytes / seconds / 1e9;
    });
    compare(peers, 'push of 16 blobs of 100 MB', 'GB/s', '1x', (one) => {
      const { bytes, seconds } = client(one.address, 'PUSH', 16, BLOB_BYTES);
      return bytes / seconds / 1e9;
    });
    say(`\nStart to first answer: ${median(await starts()).toFixed(0)} ms (wanted: under 300)`);
    await memory(program, address, peers[0]?.layer ?? '');
    await garbage(program.url, address);
    await lists(program.url);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

await main();
