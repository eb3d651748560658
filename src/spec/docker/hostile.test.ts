// Requests made to hold the daemon up are answered at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../../lib/errors.ts';
import { parseGoDuration, parseUnixTimestamp } from '../time.ts';
import { decodeBody } from './decode.ts';
import { requireJson } from './decode-media-type.ts';
import { parseGoInt } from './decode-query.ts';
import { matchesPattern } from './filters.ts';

/** By processor time, as the machine may be busy with other tests. Generous: a slow machine is no failure, minutes are. */
function refusedSoon(work: () => unknown, message: RegExp): void {
  const began = process.cpuUsage();
  assert.throws(work, (error: unknown) => isGantryError(error) && message.test(error.message));
  const { user, system } = process.cpuUsage(began);
  assert.ok(user + system < 1_000_000, `${(user + system) / 1000} ms`);
}

test('a content type of blanks and semicolons', () => {
  refusedSoon(() => requireJson(`application/json${'; '.repeat(10_000)}x`, true), /invalid media parameter/);
  refusedSoon(() => requireJson(`application/json${';   '.repeat(10_000)}"`, true), /invalid media parameter/);
  requireJson('application/json; charset=utf-8 ; ; x="a;\\"b" ;', true);
});

test('a number of a million digits', () => {
  const digits = '9'.repeat(1 << 20);
  refusedSoon(() => decodeBody('ContainerUpdateRequest', `{"Memory":${digits}}`), /cannot unmarshal number 999/);
  refusedSoon(() => decodeBody('ContainerUpdateRequest', `{"Memory":-${digits}}`), /cannot unmarshal number -999/);
  refusedSoon(() => parseGoInt(digits), /value out of range/);
  refusedSoon(() => parseUnixTimestamp(digits), /value out of range/);
  assert.equal(parseGoInt('+0000000000000000000000000000042'), 42);
  assert.equal(parseGoDuration(`${'9'.repeat(400)}h`), undefined);
});

test('a filter that would run for ages', () => {
  refusedSoon(() => matchesPattern('a'.repeat(64), ['^(.+)+(.+)+(.+)+$^']), /too long/);
});

test('names that objects have of themselves are names like others', () => {
  const text =
    '{"Labels":{"__proto__":"x","constructor":"y"},"__proto__":{"User":"root"},"HostConfig":{"__proto__":{"Privileged":true}}}';
  const body = decodeBody('ContainerCreateRequest', text);
  assert.deepEqual(Object.entries(body?.Labels ?? {}), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  assert.equal(body?.User, undefined);
  assert.equal(body?.HostConfig?.Privileged, undefined);
  assert.equal(({} as { Privileged?: unknown }).Privileged, undefined);
});
