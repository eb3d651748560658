// Owns that no field of a request body is dropped silently: each has a row in the table, and each row a test that shows it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { startDaemon } from '../../support/daemon.ts';
import { BODY_AREAS } from '../bodies/cases/index.ts';
import { golden } from '../bodies/golden.ts';
import type { BodyCase, Try } from '../bodies/types.ts';
import { AREAS } from '../cases/index.ts';
import { DOCUMENT, renderFields } from './render.ts';
import { BODIES, FIELDS } from './table.ts';
import type { Absent, Fate, Part, Ref } from './types.ts';
import { fieldsIn, fieldsOf, reachable } from './walk.ts';

const ROOT = new URL('../../../', import.meta.url);
const isAbsent = (part: Part | undefined): part is Absent => typeof part?.endpoint === 'string';
const SCHEMAS = reachable(BODIES, (schema) => isAbsent(FIELDS[schema]));

/** All rows, with the place that they are about. */
const ROWS: readonly (readonly [place: string, fate: Fate])[] = Object.entries(FIELDS).flatMap(([schema, part]) =>
  isAbsent(part) ? [] : Object.entries(part).map(([field, fate]) => [`${schema}.${field}`, fate] as const),
);

const SCHEMA_OF = {
  container: 'ContainerCreateRequest',
  exec: 'ExecCreateRequest',
  volume: 'VolumeCreateOptions',
} as const;

/** What a try says, of all the bodies that it sends. */
function fieldsOfTry({ of, body, start }: Try): ReadonlySet<string> {
  const said = fieldsIn(SCHEMA_OF[of ?? 'container'], body);
  return of === 'exec' ? new Set([...said, ...fieldsIn('ExecStartRequest', start)]) : said;
}

function bodyCase({ area, name }: { readonly area: string; readonly name: string }): BodyCase | undefined {
  return BODY_AREAS[area]?.find((one) => one.name === name);
}

const textOf = (path: string) => (existsSync(new URL(path, ROOT)) ? readFileSync(new URL(path, ROOT), 'utf8') : '');

/** Why the test does not show the field's fate; undefined when it does. */
function faultOf(place: string, ref: Ref): string | undefined {
  if (ref.kind === 'cli')
    return AREAS[ref.area]?.some(({ name }) => name === ref.name) ? undefined : 'no such case of the command line';
  if (ref.kind === 'file') {
    const at = textOf(ref.path).indexOf(ref.name);
    return at >= 0 ? undefined : `${ref.path} has no such test`;
  }
  const found = bodyCase(ref);
  if (!found) return 'no such case of bodies';
  return found.tries.some((one) => fieldsOfTry(one).has(place)) ? undefined : 'no body of the case has the field';
}

/** True when the test asserts these words: of bodies, what a real engine answered to one with the field. */
function says(place: string, words: string, ref: Ref): boolean {
  if (ref.kind !== 'body') return ref.kind === 'file' && textOf(ref.path).includes(words);
  const outcomes = golden(ref.area)[ref.name] ?? [];
  return (bodyCase(ref)?.tries ?? []).some(
    (one, index) => fieldsOfTry(one).has(place) && outcomes[index]?.refused?.message.includes(words) === true,
  );
}

test('every field of every body has a row', () => {
  const missing = SCHEMAS.flatMap((schema) => {
    const part = FIELDS[schema];
    if (isAbsent(part)) return [];
    const fields = Object.keys(fieldsOf(schema) ?? {});
    return fields.filter((field) => !part || !Object.hasOwn(part, field)).map((field) => `${schema}.${field}`);
  });
  assert.deepEqual(missing, []);
});

test('every row is about a field that exists', () => {
  const places = SCHEMAS.flatMap((schema) => Object.keys(fieldsOf(schema) ?? {}).map((field) => `${schema}.${field}`));
  assert.deepEqual(
    ROWS.map(([place]) => place).filter((place) => !places.includes(place)),
    [],
  );
  assert.deepEqual(
    Object.keys(FIELDS).filter((schema) => !SCHEMAS.includes(schema)),
    [],
  );
});

test('every row names tests that exist and are about its field', () => {
  const faults = ROWS.flatMap(([place, { by }]) =>
    by.map((ref) => [place, ref.name, faultOf(place, ref)] as const).filter(([, , fault]) => fault !== undefined),
  );
  assert.deepEqual(faults, []);
});

test('what is refused is refused in the words of the table', () => {
  const silent = ROWS.filter(
    ([place, fate]) => fate.is === 'refused' && !fate.by.some((ref) => says(place, fate.words, ref)),
  );
  assert.deepEqual(
    silent.map(([place]) => place),
    [],
  );
});

test('bodies without an endpoint are not taken', async () => {
  await using daemon = await startDaemon();
  for (const part of Object.values(FIELDS)) {
    if (!isAbsent(part)) continue;
    const [method = '', path = ''] = part.endpoint.split(' ');
    const { status } = await daemon.api(method, path, { Name: 'fields', Container: 'fields' });
    assert.ok(status === 404 || status === 501, `${part.endpoint} answers ${status}: its body needs rows`);
  }
});

test('the document shows the table', () => {
  assert.equal(
    readFileSync(DOCUMENT, 'utf8'),
    renderFields(),
    'run: node test/conformance/fields/render.ts (with the repository’s Node.js)',
  );
});
