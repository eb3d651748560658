// Owns the shape of the configuration file: distribution's `config.yml` keys where they mean the same, and ours beside them.
// Unknown keys are refused: a misspelt rule that guards nothing is worse than an error. Reads no file.
// @source distribution 2.8, docs/configuration.md

import * as v from 'valibot';
import { isNetwork } from '../networks.ts';
import { UNUSED } from './unused.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const UNITS_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** Milliseconds of `90s`, `1h30m`, `7d`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d{1,12}(?:\.\d{1,3})?(?:ms|[smhdw])){1,6}$/.test(text)) return undefined;
  const parts = text.matchAll(/([\d.]+)(ms|[smhdw])/g);
  return [...parts].reduce((total, [, count, unit = '']) => total + Number(count) * (UNITS_MS[unit] ?? 0), 0);
}

/** Bytes of `4MiB`, `64g`, `1000`; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15})\s*([kmgt]?)i?b?$/i.exec(text);
  return match ? Number(match[1]) * (UNITS_BYTES[(match[2] ?? '').toLowerCase()] ?? 1) : undefined;
}

const text = v.string();
const flag = v.boolean();
const texts = v.array(text);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const duration = v.pipe(
  v.union([text, v.number()], 'is no duration such as 10m'),
  // A bare number is nanoseconds in distribution's files, as in Go; nobody writes that, and seconds would be a guess.
  v.transform((value) => (typeof value === 'number' ? (value === 0 ? 0 : undefined) : parseDuration(value))),
  v.number('is no duration such as 10m'),
);
const size = v.pipe(
  v.union([text, v.number()], 'is no size such as 4MiB'),
  v.transform((value) => parseSize(String(value))),
  v.number('is no size such as 4MiB'),
);
/** A secret as it is, or the file that holds it. */
const secret = v.union([text, v.strictObject({ file: text })], 'is neither a text nor {file: PATH}');
const level = v.picklist(['debug', 'info', 'warn', 'error']);
const actions = v.array(v.picklist(['pull', 'push', 'delete']));

const s3 = v.strictObject({
  accesskey: v.optional(secret),
  secretkey: v.optional(secret),
  region: v.optional(text, 'us-east-1'),
  regionendpoint: v.optional(text),
  bucket: text,
  rootdirectory: v.optional(text, ''),
  forcepathstyle: v.optional(flag),
  chunksize: UNUSED,
  secure: UNUSED,
  v4auth: UNUSED,
  encrypt: UNUSED,
  storageclass: UNUSED,
  loglevel: UNUSED,
});

/** Known to a docker-registry, and nothing that could be passed over. */
const unsupported = (what: string) => v.optional(v.never(`${what} is not supported`));
const httpUrl = v.pipe(text, v.url('is no URL'), v.regex(/^https?:/, 'is no http(s) URL'));

const storage = v.pipe(
  v.strictObject({
    filesystem: v.optional(v.nullable(v.strictObject({ rootdirectory: v.optional(text), maxthreads: UNUSED }))),
    s3: v.optional(s3),
    delete: v.optional(v.strictObject({ enabled: v.optional(flag, false) })),
    maintenance: v.optional(
      v.strictObject({
        uploadpurging: v.optional(
          v.strictObject({
            enabled: v.optional(flag, true),
            age: v.optional(duration),
            interval: UNUSED,
            dryrun: UNUSED,
          }),
        ),
        readonly: v.optional(v.strictObject({ enabled: v.optional(flag, false) })),
      }),
    ),
    cache: UNUSED,
    redirect: UNUSED,
    tag: UNUSED,
    inmemory: unsupported('this storage driver'),
    azure: unsupported('this storage driver'),
    gcs: unsupported('this storage driver'),
    oss: unsupported('this storage driver'),
    swift: unsupported('this storage driver'),
  }),
  v.check(({ filesystem, s3 }) => filesystem === undefined || s3 === undefined, 'filesystem and s3 are both given'),
);

const auth = v.strictObject({
  htpasswd: v.optional(v.strictObject({ realm: v.optional(text), path: text })),
  token: v.optional(
    v.strictObject({
      realm: v.optional(text),
      service: v.optional(text),
      issuer: v.optional(text),
      rootcertbundle: v.optional(text),
      jwks: v.optional(text),
      own: v.optional(flag),
      lifetime: v.optional(duration),
      autoredirect: UNUSED,
    }),
  ),
  silly: unsupported('auth.silly'),
});

const http = v.strictObject({
  addr: v.optional(text),
  host: v.optional(httpUrl),
  headers: v.optional(v.record(text, v.union([text, texts]))),
  tls: v.optional(
    v.strictObject({
      certificate: text,
      key: text,
      clientcas: v.optional(texts),
      minimumtls: v.optional(v.picklist(['tls1.0', 'tls1.1', 'tls1.2', 'tls1.3'])),
      ciphersuites: UNUSED,
      letsencrypt: unsupported("Let's Encrypt"),
    }),
  ),
  trustedproxies: v.optional(
    v.array(v.pipe(text, v.check(isNetwork, 'is no address and no network such as 10.0.0.0/8'))),
  ),
  net: v.optional(v.literal('tcp', 'is not tcp')),
  prefix: v.optional(v.pipe(text, v.regex(/^(?:\/[A-Za-z0-9._~-]+)*\/?$/, 'is no path such as /registry/'))),
  secret: UNUSED,
  relativeurls: v.optional(flag),
  debug: UNUSED,
  http2: UNUSED,
  draintimeout: UNUSED,
});

const endpoint = v.strictObject({
  name: text,
  disabled: v.optional(flag, false),
  url: httpUrl,
  headers: v.optional(v.record(text, v.union([text, texts]))),
  timeout: v.optional(duration),
  threshold: v.optional(count),
  backoff: v.optional(duration),
  ignoredmediatypes: UNUSED,
  ignore: v.optional(v.strictObject({ actions: v.optional(texts), mediatypes: UNUSED })),
  format: v.optional(v.picklist(['distribution', 'cloudevents'])),
  secret: v.optional(secret),
  actions: v.optional(v.array(v.picklist(['push', 'pull', 'delete', 'mount', 'sign', 'scan']))),
  repositories: v.optional(texts),
});

const proxy = v.strictObject({
  remoteurl: httpUrl,
  prefix: v.optional(text),
  username: v.optional(text),
  password: v.optional(secret),
  ttl: v.optional(duration),
  fresh: v.optional(duration),
  insecure: v.optional(flag),
  stale: v.optional(v.picklist(['never', 'down', 'always'])),
  ns: v.optional(text),
});

/** Both `{…}` and `[{…}, …]`. */
const oneOrMore = <T extends v.GenericSchema>(schema: T) =>
  v.pipe(
    v.union([schema, v.array(schema)]),
    v.transform((value): v.InferOutput<T>[] => (Array.isArray(value) ? value : [value])),
  );

/** The whole file. */
export const FILE = v.strictObject({
  version: v.optional(v.union([v.literal(0.1), v.literal('0.1')], 'is not 0.1')),
  log: v.optional(
    v.strictObject({
      level: v.optional(level),
      formatter: v.optional(v.picklist(['text', 'json', 'logstash'])),
      fields: UNUSED,
      hooks: UNUSED,
      accesslog: v.optional(v.strictObject({ disabled: v.optional(flag) })),
    }),
  ),
  loglevel: v.optional(level),
  storage: v.optional(storage),
  auth: v.optional(v.nullable(auth)),
  http: v.optional(http),
  notifications: v.optional(v.strictObject({ endpoints: v.optional(v.array(endpoint)), events: UNUSED })),
  proxy: v.optional(oneOrMore(proxy)),
  health: UNUSED,
  validation: UNUSED,
  redis: UNUSED,
  middleware: unsupported('middleware'),
  reporting: UNUSED,
  compatibility: UNUSED,
  policy: UNUSED,
  catalog: UNUSED,
  // Ours.
  access: v.optional(
    v.strictObject({
      anonymous: v.optional(v.picklist(['none', 'pull', 'push'])),
      admins: v.optional(texts),
      rights: v.optional(v.array(v.strictObject({ repositories: texts, subjects: texts, actions }))),
    }),
  ),
  tags: v.optional(v.strictObject({ immutable: v.optional(texts) })),
  retention: v.optional(
    v.strictObject({
      every: v.optional(duration),
      rules: v.optional(
        v.array(
          v.strictObject({
            repositories: v.optional(texts),
            tags: v.optional(texts),
            keepnewest: v.optional(count),
            keepnewerthan: v.optional(duration),
            keepmatching: v.optional(texts),
            untaggedolderthan: v.optional(duration),
          }),
        ),
      ),
    }),
  ),
  policies: v.optional(
    v.array(
      v.strictObject({
        repositories: v.optional(texts),
        keys: v.optional(texts),
        acceptonlysigned: v.optional(flag),
        serveonlysigned: v.optional(flag),
        refuseseverity: v.optional(v.picklist(['low', 'medium', 'high', 'critical'])),
        refuseunscanned: v.optional(flag),
      }),
    ),
  ),
  scanners: v.optional(
    v.array(
      v.strictObject({
        command: v.pipe(texts, v.minLength(1)),
        timeout: v.optional(duration),
        repositories: v.optional(texts),
        format: v.optional(v.picklist(['trivy', 'grype'])),
      }),
    ),
  ),
  replication: v.optional(
    v.array(
      v.strictObject({
        name: text,
        url: httpUrl,
        repositories: v.optional(texts),
        username: v.optional(text),
        password: v.optional(secret),
        insecure: v.optional(flag),
        prefix: v.optional(text),
      }),
    ),
  ),
  garbage: v.optional(v.strictObject({ grace: v.optional(duration), every: v.optional(duration) })),
  check: v.optional(
    v.strictObject({ every: v.optional(duration), rate: v.optional(v.pipe(size, v.minValue(1, 'is 0'))) }),
  ),
  limits: v.optional(v.strictObject({ manifest: v.optional(size), blob: v.optional(size) })),
});

export type ConfigFile = v.InferOutput<typeof FILE>;
