// Checks how we prove to a registry who we are: what it may ask for, and who gets to see a password.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basic, type Challenge, parseChallenge, type TokenRequest, Tokens } from './auth.ts';
import { RegistryError } from './errors.ts';
import { createHttp } from './http.ts';
import { type FakeRegistry, fail, openFakeRegistry } from './testing/fake-registry.ts';

const NEVER = new AbortController().signal;
const NONE: Challenge = { scheme: 'none' };
const bearer = (realm: string, service = ''): Challenge => ({ scheme: 'bearer', realm, service });

const CHALLENGES: readonly (readonly [string, string | undefined, Challenge])[] = [
  ['nothing', undefined, NONE],
  ['Basic', 'Basic realm="x"', { scheme: 'basic' }],
  ['bearer with a service', 'Bearer realm="https://t/x",service="s"', bearer('https://t/x', 's')],
  ['words in any case and order', 'BEARER SERVICE=s , REALM="https://t/"', bearer('https://t/', 's')],
  ['both, of which bearer wins', 'Basic realm="x", Bearer realm="https://t/"', bearer('https://t/')],
  ['a quoted quote', 'Bearer realm="https://t/",service="a\\"b,c"', bearer('https://t/', 'a"b,c')],
  ['bearer without a realm', 'Bearer service="s"', NONE],
  ['bearer whose realm is no address, beside Basic', 'Bearer realm="x", Basic realm="y"', { scheme: 'basic' }],
  ['a scheme that we do not know', 'Negotiate abc', NONE],
  ['a word that begins with basic', 'Basically', NONE],
  ['a header of a megabyte', `Bearer realm="https://t/",x="${'a'.repeat(1 << 20)}"`, NONE],
];

for (const [what, header, wanted] of CHALLENGES) {
  test(`a registry that asks for ${what} is understood`, () => assert.deepEqual(parseChallenge(header), wanted));
}

test('a password may hold anything, also a colon', () => {
  const shown = basic('me', 'a:ä');
  assert.equal(Buffer.from(shown.slice('Basic '.length), 'base64').toString(), 'me:a:ä');
});

interface TokenServer extends AsyncDisposable {
  readonly tokens: Tokens;
  readonly server: FakeRegistry;
  /** Milliseconds, by the clock of the tokens. */
  clock: number;
  request(facts?: Partial<TokenRequest>): TokenRequest;
}

/** A token server that answers with `body`, in which `$n` is the number of the request. */
async function openTokens(body: string | ((n: number) => string) = (n) => `{"token":"t${n}"}`): Promise<TokenServer> {
  const server = await openFakeRegistry();
  server.misbehave = (_request, response) => {
    response.end(typeof body === 'string' ? body : body(server.seen.length));
    return true;
  };
  const http = createHttp('test', { answerMs: 5_000, stallMs: 5_000 });
  const challenge = { scheme: 'bearer', realm: `http://${server.host}/token?x=1`, service: 's' } as const;
  const opened: TokenServer = {
    tokens: new Tokens(http, () => opened.clock),
    server,
    clock: 0,
    request: (facts = {}) => ({
      challenge,
      scope: 'repository:r:pull',
      credentials: {},
      insecure: true,
      signal: NEVER,
      ...facts,
    }),
    async [Symbol.asyncDispose]() {
      http[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
  return opened;
}

test('a token is asked for by scope and service, with the account and its password', async () => {
  await using s = await openTokens();
  await s.tokens.get(s.request({ credentials: { username: 'me', password: 'p' } }));
  const [{ url = '', authorization } = {}] = s.server.seen;
  const asked = new URL(url, 'http://x').searchParams;
  assert.deepEqual(
    ['x', 'account', 'scope', 'service'].map((name) => asked.get(name)),
    ['1', 'me', 'repository:r:pull', 's'],
  );
  assert.equal(authorization, basic('me', 'p'));
});

test('who has no name shows none', async () => {
  await using s = await openTokens();
  await s.tokens.get(s.request());
  assert.equal(s.server.seen[0]?.authorization, undefined);
  assert.doesNotMatch(s.server.seen[0]?.url ?? '', /account/);
});

test('a token is used while it lasts, and asked for anew shortly before its end', async () => {
  await using s = await openTokens((n) => `{"token":"t${n}","expires_in":100}`);
  const at = async (clock: number): Promise<string> => {
    s.clock = clock;
    return (await s.tokens.get(s.request())).token;
  };
  assert.deepEqual([await at(0), await at(89_000), await at(91_000)], ['t1', 't1', 't2']);
});

test('a token that does not say how long it lasts, lasts a minute', async () => {
  await using s = await openTokens();
  await s.tokens.get(s.request());
  s.clock = 49_000;
  assert.equal((await s.tokens.get(s.request())).token, 't1');
  s.clock = 51_000;
  assert.equal((await s.tokens.get(s.request())).token, 't2');
});

test('a token that the registry refused is not shown again', async () => {
  await using s = await openTokens();
  const { token } = await s.tokens.get(s.request());
  assert.equal((await s.tokens.get(s.request(), token)).token, 't2');
});

test('one user’s token is never given to another, nor for another repository', async () => {
  await using s = await openTokens();
  const other: readonly Partial<TokenRequest>[] = [
    {},
    { scope: 'repository:r:pull,push' },
    { credentials: { username: 'a', password: 'p' } },
    { credentials: { username: 'a', password: 'q' } },
    { credentials: { identityToken: 'i' } },
    { offline: true },
  ];
  const got = [];
  for (const facts of other) got.push((await s.tokens.get(s.request(facts))).token);
  assert.equal(new Set(got).size, other.length);
});

test('twenty who wait for the same token ask for it once', async () => {
  await using s = await openTokens();
  const got = await Promise.all(Array.from({ length: 20 }, () => s.tokens.get(s.request())));
  assert.deepEqual([new Set(got.map(({ token }) => token)), s.server.seen.length], [new Set(['t1']), 1]);
});

test('one who calls off does not take the token away from another who waits for it', async () => {
  await using s = await openTokens();
  const stop = new AbortController();
  const first = s.tokens.get(s.request({ signal: stop.signal }));
  const second = s.tokens.get(s.request());
  stop.abort();
  await assert.rejects(first, /context canceled/);
  assert.match((await second).token, /^t/);
});

test('an identity token is sent in a form, never in the address, and renews itself', async () => {
  await using s = await openTokens('{"access_token":"a","refresh_token":"r"}');
  const bodies: string[] = [];
  const answer = s.server.misbehave;
  s.server.misbehave = (request, response, registry) => {
    request.on('data', (part: Buffer) => bodies.push(part.toString()));
    request.on('end', () => answer?.(request, response, registry));
    return true;
  };
  const token = await s.tokens.renew(s.request({ credentials: { identityToken: 'secret' } }));
  assert.deepEqual([token.token, token.refreshToken], ['a', 'r']);
  assert.equal(s.server.seen[0]?.method, 'POST');
  assert.doesNotMatch(s.server.seen[0]?.url ?? '', /secret/);
  const form = new URLSearchParams(bodies.join(''));
  assert.deepEqual([form.get('grant_type'), form.get('refresh_token')], ['refresh_token', 'secret']);
});

test('a registry on HTTPS cannot have a password sent to a server on plain HTTP', async () => {
  await using s = await openTokens();
  for (const credentials of [{ username: 'a', password: 'p' }, { identityToken: 'i' }]) {
    const asked = s.tokens.get(s.request({ credentials, insecure: false }));
    await assert.rejects(asked, /refusing to send credentials to http:.* without TLS/);
  }
  assert.equal(s.server.seen.length, 0);
});

test('a token is fetched from the web, not from a file', async () => {
  await using s = await openTokens();
  const challenge = { scheme: 'bearer', realm: 'file:///etc/passwd', service: '' } as const;
  await assert.rejects(s.tokens.get(s.request({ challenge })), /unsupported token realm/);
});

for (const body of ['', '{}', '[]', 'null', '{"token":""}', '{"token":7}', '{"token":"a\\r\\nX-Evil: 1"}']) {
  test(`a token server that answers ${JSON.stringify(body)} has given no token`, async () => {
    await using s = await openTokens(body);
    await assert.rejects(s.tokens.get(s.request()), /did not include a token/);
  });
}

test('a token of megabytes is refused', async () => {
  await using s = await openTokens(`{"token":"${'a'.repeat(1 << 20)}"}`);
  await assert.rejects(s.tokens.get(s.request()), /the token is over 65536 bytes/);
});

test('a wrong password is told by its status, and asked about again next time', async () => {
  await using s = await openTokens();
  s.server.misbehave = (_request, response) => {
    fail(response, 401, 'UNAUTHORIZED', 'wrong');
    return true;
  };
  const isWrong = (error: unknown): boolean => error instanceof RegistryError && error.status === 401;
  await assert.rejects(s.tokens.get(s.request()), isWrong);
  await assert.rejects(s.tokens.get(s.request()), isWrong);
  assert.equal(s.server.seen.length, 2);
});
