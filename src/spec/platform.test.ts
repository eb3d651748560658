// Checks platforms as Docker's users write them, and which image is taken for which.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostPlatform, type Platform, parsePlatform, platformIs, platformMatches, platformText } from './platform.ts';

/** @source dockerd 28.5: POST /images/create?platform=… */
const GOOD: Readonly<Record<string, string>> = {
  'linux/amd64': 'linux/amd64',
  'LINUX/AMD64': 'linux/amd64',
  x86_64: 'linux/amd64',
  'linux/aarch64': 'linux/arm64',
  'linux/arm64/v8': 'linux/arm64',
  'linux/arm/7': 'linux/arm/v7',
  'linux/arm': 'linux/arm',
  armhf: 'linux/arm',
  armel: 'linux/arm/v6',
  'linux/amd64/v9': 'linux/amd64/v9',
  'linux(1)/amd64': 'linux/amd64',
  'macos/arm64': 'darwin/arm64',
  'linux/foo': 'linux/foo',
};

for (const [text, meant] of Object.entries(GOOD)) {
  test(`the platform ${text} is ${meant}`, () => assert.equal(platformText(parsePlatform(text)), meant));
}

test('a bare system is for this processor', () => {
  assert.deepEqual(parsePlatform('windows'), { ...hostPlatform(), os: 'windows' });
});

/** @source dockerd 28.5: POST /images/create?platform=… */
const BAD: Readonly<Record<string, string>> = {
  foo: '"foo": unknown operating system or architecture: invalid argument',
  'a/b/c/d': '"a/b/c/d": cannot parse platform specifier: invalid argument',
  'linux/':
    '"" is an invalid component of "linux/": platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument',
  '/': '"" is an invalid OS component of "/": OSAndVersion specifier component must match "^([A-Za-z0-9_-]+)(?:\\\\(([A-Za-z0-9_.%-]*)((?:\\\\+[A-Za-z0-9_.%-]+)*)\\\\))?$": invalid argument',
};

for (const [text, message] of Object.entries(BAD)) {
  test(`the platform ${text} is refused in Docker's words`, () =>
    assert.throws(() => parsePlatform(text), { message }));
}

test('an older variant runs on a newer processor, not the other way', () => {
  const arm = (variant?: string): Platform => ({ os: 'linux', architecture: 'arm', variant });
  assert.ok(platformMatches(arm('v6'), arm('v7')));
  assert.ok(!platformMatches(arm('v7'), arm('v6')));
  assert.ok(platformMatches(arm(), arm('v5')));
  assert.ok(platformIs(arm(), arm('v7')));
  assert.ok(!platformIs(arm('v6'), arm('v7')));
});
