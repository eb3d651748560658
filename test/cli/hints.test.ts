// Pins which mistakes are met with the next step: README promises one wherever it is known.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { hintOf } from '../../src/cli/explain.ts';
import { unreachable } from '../../src/client/errors.ts';
import { ApiError } from '../../src/client/index.ts';
import type { ErrorCode } from '../../src/lib/errors.ts';
import { answerError, pullError, type RegistryError, transportError } from '../../src/remote/errors.ts';
import { parseReference } from '../../src/spec/reference.ts';
import { argvOf } from './support/cases.table.ts';
import { FIXTURES, openComparison } from './support/compare.ts';

/** Codes of failures, and the step that must follow. */
const ANSWERS: readonly (readonly [code: ErrorCode, step: RegExp])[] = [
  ['NO_SUCH_CONTAINER', /gantry ps -a/],
  ['NO_SUCH_IMAGE', /gantry images/],
  ['NO_SUCH_VOLUME', /gantry volume ls/],
  ['NETWORK_NOT_FOUND', /gantry network ls/],
  ['CONTAINER_NAME_TAKEN', /gantry rm -f/],
  ['INVALID_CONTAINER_NAME', /letters, digits/],
  ['CONTAINER_NOT_RUNNING', /gantry start/],
  ['CONTAINER_PAUSED', /gantry unpause/],
  ['CONTAINER_STILL_RUNNING', /gantry rm -f/],
  ['VOLUME_IN_USE', /--filter volume=/],
  ['IMAGE_IN_USE', /--filter ancestor=/],
  ['PORT_TAKEN', /gantry ps/],
  ['LOG_NOT_READABLE', /--log-driver json-file/],
  ['NO_SPACE', /gantry system df/],
  ['UNKNOWN_RUNTIME', /gantry info/],
  ['UNKNOWN_LOG_DRIVER', /gantry info/],
  ['INVALID_SIGNAL', /kill -l/],
  ['BIND_SOURCE_MISSING', /use -v/],
  ['WORKING_DIR', /slash/],
  ['INVALID_FILTER', /--help/],
];

const failing = (code: string): Error => Object.assign(new Error(code), { code });
const refusal = (code: string): Buffer => Buffer.from(JSON.stringify({ errors: [{ code, message: 'no' }] }));

/** What a registry does, and the step that must follow. */
const REGISTRIES: readonly (readonly [what: string, error: RegistryError, step: RegExp])[] = [
  [
    'no TLS',
    transportError('GET', 'https://r:5000/', failing('ERR_SSL_WRONG_VERSION_NUMBER')),
    /add it to "insecure-reg/,
  ],
  ['unknown authority', transportError('GET', 'https://r/', failing('DEPTH_ZERO_SELF_SIGNED_CERT')), /update-ca-cert/],
  ['no such host', transportError('GET', 'https://r/', failing('ENOTFOUND')), /name of the registry/],
  ['refused', transportError('GET', 'https://r/', failing('ECONNREFUSED')), /registry runs/],
  ['no answer', transportError('GET', 'https://r/', failing('ETIMEDOUT')), /HTTPS_PROXY/],
  ['401', answerError(401, '', refusal('UNAUTHORIZED')), /password or token/],
  ['403', answerError(403, '', refusal('DENIED')), /gantry login/],
  ['404', answerError(404, '', refusal('MANIFEST_UNKNOWN')), /check the tag/],
  ['429', answerError(429, '', refusal('TOOMANYREQUESTS')), /wait/],
];

/** Command lines that fail before anything is sent, or on the pretend daemon's answer. */
const MISTAKES: readonly (readonly [line: string, step: RegExp])[] = [
  ['rnu busybox', /did you mean "gantry run"/],
  ['container lss', /did you mean "gantry container ls"/],
  ['ps --fromat x', /did you mean --format/],
  ['build .', /gantry load/],
  ['cp a b', /CONTAINER:PATH/],
  ['cp a:b c:d', /gantry cp - c:FOLDER/],
  ['inspect nosuch', /gantry ps -a/],
  ['stop nosuch c1', /gantry ps -a/],
  ['rm nosuch nosuch2', /gantry ps -a/],
  ['start nosuch', /gantry ps -a/],
  ['rename nosuch b', /gantry ps -a/],
  ['run UPPER', /lower case/],
  ['run busybox:', /\[HOST\[:PORT\]\/\]NAME/],
  ['tag busybox a:b:c', /\[HOST\[:PORT\]\/\]NAME/],
  ['run -m lots busybox', /512m/],
  ['run --health-interval 5 busybox', /30s/],
  ['run --restart sometimes:x busybox', /unless-stopped/],
  ['run -e =x busybox', /NAME=value/],
  ['run --add-host db busybox', /HOST:IP/],
  ['run --ulimit nofile=9:1 busybox', /SOFT/],
  ['run --platform nonsense busybox', /OS\/ARCH/],
  ['run -p 80:x busybox', /HOST_PORT/],
  ['run -it busybox', /leave out -t/],
  ['run --cidfile FIXTURES/vars.env busybox', /remove the file/],
  ['run --env-file FIXTURES/env/latin1.env busybox', /UTF-8/],
  ['ps --filter foo', /KEY=VALUE/],
  ['ps --format {{.Nope}}', /--format json/],
  ['inspect -f {{.Nope}} c1', /--format json/],
  ['ps --format {{nope~.ID}}', /json, join/],
  ['logs --since yesterday c1', /10m/],
  ['login -u me registry.example.com', /--password-stdin/],
  ['login --password-stdin registry.example.com', /--username/],
  ['context use nosuch', /gantry context ls/],
  ['-l loud ps', /debug, info/],
  ['--tlsverify ps', /--tlscacert/],
  ['-H ftp://x ps', /unix:\/\//],
];

const comparison = await openComparison();
after(() => comparison[Symbol.asyncDispose]());

describe("a daemon's refusal is followed by what to do", () => {
  for (const [code, step] of ANSWERS) {
    test(code, () => assert.match(hintOf(new ApiError(500, 'words', { code })) ?? '', step));
  }
  test('the daemon’s own hint comes first', () => {
    assert.equal(hintOf(new ApiError(404, 'words', { code: 'NO_SUCH_CONTAINER', hint: 'look' })), 'look');
  });
  test('another daemon says no code, so nothing is guessed', () => {
    assert.equal(hintOf(new ApiError(404, 'No such container: web')), undefined);
  });
  for (const [what, error, step] of REGISTRIES) {
    test(`registry: ${what}`, () => {
      const told = pullError(error, parseReference('r/me/x'));
      assert.match(hintOf(told) ?? '', step);
    });
  }
});

describe('a mistake on the command line is followed by what to do', () => {
  for (const [line, step] of MISTAKES) {
    test(line, async () => {
      const { stderr } = await comparison.rawGantry(argvOf(line, FIXTURES));
      const hints = stderr.split('\n').filter((text) => text.startsWith('Hint: '));
      assert.equal(new Set(hints).size, hints.length, 'each hint once');
      assert.match(hints.join('\n'), step);
    });
  }
});

test('a daemon that does not run, or may not be reached, is followed by what to do', () => {
  const at = (code: string): string =>
    hintOf(unreachable('unix:///x.sock', Object.assign(new Error(), { code }))) ?? '';
  assert.match(at('ENOENT'), /gantryd/);
  assert.match(at('EACCES'), /group/);
});
