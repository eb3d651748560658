// Checks where a registry is looked for, and when plain HTTP or a wrong certificate is let pass.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointsFor, isInsecure } from './endpoints.ts';
import type { RegistryOptions } from './types.ts';

const options = (facts: Partial<RegistryOptions> = {}): RegistryOptions => ({
  mirrors: [],
  insecure: [],
  maxConcurrentDownloads: 3,
  ...facts,
});

const bases = (domain: string, facts?: Partial<RegistryOptions>): readonly string[] =>
  endpointsFor(domain, options(facts)).map(({ base }) => base);

test('Docker Hub is asked after its mirrors, and they are marked, so that they get no credentials', () => {
  const mirrors = ['https://m.example/', 'http://127.0.0.1:5000//'];
  assert.deepEqual(endpointsFor('docker.io', options({ mirrors })), [
    { base: 'https://m.example', insecure: false, mirror: true },
    { base: 'http://127.0.0.1:5000', insecure: true, mirror: true },
    { base: 'https://registry-1.docker.io', insecure: false, mirror: false },
  ]);
});

test('mirrors are Docker Hub’s: a private registry is asked itself', () => {
  assert.deepEqual(bases('r.example', { mirrors: ['https://m.example'] }), ['https://r.example']);
});

test('plain HTTP is tried where it is allowed only, and after HTTPS', () => {
  assert.deepEqual(bases('r.example:5000'), ['https://r.example:5000']);
  assert.deepEqual(bases('localhost:5000'), ['https://localhost:5000', 'http://localhost:5000']);
  assert.deepEqual(bases('r.example', { insecure: ['r.example'] }), ['https://r.example', 'http://r.example']);
});

test('Docker Hub is never insecure, whatever the list says', () => {
  const [hub] = endpointsFor('docker.io', options({ insecure: ['docker.io', '0.0.0.0/0'] }));
  assert.equal(hub?.insecure, false);
});

/** A registry, the list, and whether it may be insecure. */
const CASES: readonly (readonly [string, readonly string[], boolean])[] = [
  ['localhost', [], true],
  ['127.0.0.1:5000', [], true],
  ['127.200.3.4', [], true],
  ['[::1]:5000', [], true],
  ['localhost.example', [], false],
  ['128.0.0.1', [], false],
  ['10.1.2.3', ['10.0.0.0/8'], true],
  ['10.1.2.3:443', ['10.0.0.0/8'], true],
  ['11.1.2.3', ['10.0.0.0/8'], false],
  ['[fd00::5]:5000', ['fd00::/8'], true],
  ['r.example:5000', ['r.example:5000'], true],
  // A host without a port stands for all of its ports; one with a port for that alone.
  ['r.example:5000', ['r.example'], true],
  ['r.example:5001', ['r.example:5000'], false],
  ['r.example', ['r.example:5000'], false],
  ['sub.r.example', ['r.example'], false],
  // Entries that are none allow nothing.
  ['10.1.2.3', ['10.0.0.0/33', '10.0.0.0/', '/8', '', 'x/8', '10.0.0.0/8x'], false],
];

for (const [domain, insecure, wanted] of CASES) {
  test(`${domain} is ${wanted ? '' : 'not '}insecure by the list [${insecure.join(' ')}]`, () => {
    assert.equal(isInsecure(domain, options({ insecure })), wanted);
  });
}
