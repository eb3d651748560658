// Pins which mistakes are met with the next step: README promises one wherever it is known.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { hintOf } from '../../src/cli/explain.ts';
import { unreachable } from '../../src/client/errors.ts';
import { ApiError } from '../../src/client/index.ts';
import { argvOf } from './support/cases.table.ts';
import { FIXTURES, openComparison } from './support/compare.ts';

/** What daemons answer (dockerd 28.5, gantryd), and the step that must follow. */
const ANSWERS: readonly (readonly [text: string, step: RegExp])[] = [
  ['No such container: web', /gantry ps -a/],
  ['No such image: nginx:latest', /gantry images/],
  ['get data: no such volume', /gantry volume ls/],
  ['network back not found', /gantry network ls/],
  [
    'Conflict. The container name "/web" is already in use by container "630f". You have to remove (or rename) that container to be able to reuse that name.',
    /gantry rm -f web"/,
  ],
  ['Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed', /letters, digits/],
  ['container 630f is not running', /gantry start 630f"/],
  ['Container 630f is not running', /gantry start 630f"/],
  ['container 630f is paused, unpause the container first', /gantry unpause/],
  [
    'cannot remove container "web": container is running: stop the container before removing or force remove',
    /gantry rm -f/,
  ],
  ['remove data: volume is in use - [630f]', /--filter volume=/],
  [
    'conflict: unable to remove repository reference "x" (must force) - container 63 is using its referenced image 42',
    /--filter ancestor=/,
  ],
  ['failed to set up container networking: Bind for 0.0.0.0:80 failed: port is already allocated', /gantry ps/],
  ['configured logging driver does not support reading', /--log-driver json-file/],
  ['write /var/lib/x: no space left on device', /gantry system df/],
  [
    'failed to create task: exec: "nosuch": executable file not found in $PATH: unknown',
    /what follows the image name is the command/,
  ],
  ['exec: "./run.sh": permission denied: unknown', /chmod \+x/],
  ['unknown or invalid runtime name: kata', /gantry info/],
  ["logger: no log driver named 'loki' is registered", /gantry info/],
  ['Invalid signal: FOO', /kill -l/],
  ['invalid mount config for type "bind": bind source path does not exist: /x', /use -v/],
  ["the working directory 'rel' is invalid, it needs to be an absolute path", /slash/],
  ["invalid filter 'colour'", /--help/],
  [
    "pull access denied for me/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    /gantry login/,
  ],
  ['manifest for nginx:99 not found: manifest unknown: manifest unknown', /check the tag/],
  [
    'Get "https://reg.example:5000/v2/": http: server gave HTTP response to HTTPS client',
    /add it to "insecure-registries"/,
  ],
  [
    'Get "https://r/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    /update-ca-certificates/,
  ],
  ['Get "https://nosuch/v2/": dial tcp: lookup nosuch: no such host', /name of the registry/],
  ['Get "http://127.0.0.1:5000/v2/": dial tcp 127.0.0.1:5000: connect: connection refused', /registry runs/],
  ['Get "https://10.0.0.9/v2/": dial tcp 10.0.0.9:443: connect: i/o timeout', /HTTPS_PROXY/],
  ['unauthorized: incorrect username or password', /password or token/],
  ['Get "https://r/v2/x/manifests/1": no basic auth credentials', /gantry login/],
  ['toomanyrequests: slow down', /wait/],
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
  for (const [text, step] of ANSWERS) test(text, () => assert.match(hintOf(new ApiError(500, text)) ?? '', step));
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
