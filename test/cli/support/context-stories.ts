// Owns stories of context commands: steps that share a config folder and a working folder, run with docker or with ours.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { bytesOfText } from '../../../src/lib/bytes.ts';
import { TAR_END, type TarEntryType, TarReader, tarHeader, tarPadding } from '../../../src/lib/tar/index.ts';
import { FIXTURES, runOurs } from './compare.ts';

/** Where the recordings of docker 28.2.2 lie. */
export const CONTEXT_GOLDEN = new URL('../golden/contexts-28.2.2.json', import.meta.url);

/**
 * Steps are split at ` ; `, words at spaces; `~` is a space. `A=b` before a step sets a variable, `< FILE` after it is its input.
 * After `! ` the files that are left are not compared: docker leaves some of an import or export that failed.
 */
export const STORIES: readonly string[] = `
create aa --description d --docker host=tcp://x:1,skip-tls-verify=true ; create bb --from aa ; create cc --from aa --description ccc ; ls
create dd ; create ee --description mine ; DOCKER_HOST=tcp://q:1 create ff ; ls ; DOCKER_HOST=tcp://q:1 ls
create aa --docker host=tcp://x:1 ; use aa ; create bb ; create cc --from default ; create ff --docker from=aa ; ls
create a ; create default ; create "" ; create a/b ; create -- -x ; create a~b ; create ..
create aa --docker host=tcp://x:1 ; create aa --docker host=tcp://y:1 ; create bb --from nosuch ; create bb --docker from=nosuch
create aa --docker host=tcp://x:1,foo=1 ; create aa --docker skip-tls-verify=maybe ; create aa --docker skip-tls-verify=0
create aa --docker host=nonsense ; create bb --docker host=fd://x ; create cc --docker host= ; create dd --docker host=unix:///x ; ls
create aa --docker host=tcp://x:1 --from bb ; create bb --docker host ; create cc --docker "" ; create cc --docker host=tcp://a:1,x
create aa --docker host=tcp://a:1 --docker host=tcp://b:1 ; create bb --docker "host=tcp://a:1","skip-tls-verify=1" ; ls
create t1 --docker host=tcp://x:1,ca=tls/ca.pem,cert=tls/cert.pem,key=tls/key.pem ; inspect t1 ; create t2 --from t1 ; inspect t2
create t1 --docker host=tcp://x:1,cert=tls/cert.pem ; create t2 --docker host=tcp://x:1,key=tls/key.pem ; create t3 --docker ca=tls/ca.pem
create t1 --docker host=tcp://x:1,ca=tls/bad.pem ; create t2 --docker host=tcp://x:1,cert=tls/bad.pem,key=tls/key.pem
create t1 --docker host=tcp://x:1,cert=tls/cert.pem,key=tls/bad.pem ; create t1 --docker host=tcp://x:1,cert=tls/cert.pem,key=tls/other-key.pem
create t1 --docker ca=tls/bad.pem ; create t2 --docker host=tcp://x:1,ca=nosuch.pem ; create t3 --docker host=tcp://x:1,cert=tls
create aa --docker host=tcp://x:1 ; update aa ; update aa --description new ; update aa --docker host=tcp://new:2 ; inspect aa
create t1 --docker host=tcp://x:1,ca=tls/ca.pem ; update t1 --docker host=tcp://k:1 ; inspect t1 ; update t1 --docker ca=tls/ca.pem ; inspect t1
create aa --docker host=tcp://x:1 ; update aa --docker foo=1 ; update aa --docker host=nonsense ; update nosuch ; update default ; update a ; ls
create aa --description d --docker host=tcp://x:1 ; update aa --description "" ; ls
create aa ; use aa ; show ; rm aa ; rm -f aa ; show ; rm -f nosuch ; rm nosuch ; rm default ; rm -f default
create aa ; create bb ; rm nosuch bb default aa ; ls ; rm
create aa ; use aa ; DOCKER_HOST=tcp://q:1 show ; --context bb show ; DOCKER_CONTEXT=aa rm aa
create bb --docker host=tcp://x:1 ; create a10 --from bb ; create a9 --from bb ; create Zz --from bb ; ls -q ; ls --format {{.Name}}={{.DockerEndpoint}}={{.Current}} ; ls --format json
create t1 --description dd --docker host=tcp://x:1,ca=tls/ca.pem,cert=tls/cert.pem,key=tls/key.pem ; export t1 ; export t1 ; export t1 x.tar ; import t2 x.tar ; inspect t2
! create aa --docker host=tcp://x:1 ; export aa tls ; export aa nosuch/x ; export nosuch ; export default ; import default x ; import aa ok.tar
import aa ok.tar ; import bb - < ok.tar ; import cc nosuch.tar ; import cc - < empty ; import cc tls ; import c ok.tar ; ls
! import aa dot.tar ; import bb absolute.tar ; import cc other.tar ; import dd folder.tar ; import ee up.tar ; import ff up2.tar ; import gg shallow.tar
! import aa link.tar ; import bb metalink.tar ; import cc none.tar ; import dd folders.tar ; import ee kube.tar ; inspect ee ; import ff big.tar
import aa text ; import aa short ; import ; import aa ; import aa b c ; export ; export a b c ; create ; create a b ; update ; update a b
inspect nosuch ; use nosuch ; --context nosuch show ; use default ; use ""
`
  .trim()
  .split('\n');

const META = JSON.stringify({
  Name: 'orig',
  Metadata: { Description: 'dd' },
  Endpoints: { docker: { Host: 'tcp://x:1', SkipTLSVerify: false } },
});
const KUBE = JSON.stringify({
  Metadata: { Description: 'a', Foo: { b: [1] } },
  Endpoints: { docker: { Host: 'tcp://h:1' }, kube: { z: 1 } },
});

type Member = readonly [name: string, text: string, type?: TarEntryType];

const BIG_BYTES = 11 << 20;
const META_MEMBER: Member = ['meta.json', META];
const ARCHIVES: Readonly<Record<string, readonly Member[]>> = {
  'ok.tar': [META_MEMBER],
  'none.tar': [],
  'dot.tar': [['./meta.json', META]],
  'absolute.tar': [['/meta.json', META]],
  'folder.tar': [['x/meta.json', META]],
  'other.tar': [META_MEMBER, ['other', 'x']],
  'up.tar': [META_MEMBER, ['tls/../x', 'x']],
  'up2.tar': [META_MEMBER, ['tls/docker/..', 'x']],
  'shallow.tar': [META_MEMBER, ['tls/ca.pem', 'x']],
  'link.tar': [META_MEMBER, ['tls/docker/ca.pem', '', 'symlink']],
  'metalink.tar': [['meta.json', '', 'symlink']],
  'folders.tar': [META_MEMBER, ['tls', '', 'directory'], ['tls/docker', '', 'directory'], ['x', '', 'directory']],
  'kube.tar': [
    ['meta.json', KUBE],
    ['tls/docker/ca.pem', 'a'],
    ['tls/kube/b', 'b'],
  ],
  'big.tar': [META_MEMBER, ['tls/docker/ca.pem', 'x'.repeat(BIG_BYTES)]],
};

/** What a story did: each step, and the files that there are at its end. */
export interface StoryOutcome {
  readonly steps: readonly unknown[];
  readonly files: Readonly<Record<string, unknown>>;
}

/** One run of a command line. */
export type Run = (
  argv: readonly string[],
  place: { readonly env: Readonly<Record<string, string>>; readonly cwd: string; readonly input: Buffer },
) => Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>;

/** Runs a story. */
export async function tellStory(run: Run, story: string): Promise<StoryOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-story-'));
  try {
    const [config, work] = [join(folder, 'config'), join(folder, 'work')];
    makeWork(work);
    const before = new Set(filesIn(work));
    const clean = (text: string): string => normalise(text, folder);
    const steps: unknown[] = [];
    for (const step of story.replace(/^! /, '').split(' ; ')) {
      const { exitCode, stdout, stderr } = await runStep(run, step, { config, work });
      steps.push({ step, exitCode, stdout: clean(stdout), stderr: clean(stderr) });
    }
    const left = [...filesIn(work).filter((path) => !before.has(path)), ...filesIn(config)];
    const files = left.map((path) => [relative(folder, path), contentOf(path, clean)]).sort();
    return { steps, files: story.startsWith('! ') ? {} : Object.fromEntries(files) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Takes out what may differ: the program's name and socket, our hints, temporary paths, the width of columns. */
function normalise(text: string, folder: string): string {
  return text
    .replace(/^Hint: .*\n/gm, '')
    .replaceAll(folder, 'FOLDER')
    .replaceAll('unix:///run/gantry/gantry.sock', 'unix:///var/run/docker.sock')
    .replaceAll('gantry', 'docker')
    .replaceAll(/ {2,}/g, '  ');
}

function runStep(run: Run, step: string, { config, work }: { config: string; work: string }): ReturnType<Run> {
  const words = step.split(' ').map((word) => (word === '""' ? '' : word.replaceAll('~', ' ')));
  const env: Record<string, string> = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: work, DOCKER_CONFIG: config };
  for (let name = variable(words[0]); name !== undefined; name = variable(words[0])) {
    const word = words.shift() ?? '';
    env[name] = word.slice(name.length + 1);
  }
  const input = words.at(-2) === '<' ? readFileSync(join(work, words.splice(-2)[1] ?? '')) : Buffer.alloc(0);
  const globals = words[0] === '--context' ? words.splice(0, 2) : [];
  return run([...globals, 'context', ...words], { env, cwd: work, input });
}

/** The real docker. */
export const runDocker: Run = async (argv, place) => {
  const { status, stdout, stderr } = spawnSync('docker', argv, { ...place, encoding: 'utf8', timeout: 20_000 });
  return { exitCode: status ?? -1, stdout, stderr };
};

/** Our command line, in this process. */
export const runGantry: Run = async (argv, { env, cwd, input }) => {
  const before = process.cwd();
  process.chdir(cwd);
  try {
    return await runOurs(argv, env, Readable.from(input.length === 0 ? [] : [input]));
  } finally {
    process.chdir(before);
  }
};

const variable = (word: string | undefined): string | undefined => /^([A-Z_]+)=/.exec(word ?? '')?.[1];

function makeWork(work: string): void {
  mkdirSync(work);
  cpSync(join(FIXTURES, 'tls'), join(work, 'tls'), { recursive: true });
  writeFileSync(join(work, 'tls/bad.pem'), 'rubbish');
  writeFileSync(join(work, 'empty'), '');
  writeFileSync(join(work, 'text'), 'hello\n'.repeat(200));
  writeFileSync(join(work, 'short'), 'hello\n');
  for (const [name, members] of Object.entries(ARCHIVES)) writeFileSync(join(work, name), tarOf(members));
}

function tarOf(members: readonly Member[]): Buffer {
  const parts = members.flatMap(([name, text, type = 'file']) => [
    tarHeader({ name: bytesOfText(name), type, size: text.length }),
    Buffer.from(text),
    tarPadding(text.length),
  ]);
  return Buffer.concat([...parts, TAR_END]);
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}

/** JSON parsed, an archive as the list of its members; of the config only which context is in force. */
function contentOf(path: string, clean: (text: string) => string): unknown {
  const bytes = readFileSync(path);
  if (path.endsWith('config.json')) {
    const { currentContext } = JSON.parse(bytes.toString()) as { readonly currentContext?: string };
    return { currentContext: currentContext ?? '' };
  }
  if (path.endsWith('.json')) return JSON.parse(clean(bytes.toString()));
  return /\.(tar|dockercontext)$/.test(path) ? membersOf(bytes) : bytes.toString();
}

function membersOf(tar: Buffer): string[] {
  const members: string[] = [];
  const reader = new TarReader({
    entry: ({ name, mode, type }) => members.push(`${type} ${mode.toString(8)} ${name.replace(/\/$/, '')}`),
    data: () => undefined,
    entryEnd: () => undefined,
  });
  reader.write(tar);
  return members;
}
