// Owns what the pretend daemon answers in the comparisons with docker: real answers of dockerd 28.5.2, and a few failures.
import { readFileSync } from 'node:fs';
import type { Answer, Answers, Recorded } from './recording-engine.ts';

const ID = 'a'.repeat(64);
const IMAGE_ID = `sha256:${'b'.repeat(64)}`;

type Facts = Readonly<Record<string, unknown>>;

/** Answers built from `golden/answers.json`; a name containing `nosuch` is missing. */
export function engineAnswers(): Answers {
  const facts = readFacts('answers.json');
  return {
    ...fullAnswers(readFacts('full-objects.json')),
    ...containerAnswers(facts),
    ...imageAnswers(facts),
    ...otherAnswers(facts),
  };
}

const known = new Map<string, Facts>();

function readFacts(name: string): Facts {
  const facts =
    known.get(name) ?? (JSON.parse(readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8')) as Facts);
  known.set(name, facts);
  return facts;
}

/** Objects with a value in every field, under the name `full`. */
function fullAnswers(facts: Facts): Answers {
  return {
    'GET /containers/full/json': { json: facts.container },
    'GET /images/full/json': { json: facts.image },
    'GET /networks/full': { json: facts.network },
    'GET /volumes/full': { json: facts.volume },
    'GET /info': { json: facts.info },
  };
}

function missing(what: string, request: Recorded): Answer {
  const message = `No such ${what}: ${request.path.split('/')[2] ?? ''}`;
  return { status: 404, json: { message, code: `NO_SUCH_${what.toUpperCase()}` } };
}

function found(what: string, answer: Answer): (request: Recorded) => Answer {
  return (request) => (request.path.includes('nosuch') ? missing(what, request) : answer);
}

function containerAnswers(facts: Facts): Answers {
  const done = found('container', { status: 204 });
  return {
    'POST /containers/create': createContainer(),
    'POST /containers/prune': { json: { ContainersDeleted: [ID], SpaceReclaimed: 12345 } },
    'POST /containers/*/start': done,
    'POST /containers/*/stop': done,
    'POST /containers/*/restart': done,
    'POST /containers/*/kill': done,
    'POST /containers/*/pause': done,
    'POST /containers/*/unpause': done,
    'POST /containers/*/rename': done,
    'POST /containers/*/resize': {},
    'POST /containers/*/wait': found('container', { json: { StatusCode: 3 } }),
    'POST /containers/*/exec': found('container', { status: 201, json: { Id: 'e1' } }),
    'POST /exec/*/start': {},
    'GET /exec/*/json': { json: { ExitCode: 4, ID: 'e1' } },
    'GET /containers/json': { json: facts.containers },
    'GET /containers/*/json': onlyNamed('container', 'c', { json: facts.container }),
    'GET /containers/*/top': {
      json: {
        Titles: ['PID', 'CMD'],
        Processes: [
          ['1', 'sleep 10000'],
          ['22', 'sh'],
        ],
      },
    },
    'GET /containers/*/logs': {
      text: '\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n',
      headers: { 'Content-Type': 'application/vnd.docker.multiplexed-stream' },
    },
    'DELETE /containers/*': done,
  };
}

/** A `nosuch` image is missing until it was pulled, as `run` needs it. */
function createContainer(): (request: Recorded) => Answer {
  const tried = new Set<string>();
  return (request) => {
    const body = request.body as { readonly Image?: string };
    const image = body.Image ?? '';
    if (image.startsWith('nosuch') && !tried.has(image)) {
      tried.add(image);
      return { status: 404, json: { message: `No such image: ${image}:latest` } };
    }
    tried.delete(image);
    return { status: 201, json: { Id: ID, Warnings: ['a warning of the daemon'] } };
  };
}

function onlyNamed(what: string, prefix: string, answer: Answer): (request: Recorded) => Answer {
  return (request) => (request.path.split('/')[2]?.startsWith(prefix) ? answer : missing(what, request));
}

const PULL_PROGRESS = [
  { status: 'Pulling from library/x', id: 'latest' },
  { status: 'Pulling fs layer', progressDetail: {}, id: '0123456789ab' },
  { status: 'Downloading', progressDetail: { current: 1, total: 2 }, progress: '[>] 1B/2B', id: '0123456789ab' },
  { status: 'Pull complete', progressDetail: {}, id: '0123456789ab' },
  { status: `Digest: ${IMAGE_ID}` },
  { status: 'Status: Downloaded newer image for x:latest' },
];

function imageAnswers(facts: Facts): Answers {
  return {
    'GET /images/json': { json: facts.images },
    'GET /images/*/json': onlyNamed('image', 'busybox', { json: facts.image }),
    'GET /images/*/history': onlyNamed('image', 'busybox', { json: facts.history }),
    'GET /images/search': { json: facts.search },
    'GET /images/get': { text: 'a tar' },
    'POST /images/create': (request) => ({ text: jsonLines(pullMessages(request)) }),
    'POST /images/load': {
      text: jsonLines([{ stream: 'Loaded image: x:latest\n' }]),
      headers: { 'Content-Type': 'application/json' },
    },
    'POST /images/*/tag': { status: 201 },
    'POST /images/prune': {
      json: { ImagesDeleted: [{ Untagged: 'x:latest' }, { Deleted: IMAGE_ID }], SpaceReclaimed: 2067000 },
    },
    'DELETE /images/*': { json: [{ Untagged: 'x:latest' }, { Deleted: IMAGE_ID }] },
  };
}

function pullMessages(request: Recorded): readonly unknown[] {
  if (request.query.fromSrc !== undefined) return [{ status: IMAGE_ID }];
  if (request.query.tag !== 'failing') return PULL_PROGRESS;
  return [PULL_PROGRESS[0], { errorDetail: { message: 'the disk is full' }, error: 'the disk is full' }];
}

function jsonLines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\r\n`).join('');
}

const EVENT = {
  status: 'start',
  id: ID,
  from: 'busybox',
  Type: 'container',
  Action: 'start',
  Actor: { ID, Attributes: { image: 'busybox', name: 'c1' } },
  scope: 'local',
  time: 1795490603,
};

function otherAnswers(facts: Facts): Answers {
  return {
    'GET /networks': { json: facts.networks },
    'GET /networks/*': onlyNamed('network', 'bridge', { json: facts.network }),
    'GET /volumes': { json: facts.volumes },
    'GET /volumes/*': onlyNamed('volume', 'v', { json: (facts.volumes as { readonly Volumes: unknown[] }).Volumes[0] }),
    'POST /volumes/create': { status: 201, json: { Name: 'made' } },
    'DELETE /volumes/*': found('volume', { status: 204 }),
    'GET /version': { json: facts.version },
    'GET /system/df': { json: facts.diskUsage },
    'POST /volumes/prune': { json: { VolumesDeleted: ['v1', 'v2'], SpaceReclaimed: 5000 } },
    'POST /networks/prune': { json: { NetworksDeleted: ['n1', 'n2'] } },
    'POST /build/prune': { json: { CachesDeleted: ['bc2', 'bc3'], SpaceReclaimed: 30700 } },
    'GET /events': { text: `${JSON.stringify(EVENT).slice(0, -1)},"timeNano":1795490603469700832}\n` },
    'POST /auth': { json: { Status: 'Login Succeeded' } },
    'GET /plugins/*/json': { status: 404, json: { message: 'plugin not found' } },
  };
}
