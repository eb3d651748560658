// Owns what an error says on its way from the engine to a person: the code for programs, the hint for people, beside Docker's message.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '../../src/client/index.ts';
import { GantryError } from '../../src/lib/errors.ts';
import { startFakeApi } from './support/fake-api.ts';
import { ask } from './support/raw-http.ts';

test('an error of the engine reaches a client with its code and its hint', async () => {
  const api = await startFakeApi();
  try {
    api.fake.engine.system.info = () => {
      throw new GantryError('unavailable', 'UNAVAILABLE', 'nobody is here', { hint: 'come back at two' });
    };
    const answer = await ask(api.host, { method: 'GET', path: '/info' });
    assert.deepEqual(JSON.parse(answer.body), {
      message: 'nobody is here',
      code: 'UNAVAILABLE',
      hint: 'come back at two',
    });
    using client = createClient({ host: api.host });
    await assert.rejects(client.system.info(), {
      message: 'nobody is here',
      code: 'UNAVAILABLE',
      hint: 'come back at two',
      status: 503,
    });
  } finally {
    await api.close();
  }
});
