// The face of administration: what tools and the web page read beyond the distribution API, and the verbs of administrators.

import * as v from 'valibot';
import { GantryError } from '../../lib/errors.ts';
import { parseAnyDigest } from '../../spec/digest.ts';
import type { Accounts } from '../access/index.ts';
import type { Exchange, Route } from '../http/types.ts';
import { isManifestType, parseManifestBody } from '../repositories/index.ts';
import type {
  Deleter,
  GarbageCollector,
  ManifestReader,
  ManifestRecord,
  RepositoryReader,
  TagReader,
} from '../repositories/types.ts';

const PAGE_MAX = 500;
const PAGE = 100;
const HISTORY_MAX = 200;
const BODY_MAX_BYTES = 64 * 1024;

export interface AdminOptions {
  readonly repositories: ManifestReader & TagReader & RepositoryReader & Deleter & GarbageCollector;
  readonly accounts: Accounts;
  readonly version: string;
  /** @throws UNSUPPORTED where nothing is deleted */
  readonly checkDelete: () => void;
}

const NEW_USER = v.strictObject({ name: v.string(), password: v.string() });
const NEW_ROBOT = v.strictObject({
  name: v.string(),
  repositories: v.array(v.string()),
  actions: v.array(v.picklist(['pull', 'push', 'delete'])),
  expiresAt: v.optional(v.pipe(v.string(), v.isoTimestamp())),
});

/** Routes under /v2/_gantry. */
export function adminRoutes(options: AdminOptions): readonly Route[] {
  const { accounts } = options;
  const row = (method: Route['method'], path: string, right: Route['right'], handle: Route['handle']): Route => ({
    method,
    path: `/v2/_gantry${path}`,
    right,
    label: 'admin',
    handle,
  });
  return [
    row('GET', '/status', 'known', (exchange) => exchange.json(200, { version: options.version })),
    row('GET', '/repositories', 'catalog', (exchange) => listRepositories(options, exchange)),
    row('DELETE', '/repositories/{name}', 'admin', (exchange) => removeRepository(options, exchange)),
    row('DELETE', '/images/{name}/{tag}', 'delete', (exchange) => removeImage(options, exchange)),
    row('GET', '/repositories/{name}/tags', 'pull', (exchange) => listTags(options, exchange)),
    row('GET', '/repositories/{name}/history/{tag}', 'pull', (exchange) => showHistory(options, exchange)),
    row('GET', '/repositories/{name}/manifests', 'pull', (exchange) => listManifests(options, exchange)),
    row('GET', '/repositories/{name}/manifests/{reference}', 'pull', (exchange) => showManifest(options, exchange)),
    row('POST', '/gc', 'admin', async (exchange) =>
      exchange.json(200, await options.repositories.collectGarbage(exchange.signal)),
    ),
    row('GET', '/users', 'admin', (exchange) => exchange.json(200, { users: accounts.users() })),
    row('POST', '/users', 'admin', async (exchange) => {
      const { name, password } = await bodyOf(exchange, NEW_USER);
      await accounts.setUser(name, password);
      exchange.json(201, { name });
    }),
    row('DELETE', '/users/{user}', 'admin', (exchange) => {
      accounts.removeUser(exchange.parameters.user ?? '');
      exchange.send(204, {});
    }),
    row('GET', '/robots', 'admin', (exchange) => exchange.json(200, { robots: accounts.robots.list() })),
    row('POST', '/robots', 'admin', async (exchange) => {
      const { expiresAt, ...robot } = await bodyOf(exchange, NEW_ROBOT);
      const expiresAtMs = expiresAt === undefined ? undefined : Date.parse(expiresAt);
      const made = accounts.robots.create({ ...robot, expiresAtMs });
      exchange.json(201, { ...made.robot, secret: made.secret }, { 'Cache-Control': 'no-store' });
    }),
    row('DELETE', '/robots/{robot}', 'admin', (exchange) => {
      accounts.robots.remove(exchange.parameters.robot ?? '');
      exchange.send(204, {});
    }),
  ];
}

/** A JSON body of the given shape. @throws BODY_INVALID naming the member */
async function bodyOf<T extends v.GenericSchema>(exchange: Exchange, schema: T): Promise<v.InferOutput<T>> {
  const text = (await exchange.body(BODY_MAX_BYTES)).toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new GantryError('invalid', 'BODY_INVALID', 'the body is no JSON', { cause });
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const key = issue.path?.map((item) => String(item.key)).join('.') ?? 'the body';
  throw new GantryError('invalid', 'BODY_INVALID', `${key}: ${issue.message}`);
}

function pageOf(exchange: Exchange): { readonly after: string | undefined; readonly limit: number } {
  const n = exchange.query.get('n') ?? String(PAGE);
  if (!/^[1-9]\d{0,8}$/.test(n))
    throw new GantryError('invalid', 'PAGINATION_NUMBER_INVALID', 'n is not a number of 1 or more');
  return { after: exchange.query.get('last') ?? undefined, limit: Math.min(Number(n), PAGE_MAX) };
}

function listRepositories({ repositories }: AdminOptions, exchange: Exchange): void {
  const page = pageOf(exchange);
  const names: string[] = [];
  let { after } = page;
  while (names.length < page.limit) {
    const next = repositories.repositories({ after, limit: PAGE_MAX });
    names.push(...next.filter((name) => exchange.grant.could('pull', name)));
    after = next.at(-1);
    if (next.length < PAGE_MAX) break;
  }
  const rows = names.slice(0, page.limit).map((name) => {
    const [newest] = repositories.newestTags(name, 1);
    return {
      name,
      tagCount: repositories.tagCount(name),
      ...(newest ? { newestTag: newest.tag, updatedAt: isoTime(newest.updatedAtMs) } : {}),
    };
  });
  exchange.json(200, { repositories: rows, ...(rows.length === page.limit ? { last: rows.at(-1)?.name } : {}) });
}

async function removeRepository({ repositories, checkDelete }: AdminOptions, exchange: Exchange): Promise<void> {
  checkDelete();
  await repositories.deleteRepository(exchange.parameters.name ?? '', exchange.doer);
  exchange.send(202, {});
}

/** As `docker rmi`: removes a tag and the manifests that become unreachable. */
async function removeImage({ repositories, checkDelete }: AdminOptions, exchange: Exchange): Promise<void> {
  checkDelete();
  const { name = '', tag = '' } = exchange.parameters;
  exchange.json(200, { untagged: tag, deleted: await repositories.removeImage(name, tag, exchange.doer) });
}

function listTags({ repositories }: AdminOptions, exchange: Exchange): void {
  const { name = '' } = exchange.parameters;
  const page = pageOf(exchange);
  const records = repositories.tagRecords(name, page);
  const tags = records.flatMap(({ tag, updatedAtMs, pushedBy }) => {
    const record = repositories.findManifest(name, tag);
    return record ? [{ tag, ...viewOf(record), updatedAt: isoTime(updatedAtMs), pushedBy }] : [];
  });
  exchange.json(200, { name, tags, ...(records.length === page.limit ? { last: records.at(-1)?.tag } : {}) });
}

/** Tagged and untagged manifests. */
function listManifests({ repositories }: AdminOptions, exchange: Exchange): void {
  const { name = '' } = exchange.parameters;
  const page = pageOf(exchange);
  const records = repositories.manifests(name, page);
  const manifests = records.map((record) => ({ ...viewOf(record), tags: repositories.tagsOf(name, record.digest) }));
  exchange.json(200, { name, manifests, ...(records.length === page.limit ? { last: records.at(-1)?.digest } : {}) });
}

function showHistory({ repositories }: AdminOptions, exchange: Exchange): void {
  const { name = '', tag = '' } = exchange.parameters;
  const history = repositories.tagHistory(name, tag, HISTORY_MAX).map(({ digest, sinceMs, untilMs, by }) => ({
    digest,
    since: isoTime(sinceMs),
    ...(untilMs === undefined ? {} : { until: isoTime(untilMs) }),
    by,
  }));
  exchange.json(200, { name, tag, history });
}

/** The platform of each entry: as the index states it, or else as the stored entry does. */
async function platformsIn(repositories: ManifestReader, record: ManifestRecord): Promise<ReadonlyMap<string, string>> {
  const bytes = await repositories.manifestBytes(record.digest);
  // Earlier versions stored manifests of types that are refused now.
  if (!isManifestType(record.mediaType)) return new Map();
  const { references } = parseManifestBody(bytes, record.mediaType);
  const entries = references.filter(({ kind }) => kind === 'manifest');
  return new Map(
    entries.flatMap(({ digest, platform }) => {
      const found = platform ?? repositories.findManifest(record.repository, digest)?.summary.platforms.join(', ');
      return found ? [[digest, found] as const] : [];
    }),
  );
}

async function showManifest({ repositories }: AdminOptions, exchange: Exchange): Promise<void> {
  const { name = '', reference = '' } = exchange.parameters;
  const record = repositories.manifest(name, parseAnyDigest(reference) ?? reference);
  const references = repositories.references(name, record.digest);
  const isIndex = references.some(({ kind }) => kind === 'manifest');
  const platforms = isIndex ? await platformsIn(repositories, record) : new Map<string, string>();
  exchange.json(200, {
    name,
    ...viewOf(record),
    annotations: record.annotations,
    labels: record.summary.labels,
    ...(record.subject === undefined ? {} : { subject: record.subject }),
    tags: repositories.tagsOf(name, record.digest),
    references: references.map((reference) => {
      const platform = platforms.get(reference.digest);
      return platform === undefined ? reference : { ...reference, platform };
    }),
    referrers: repositories.referrers(name, record.digest),
  });
}

function viewOf({ digest, mediaType, artifactType, sizeBytes, pushedAtMs, pushedBy, summary }: ManifestRecord) {
  const created = summary.createdAtMs === undefined ? {} : { createdAt: isoTime(summary.createdAtMs) };
  const { platforms, contentBytes } = summary;
  return {
    digest,
    mediaType,
    artifactType,
    manifestBytes: sizeBytes,
    contentBytes,
    platforms,
    ...created,
    pushedAt: isoTime(pushedAtMs),
    pushedBy,
  };
}

const isoTime = (ms: number): string => new Date(ms).toISOString();
