// Owns a short storm of kills in every test run. The long one: npm run storm.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killStorm } from './kills.ts';

test('killed again and again under load, the engine loses no log line, no exit code, no count, and leaves nothing', async () => {
  const { lives } = await killStorm({ kills: 8, fleet: 1, clients: 3 });
  assert.ok(lives > 10, `${lives} lives`);
});
