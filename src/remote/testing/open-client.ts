// Owns a client of a fake registry, for tests of what a client makes of answers.

import { RegistryClient, type Repository } from '../client.ts';
import type { Timeouts } from '../http.ts';
import type { RegistryCredentials } from '../types.ts';
import { type FakeRegistry, openFakeRegistry } from './fake-registry.ts';

const NEVER: AbortSignal = new AbortController().signal;

export interface OpenedClient extends AsyncDisposable {
  readonly client: RegistryClient;
  readonly registry: FakeRegistry;
  /** `repo` at the fake registry, as this user. */
  repository(credentials?: RegistryCredentials, signal?: AbortSignal): Repository;
  /** `<method> <path>` of every request so far. */
  requests(): string[];
}

export async function openClient(timeouts: Timeouts = { answerMs: 5_000, stallMs: 5_000 }): Promise<OpenedClient> {
  const registry = await openFakeRegistry();
  const options = { mirrors: [], insecure: [], maxConcurrentDownloads: 3, maxDownloadAttempts: 3 };
  const client = new RegistryClient(options, { userAgent: 'test', timeouts });
  const endpoint = { base: `http://${registry.host}`, insecure: true, mirror: false };
  return {
    client,
    registry,
    repository: (credentials = {}, signal = NEVER) => ({ endpoint, path: 'repo', credentials, signal }),
    requests: () => registry.seen.map(({ method, url }) => `${method} ${url}`),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}
