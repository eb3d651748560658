// Owns the image routes that stream: pull, import, load and save. Words no progress itself.

import type { ImageProgress, ImageRecord, Images } from '../../engine/images/types.ts';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import type { Query } from '../../spec/docker/decode-query.ts';
import { parseRegistryAuth } from '../../spec/docker/decode-registry-auth.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import { type Platform, parsePlatform, platformText } from '../../spec/platform.ts';
import { writeAll } from '../byte-stream.ts';
import type { ApiContext } from '../context.ts';
import { prefixed } from '../errors.ts';
import { DONE, type Exchange, type Handler, headerText, type Reply } from '../exchange.ts';
import { openProgress } from '../progress-stream.ts';
import { badTag, platformsIn } from './images.ts';

type StreamRoute = Extract<RouteId, 'imageCreate' | 'imageLoad' | 'imageSave' | 'imageSaveMany'>;

export function imageStreamHandlers(context: ApiContext): Readonly<Record<StreamRoute, Handler>> {
  const { images } = context.engine;
  return {
    imageCreate: (x) => (x.query.get('fromSrc') === '' ? pull(context, x) : importImage(context, x)),

    imageLoad(x) {
      platformsIn(x.query, 'platform');
      const quiet = x.query.bool('quiet');
      const load = async (report: (event: ImageProgress) => void): Promise<void> => {
        const hush = (event: ImageProgress): void => {
          if (!quiet || event.stream !== undefined) report(event);
        };
        await images.load(x.upload, hush, x.signal);
      };
      return progress(context, x, load, 'line');
    },

    imageSave: (x) => save(context, x, [x.name]),
    imageSaveMany: (x) => save(context, x, x.query.all('names')),
  };
}

async function progress(
  { writer }: ApiContext,
  x: Exchange,
  work: (report: (event: ImageProgress) => void) => Promise<unknown>,
  failsAs: 'status' | 'line' = 'status',
): Promise<Reply> {
  const stream = openProgress(x.response, writer, failsAs);
  try {
    await work(stream.report);
    stream.finish();
  } catch (error) {
    stream.fail(error);
  }
  return DONE;
}

function pull(context: ApiContext, x: Exchange): Promise<Reply> {
  const { query } = x;
  const reference = pullReference(query.get('fromImage'), query.get('tag'));
  const platform = platformOf(query);
  const credentials = parseRegistryAuth(headerText(x.headers['x-registry-auth']));
  const request = { ...reference, platform, credentials };
  return progress(context, x, (report) => context.engine.images.pull(request, report, x.signal));
}

/** The name, its tag or digest, and whether every tag is meant: a bare name with no tag means all. */
function pullReference(image: string, tag: string): { readonly reference: string; readonly allTags: boolean } {
  const name = image.trim();
  if (tag === '') return { reference: name, allTags: !hasTag(name) };
  if (tag.startsWith('sha256:')) return { reference: `${name}@${tag}`, allTags: false };
  if (!/^\w[\w.-]{0,127}$/.test(tag)) throw badTag();
  return { reference: `${name.replace(/:[^:/@]+$/, '')}:${tag}`, allTags: false };
}

function hasTag(name: string): boolean {
  return name.includes('@') || /:[^/]+$/.test(name);
}

function importImage(context: ApiContext, x: Exchange): Promise<Reply> {
  const { query } = x;
  const source = query.get('fromSrc');
  if (source !== '-') {
    const message = `importing from ${JSON.stringify(source)} is not supported: send the archive as the request body`;
    throw new GantryError('notImplemented', 'IMPORT_FROM_URL', message);
  }
  const repo = query.get('repo');
  const tag = query.get('tag');
  const platform = platformOf(query);
  if (platform !== undefined && platform.os !== 'linux') {
    throw new GantryError('invalid', 'WRONG_OS', 'operating system is not supported');
  }
  const request = {
    reference: repo === '' ? undefined : tag === '' ? repo : `${repo}:${tag}`,
    changes: query.all('changes'),
    message: query.get('message'),
    platform,
  };
  return progress(context, x, (report) => context.engine.images.import(x.upload, request, report, x.signal));
}

function platformOf(query: Query): Platform | undefined {
  const text = query.get('platform');
  return text === '' ? undefined : parsePlatform(text);
}

async function save({ engine, writer }: ApiContext, x: Exchange, names: readonly string[]): Promise<Reply> {
  const { response } = x;
  checkSaved(engine.images, names, platformsIn(x.query, 'platform'));
  const archive = engine.images.save(names, x.signal)[Symbol.asyncIterator]();
  // The first chunk decides between a status and a stream.
  const first = await archive.next();
  writer.head(response, 200, 'application/x-tar');
  if (first.done !== true) {
    response.write(first.value);
    await writeAll(response, { [Symbol.asyncIterator]: () => archive });
  }
  response.end();
  return DONE;
}

/** Docker's save answers 500 to names and platforms that it cannot serve; of absent images it tells itself. @source dockerd 28.5 */
function checkSaved(images: Images, names: readonly string[], platforms: readonly Platform[]): void {
  for (const name of names) {
    const image = found(images, name);
    const wrong = image && platforms.find((platform) => !images.matches(image, platform));
    if (wrong === undefined) continue;
    const message = `no suitable export target found for platform ${platformText(wrong)}`;
    throw new GantryError('system', 'WRONG_PLATFORM', message);
  }
}

function found(images: Images, name: string): ImageRecord | undefined {
  try {
    return images.get(name);
  } catch (error) {
    if (isGantryError(error, 'notFound')) return undefined;
    throw isGantryError(error, 'invalid') ? prefixed(error, '', 'system') : error;
  }
}
