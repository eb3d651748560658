// Owns conformance: the same raw requests to us and, recorded, to dockerd 28.5.2.
// GANTRY_HOST=unix:///… runs the whole table against a real Gantry daemon; GANTRY_ORACLE=… checks the recording itself.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { type GoldenAnswer, normalise } from './golden/normalise.ts';
import type { GoldenCase } from './golden/request.ts';
import { STATELESS } from './golden/stateless.table.ts';
import { WALK } from './golden/walk.table.ts';
import { type FakeApi, startFakeApi } from './support/fake-api.ts';
import { ask } from './support/raw-http.ts';

type Recorded = Readonly<Record<string, GoldenAnswer>>;
const recorded = (file: string): Recorded =>
  JSON.parse(readFileSync(new URL(`golden/${file}.json`, import.meta.url), 'utf8'));
const stateless = recorded('stateless');
const walk = recorded('walk');

/** Answers that differ from dockerd's on purpose; each says why. */
const DIFFERENT_ON_PURPOSE: Readonly<Record<string, string>> = {};

function compareAll(host: () => string, cases: readonly GoldenCase[], answers: Recorded): void {
  for (const golden of cases) {
    const skip = DIFFERENT_ON_PURPOSE[golden.name] ?? false;
    it(golden.name, { skip }, async () => {
      const answer = normalise(await ask(host(), golden, golden.timeoutMs ?? 10_000));
      assert.deepEqual(answer, answers[golden.name]);
    });
  }
}

describe('a client gets from the API over a fake engine what dockerd answers', () => {
  let api: FakeApi;
  before(async () => {
    api = await startFakeApi();
  });
  after(() => api.close());
  compareAll(() => api.host, STATELESS, stateless);
});

for (const variable of ['GANTRY_HOST', 'GANTRY_ORACLE']) {
  const host = process.env[variable];
  describe(`a client gets from the daemon of ${variable} what dockerd answers`, { skip: host === undefined }, () => {
    compareAll(() => host ?? '', STATELESS, stateless);
    compareAll(() => host ?? '', WALK, walk);
  });
}
