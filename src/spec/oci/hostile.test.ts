// Image configurations made to fill the memory or to be more than data.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseImageConfig } from './image-config.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

test('a history of a million lines is refused', () => {
  const history = `[${'{},'.repeat(1_000_000)}{}]`;
  assert.throws(
    () => parseImageConfig(bytes(`{"rootfs":{"diff_ids":[]},"history":${history}}`)),
    /history has over 10000 entries/,
  );
});

test('deep nesting and names that objects have of themselves are only data', () => {
  const deep = '['.repeat(500_000) + ']'.repeat(500_000);
  const names = '{"__proto__":"x","constructor":"y"}';
  const { config } = parseImageConfig(
    bytes(
      `{"x":${deep},"rootfs":{"diff_ids":[]},"config":{"Labels":${names},"__proto__":{"User":"0"},"Volumes":{"__proto__":{}}}}`,
    ),
  );
  assert.deepEqual(Object.keys(config.Labels ?? {}), ['__proto__', 'constructor']);
  assert.deepEqual(Object.keys(config.Volumes ?? {}), ['__proto__']);
  assert.equal(config.User, undefined);
});
