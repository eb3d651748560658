// Owns the pull benchmark: images never seen before, pulled from a local docker-registry by each engine in turn.
//
//   BENCH_REGISTRY_HOST=<an address both reach> GANTRY_BENCH_PEER=unix:///… node bench/pull.ts
//
// Deleting files makes ext4 slow at creating new ones for a while, so nothing is deleted before the end.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nginx } from '../test/fixtures/nginx.ts';
import { startRegistry } from '../test/support/registry.ts';
import { blobPath, type Layer, readManifest, sha256, writeLayout } from '../tools/images/layout.ts';
import { docker, median, type Target } from './command.ts';
import { startGantry } from './engine.ts';

const ROUNDS = Number(process.env.BENCH_RUNS ?? 3);
const SETTLE_MS = 3000;
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** The nginx image with one more file in each layer, so that no engine has any of it. */
function variant(source: string, target: string, mark: string): void {
  mkdirSync(join(target, 'blobs/sha256'), { recursive: true });
  const layers = readManifest(source).layers.map(({ digest }, n): Layer => {
    const tar = join(target, `layer${n}.tar`);
    copyFileSync(blobPath(source, digest), `${tar}.gz`);
    execFileSync('gzip', ['-d', `${tar}.gz`]);
    writeFileSync(join(target, 'mark'), `${mark} ${n}`);
    execFileSync('tar', ['--append', '-f', tar, '-C', target, 'mark']);
    const diffId = `sha256:${createHash('sha256').update(readFileSync(tar)).digest('hex')}`;
    execFileSync('gzip', ['-6', tar]);
    const packed = readFileSync(`${tar}.gz`);
    const layer = { mediaType: LAYER, digest: sha256(packed), size: packed.length, diffId };
    copyFileSync(`${tar}.gz`, blobPath(target, layer.digest));
    rmSync(`${tar}.gz`);
    return layer;
  });
  writeLayout(target, `bench/nginx:${mark}`, layers, { Cmd: ['true'] });
}

async function main(): Promise<void> {
  const host = process.env.BENCH_REGISTRY_HOST ?? '127.0.0.1';
  const work = mkdtempSync(join(tmpdir(), 'gantry-bench-pull-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(work, { recursive: true, force: true }));
  const registry = stack.use(await startRegistry({ host }));
  const { layout } = await nginx();
  const gantry = stack.use(await startGantry('', 0, ['--insecure-registry', registry.address]));
  const peerHost = process.env.GANTRY_BENCH_PEER;
  const targets: Target[] = [gantry, ...(peerHost ? [{ name: 'dockerd', host: peerHost }] : [])];
  const times = new Map<string, number[]>(targets.map(({ name }) => [name, []]));
  const bytes = readManifest(layout).layers.reduce(
    (sum, { digest }) => sum + statSync(blobPath(layout, digest)).size,
    0,
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const target of round % 2 === 0 ? targets : targets.toReversed()) {
      const mark = `${process.pid}-${round}-${target === gantry ? 'a' : 'b'}`;
      variant(layout, join(work, mark), mark);
      await registry.push(join(work, mark), 'bench/nginx', mark);
      await sleep(SETTLE_MS);
      const start = performance.now();
      await docker(target, ['pull', '-q', `${registry.address}/bench/nginx:${mark}`]);
      const ms = performance.now() - start;
      times.get(target.name)?.push(ms);
      process.stdout.write(`${target.name} ${Math.round(ms)} ms\n`);
    }
  }
  const medians = targets.map(({ name }) => median(times.get(name) ?? []));
  const ratio = medians.length > 1 ? `; dockerd / gantry ${((medians[1] ?? 0) / (medians[0] ?? 1)).toFixed(2)}x` : '';
  const words = targets.map(({ name }, n) => `${name} ${Math.round(medians[n] ?? 0)} ms`).join(', ');
  process.stdout.write(
    `pull of ${Math.round(bytes / 1e6)} MB compressed in two layers, medians of ${ROUNDS}: ${words}${ratio}\n`,
  );
}

await main();
