// Owns the image routes that stream: pull, import, load and save. Words no progress itself.

import type { ImageProgress } from '../../engine/images/types.ts';
import { GantryError } from '../../lib/errors.ts';
import { parseRegistryAuth } from '../../spec/docker/decode-registry-auth.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import { writeAll } from '../byte-stream.ts';
import type { ApiContext } from '../context.ts';
import { DONE, type Exchange, type Handlers, type Reply } from '../exchange.ts';
import { openProgress } from '../progress-stream.ts';
import { platformObject, platformWord } from './image-platform.ts';
import { badTag } from './images.ts';

type StreamRoute = Extract<RouteId, 'imageCreate' | 'imageLoad' | 'imageSave' | 'imageSaveMany'>;

export function imageStreamHandlers(context: ApiContext): Handlers<StreamRoute> {
  const { images } = context.engine;
  return {
    imageCreate: (x) => (x.query.get('fromSrc') === '' ? pull(context, x) : importImage(context, x)),

    imageLoad(x) {
      const quiet = x.query.bool('quiet');
      const platform = platformObject(x.query);
      const load = async (report: (event: ImageProgress) => void): Promise<void> => {
        const hush = (event: ImageProgress): void => {
          if (!quiet || event.stream !== undefined) report(event);
        };
        await images.load(x.upload, hush, x.signal, { platform });
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
  const platform = platformWord(query);
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
  const request = {
    reference: repo === '' ? undefined : tag === '' ? repo : `${repo}:${tag}`,
    changes: query.all('changes'),
    message: query.get('message'),
    platform: platformWord(query),
  };
  return progress(context, x, (report) => context.engine.images.import(x.upload, request, report, x.signal));
}

function headerText(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}

async function save({ engine, writer }: ApiContext, x: Exchange, names: readonly string[]): Promise<Reply> {
  const { response } = x;
  const archive = engine.images.save(names, x.signal, { platform: platformObject(x.query) })[Symbol.asyncIterator]();
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
