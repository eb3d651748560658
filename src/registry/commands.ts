// Owns the commands that work on a registry's data while no server runs: check, import and garbage collection.

import type { RegistryConfig } from './config/types.ts';
import { importDistribution } from './importing/index.ts';
import { openStore } from './open-store.ts';
import type { Fault } from './repositories/types.ts';
import type { Log } from './types.ts';

/** Compares content and records. Resolves to the exit code: 1 when unrepaired faults are left. */
export async function checkStore(config: RegistryConfig, isRepair: boolean, io: Streams, log: Log): Promise<number> {
  await using store = await openStore(config, log);
  const { signal } = new AbortController();
  const folders = config.proxies.map(({ prefix }) => (prefix === '' ? '' : `${prefix.replace(/\/+$/, '')}/`));
  const isMirror = (repository: string): boolean => folders.some((folder) => repository.startsWith(folder));
  const onFault = ({ kind, digest, detail, hurts, outcome }: Fault): void => {
    const hurt = hurts.length === 0 ? '' : ` (${hurts.join(', ')})`;
    io.stdout.write(`${kind} ${digest}: ${detail}${hurt}${outcome === 'found' ? '' : `: ${outcome}`}\n`);
  };
  const { blobs, bytes, faults, mended } = await store.repositories.check({ isRepair, signal, isMirror, onFault });
  io.stdout.write(`${blobs} blobs (${bytes} bytes) checked, ${faults} faults, ${mended} mended\n`);
  return faults === mended ? 0 : 1;
}

interface Streams {
  readonly stdout: { write(text: string): unknown };
}

/** Imports a docker-registry's data folder. Resolves to the exit code: 1 when something was skipped. */
export async function takeOver(config: RegistryConfig, from: string, io: Streams, log: Log): Promise<number> {
  await using store = await openStore(config, log);
  const { signal } = new AbortController();
  const say = (line: string): void => void io.stdout.write(`${line}\n`);
  const report = await importDistribution({ from, repositories: store.repositories, signal, onProgress: say });
  for (const line of report.skipped) say(`skipped ${line}`);
  say(
    `${report.repositories} repositories, ${report.manifests} manifests, ${report.tags} tags, ${report.blobs} blobs (${report.bytes} bytes)`,
  );
  return report.skipped.length === 0 ? 0 : 1;
}

/** Collects garbage once. */
export async function collect(config: RegistryConfig, io: Streams, log: Log): Promise<number> {
  await using store = await openStore(config, log);
  const { signal } = new AbortController();
  const strays = await store.repositories.removeStrays(signal);
  const { blobs, bytes, uploads } = await store.repositories.collectGarbage(signal);
  io.stdout.write(`${blobs} blobs (${bytes} bytes), ${uploads} abandoned uploads, ${strays} stray files removed\n`);
  return 0;
}
