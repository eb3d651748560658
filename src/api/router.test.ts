import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matchRoute } from './router.ts';

const found = (method: string, path: string): string => {
  const match = matchRoute(method, path);
  if (match.kind === 'route') return `${match.id} ${match.name} ${match.version ?? ''}`.trim();
  return match.kind === 'redirect' ? `to ${match.path}` : 'none';
};

describe('routes', () => {
  it('take names with slashes, with and without a version', () => {
    assert.equal(found('GET', '/v1.43/images/127.0.0.1:5000/a/b:1/json'), 'imageInspect 127.0.0.1:5000/a/b:1 1.43');
    assert.equal(found('DELETE', '/images/a/b'), 'imageRemove a/b');
  });

  it('prefer fixed paths to names', () => {
    assert.equal(found('GET', '/images/json'), 'imageList');
    assert.equal(found('GET', '/images/get'), 'imageSaveMany');
    assert.equal(found('GET', '/containers/json'), 'containerList');
    assert.equal(found('GET', '/containers/json/json'), 'containerInspect json');
    assert.equal(found('GET', '/containers/x/attach/ws'), 'containerAttachWebSocket x');
  });

  it('do not let one slash be head and tail of a path without name', () => {
    assert.equal(found('POST', '/containers/start'), 'none');
    assert.equal(found('GET', '/images/history'), 'none');
  });

  it('redirect paths that are not clean', () => {
    assert.equal(found('GET', '//containers/../info'), 'to /info');
    assert.equal(found('GET', '/a/./b/'), 'to /a/b/');
  });

  it('know methods apart', () => {
    assert.equal(found('POST', '/containers/json'), 'none');
    assert.equal(found('HEAD', '/_ping'), 'pingHead');
    assert.equal(found('BREW', '/_ping'), 'none');
  });
});
