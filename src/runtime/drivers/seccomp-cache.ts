// Owns compiled seccomp filters of crun: made once a profile, completed, handed to it at each start. Compiles nothing itself.
//
// Compiling Docker's profile for three instruction sets takes crun 11 ms of the 21 ms of a start (crun 1.8.1, this profile).
// crun keeps the result as `seccomp.bpf` in the container's state directory and takes it back in an annotation.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { randomId } from '../../lib/ids.ts';
import type { OciSeccomp, OciSpec } from '../bundle/index.ts';
import type { RuntimeDriver } from './driver.ts';
import { withNoSuchCall } from './enosys.ts';

/** crun(1): base64 of the filter; the configuration's section is ignored then. */
const ANNOTATION = 'run.oci.seccomp_bpf_data';
/** Of what is done to filters here; files of another form are not taken. */
const FORM = 2;
/** A filter has at most 4096 instructions of 8 bytes. @source seccomp(2), BPF_MAXINSNS */
const LARGEST_BYTES = 4096 * 8;
const MOST_FILTERS = 64;
const ENOSYS = 38;

/** Filters by profile and runtime version. */
export interface SeccompCache {
  /** The configuration, with the compiled filter where the runtime takes it; as it is where it cannot be compiled. */
  withCompiled(driver: RuntimeDriver, spec: OciSpec): Promise<OciSpec>;
  /** Takes a filter that the runtime made of the configuration's profile. */
  keep(driver: RuntimeDriver, spec: OciSpec, filter: Buffer): Promise<void>;
}

/** Has the runtime compile a profile. @throws when it cannot */
export type CompileFilter = (driver: RuntimeDriver, seccomp: OciSeccomp) => Promise<Buffer>;

/** `dir` is private to the engine (0700 is made); files in it are trusted. */
export function createSeccompCache(dir: string, compile: CompileFilter): SeccompCache {
  const filters = new Map<string, Promise<string | undefined>>();
  const keys = new WeakMap<OciSeccomp, string>();
  const keyOf = (driver: RuntimeDriver, seccomp: OciSeccomp): string => {
    const known = keys.get(seccomp) ?? createHash('sha256').update(JSON.stringify(seccomp)).digest('hex');
    keys.set(seccomp, known);
    return `${driver.dialect}-${driver.version}-${process.arch}-${FORM}-${known}`.replaceAll(/[^\w.-]/g, '_');
  };
  const complete = async (key: string, seccomp: OciSeccomp, made: Buffer): Promise<string | undefined> => {
    if (!isFilter(made)) return undefined;
    const filter = refusesUnlisted(seccomp) ? withNoSuchCall(made, seccomp.architectures ?? []) : made;
    await store(dir, key, filter).catch(() => undefined);
    return filter.toString('base64');
  };
  const find = async (driver: RuntimeDriver, seccomp: OciSeccomp, key: string): Promise<string | undefined> => {
    const stored = await readFile(`${dir}/${key}`).catch(() => undefined);
    if (stored !== undefined && isFilter(stored)) return stored.toString('base64');
    return compile(driver, seccomp).then(
      (made) => complete(key, seccomp, made),
      () => undefined,
    );
  };
  const remember = (key: string, filter: Promise<string | undefined>): Promise<string | undefined> => {
    if (filters.size >= MOST_FILTERS) filters.clear();
    filters.set(key, filter);
    return filter;
  };
  return {
    async withCompiled(driver, spec) {
      const seccomp = cacheable(driver, spec);
      if (seccomp === undefined) return spec;
      const key = keyOf(driver, seccomp);
      const filter = await (filters.get(key) ?? remember(key, find(driver, seccomp, key)));
      return filter === undefined ? spec : { ...spec, annotations: { ...spec.annotations, [ANNOTATION]: filter } };
    },
    async keep(driver, spec, filter) {
      const seccomp = cacheable(driver, spec);
      if (seccomp === undefined) return;
      const key = keyOf(driver, seccomp);
      await remember(key, complete(key, seccomp, filter));
    },
  };
}

/** Filters with a listener or flags keep to the long way. */
function cacheable(driver: RuntimeDriver, spec: OciSpec): OciSeccomp | undefined {
  const seccomp = spec.linux.seccomp;
  if (driver.dialect !== 'crun' || seccomp === undefined) return undefined;
  const plain = seccomp.listenerPath === undefined && (seccomp.flags ?? []).length === 0;
  return plain ? seccomp : undefined;
}

/** Of what it does not list, the profile lets nothing pass, and does not yet say that it does not exist. */
function refusesUnlisted({ defaultAction, defaultErrnoRet }: OciSeccomp): boolean {
  const permits = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'].includes(defaultAction);
  return !permits && defaultErrnoRet !== ENOSYS;
}

function isFilter(bytes: Buffer): boolean {
  return bytes.length > 0 && bytes.length % 8 === 0 && bytes.length <= LARGEST_BYTES;
}

async function store(dir: string, key: string, filter: Buffer): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const temporary = `${dir}/${randomId()}.tmp`;
  await writeFile(temporary, filter, { mode: 0o600 });
  await rename(temporary, `${dir}/${key}`);
}
