// Checks that configurations with wrong types are refused in Go's words, and odd but right ones are taken.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../../lib/errors.ts';
import { parseImageConfig } from './image-config.ts';

const DIFF_ID = `sha256:${'a'.repeat(64)}`;

type Change = Readonly<Record<string, unknown>>;

function configWith(change: Change, config?: Change): Buffer {
  const whole = {
    architecture: 'amd64',
    os: 'linux',
    created: '2024-01-02T03:04:05Z',
    config: { Cmd: ['sh'], ...config },
    rootfs: { type: 'layers', diff_ids: [DIFF_ID] },
    history: [{ created_by: 't' }],
  };
  return Buffer.from(JSON.stringify({ ...whole, ...change }));
}

const rootfs = (change: Change): Change => ({ rootfs: { type: 'layers', diff_ids: [DIFF_ID], ...change } });
const field = (what: string, path: string, type: string): string =>
  `json: cannot unmarshal ${what} into Go struct field Image.${path} of type ${type}`;

/** @source dockerd 28.5: POST /images/load of archives with these configurations */
const REFUSED: readonly (readonly [Change, Change, string])[] = [
  [{ architecture: 5 }, {}, field('number', 'architecture', 'string')],
  [{ os: 5 }, {}, field('number', 'os', 'string')],
  [{ created: 5 }, {}, field('number', 'created', 'time.Time')],
  [
    { created: 'yesterday' },
    {},
    'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
  ],
  [{ config: 'x' }, {}, field('string', 'config', 'container.Config')],
  [{ config: [1] }, {}, field('array', 'config', 'container.Config')],
  [{}, { Env: 'A=1' }, field('string', 'config.Env', '[]string')],
  [{}, { Env: [1] }, 'json: cannot unmarshal number into Image.config.Env.0 of type string'],
  [{}, { Cmd: 5 }, 'json: cannot unmarshal number into Go value of type string'],
  [{}, { Entrypoint: {} }, 'json: cannot unmarshal object into Go value of type string'],
  [{}, { Labels: ['a'] }, field('array', 'config.Labels', 'map[string]string')],
  [{}, { Labels: { a: 5 } }, field('number', 'config.Labels.a', 'string')],
  [{}, { ExposedPorts: ['80'] }, field('array', 'config.ExposedPorts', 'nat.PortSet')],
  [{}, { ExposedPorts: { '80/tcp': 5 } }, field('number', 'config.ExposedPorts.80~1tcp', 'struct {}')],
  [{}, { Volumes: { '/x': 5 } }, field('number', 'config.Volumes.~1x', 'struct {}')],
  [{}, { Volumes: ['/x'] }, field('array', 'config.Volumes', 'map[string]struct {}')],
  [{}, { User: 5 }, field('number', 'config.User', 'string')],
  [{}, { Healthcheck: 'x' }, field('string', 'config.Healthcheck', 'v1.HealthcheckConfig')],
  [{}, { Healthcheck: { Test: 'x' } }, field('string', 'config.Healthcheck.Test', '[]string')],
  [{}, { Healthcheck: { Interval: 'x' } }, field('string', 'config.Healthcheck.Interval', 'time.Duration')],
  [{}, { Healthcheck: { Interval: 1.5 } }, field('number 1.5', 'config.Healthcheck.Interval', 'time.Duration')],
  [{}, { StopSignal: 5 }, field('number', 'config.StopSignal', 'string')],
  [{}, { StopTimeout: 'x' }, field('string', 'config.StopTimeout', 'int')],
  [{}, { OnBuild: 'x' }, field('string', 'config.OnBuild', '[]string')],
  [{}, { ArgsEscaped: 'x' }, field('string', 'config.ArgsEscaped', 'bool')],
  [{}, { Tty: 'x' }, field('string', 'config.Tty', 'bool')],
  [{}, { Hostname: 5 }, field('number', 'config.Hostname', 'string')],
  [{ rootfs: undefined }, {}, 'invalid image JSON, no RootFS key'],
  [rootfs({ type: 5 }), {}, field('number', 'rootfs.type', 'string')],
  [{ rootfs: 'x' }, {}, field('string', 'rootfs', 'image.RootFS')],
  [rootfs({ diff_ids: 'x' }), {}, field('string', 'rootfs.diff_ids', '[]layer.DiffID')],
  [rootfs({ diff_ids: [5] }), {}, 'json: cannot unmarshal number into Image.rootfs.diff_ids.0 of type layer.DiffID'],
  [{ history: 'x' }, {}, field('string', 'history', '[]v1.History')],
  [{ history: ['x'] }, {}, 'json: cannot unmarshal string into Image.history.0 of type v1.History'],
  [{ history: [{ created_by: 5 }] }, {}, field('number', 'history.0.created_by', 'string')],
  [{ history: [{ empty_layer: 'x' }] }, {}, field('string', 'history.0.empty_layer', 'bool')],
  [{ history: [{}, {}] }, {}, 'too many non-empty layers in History section'],
  [{ variant: 5 }, {}, field('number', 'variant', 'string')],
  [{ 'os.features': 'x' }, {}, field('string', 'os.features', '[]string')],
  [{ 'os.version': 5 }, {}, field('number', 'os.version', 'string')],
  [{ parent: 5 }, {}, field('number', 'parent', 'image.ID')],
  [{ container_config: { Env: 5 } }, {}, field('number', 'container_config.Env', '[]string')],
  [{ id: 5 }, {}, field('number', 'id', 'string')],
];

for (const [change, config, message] of REFUSED) {
  test(`a configuration with ${JSON.stringify({ ...change, ...config })} is refused in Docker's words`, () => {
    assert.throws(
      () => parseImageConfig(configWith(change, config)),
      (error) => isGantryError(error, 'invalid') && error.message === message,
    );
  });
}

/** @source dockerd 28.5, but for the words of a digest */
const NO_DOCUMENT: Readonly<Record<string, string>> = {
  hello: "invalid character 'h' looking for beginning of value",
  '[]': 'json: cannot unmarshal array into Go value of type image.Image',
  null: 'invalid image JSON, no RootFS key',
  '': 'unexpected end of JSON input',
  '{"a":1': 'unexpected end of JSON input',
  '{} {}': "invalid character '{' after top-level value",
  '\ufeff{}': "invalid character '\\ufeff' looking for beginning of value",
  '{"rootfs":{"diff_ids":["sha256:zz"]}}': 'invalid diffID for layer 0: "sha256:zz" is no sha256 digest',
};

for (const [text, message] of Object.entries(NO_DOCUMENT)) {
  test(`the text ${JSON.stringify(text)} is refused as a configuration`, () => {
    assert.throws(() => parseImageConfig(Buffer.from(text)), { message });
  });
}

test('what Docker takes is taken: other cases, lone words, nulls, bytes that are no UTF-8, unknown fields', () => {
  const facts = parseImageConfig(
    Buffer.from(
      configWith({ unknown: [1] }, { Cmd: 'sh', Env: [null], Shell: 'x', Labels: null, WorkingDir: 'x/../y' })
        .toString('latin1')
        .replace('"rootfs"', '"RootFS"')
        .replace('"os"', '"Os"')
        .replace('x/../y', 'x/../\xff'),
      'latin1',
    ),
  );
  assert.deepEqual(facts.config, { Cmd: ['sh'], Env: [''], Shell: ['x'], WorkingDir: 'x/../\ufffd' });
  assert.deepEqual(facts.diffIds, [DIFF_ID]);
  assert.equal(facts.platform.os, 'linux');
  assert.equal(parseImageConfig(configWith({ os: '', 'os.version': '1.2' })).platform.os, 'linux');
});

test('the name as it is written wins over the same in another case', () => {
  assert.deepEqual(parseImageConfig(configWith({ Config: { Cmd: ['other'] } })).config.Cmd, ['sh']);
});
