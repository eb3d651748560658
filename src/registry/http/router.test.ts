// Names hold slashes and words of the routes themselves; a request must reach the route that its path means.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Router } from './router.ts';
import type { Route } from './types.ts';

const row = (method: Route['method'], path: string): Route => ({
  method,
  path,
  right: 'open',
  label: `${method} ${path}`,
  handle: () => undefined,
});

const router = new Router([
  row('GET', '/v2/{name}/manifests/{reference}'),
  row('HEAD', '/v2/{name}/manifests/{reference}'),
  row('PUT', '/v2/{name}/manifests/{reference}'),
  row('GET', '/v2/{name}/blobs/{digest}'),
  row('POST', '/v2/{name}/blobs/uploads/'),
  row('GET', '/v2/{name}/tags/list'),
  row('GET', '/v2/_gantry/search'),
  row('GET', '/v2/_gantry/repositories/{name}/tags'),
  row('GET', '/healthz'),
]);

const FOUND: readonly (readonly [method: string, path: string, label: string, parameters: object])[] = [
  ['GET', '/v2/app/manifests/v1', 'GET /v2/{name}/manifests/{reference}', { name: 'app', reference: 'v1' }],
  ['HEAD', '/v2/app/manifests/v1', 'HEAD /v2/{name}/manifests/{reference}', { name: 'app', reference: 'v1' }],
  ['GET', '/v2/a/b/c/tags/list', 'GET /v2/{name}/tags/list', { name: 'a/b/c' }],
  [
    'GET',
    '/v2/manifests/blobs/tags/manifests/v1',
    'GET /v2/{name}/manifests/{reference}',
    { name: 'manifests/blobs/tags', reference: 'v1' },
  ],
  ['POST', '/v2/app/blobs/uploads/', 'POST /v2/{name}/blobs/uploads/', { name: 'app' }],
  ['GET', '/v2/_gantry/search', 'GET /v2/_gantry/search', {}],
  ['HEAD', '/healthz', 'GET /healthz', {}],
];

for (const [method, path, label, parameters] of FOUND) {
  test(`${method} ${path}`, () => {
    const match = router.match(method, path);
    assert.equal(match.kind, 'route');
    assert.deepEqual(match.kind === 'route' && [match.route.label, { ...match.parameters }], [label, parameters]);
  });
}

test('a known path with another method names the methods that it has', () => {
  assert.deepEqual(router.match('PATCH', '/v2/app/manifests/v1'), {
    kind: 'wrongMethod',
    allow: ['GET', 'HEAD', 'PUT'],
  });
});

test('nothing is found where nothing is', () => {
  for (const path of [
    '/',
    '/v2',
    '/v2/app',
    '/v2/app/manifests/',
    '/v2/app/manifests/a/b',
    '/healthz/',
    '/v2//tags/list',
  ])
    assert.deepEqual(router.match('GET', path), { kind: 'none' }, path);
});
