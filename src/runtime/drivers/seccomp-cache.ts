// Owns compiled seccomp filters of crun: learned from its first run with a profile, handed to it later. Compiles nothing.
//
// Compiling Docker's profile for three instruction sets takes crun 11 ms of the 21 ms of a start (crun 1.8.1, this profile).
// crun keeps the result as `seccomp.bpf` in the container's state directory and takes it back in an annotation.

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { randomId } from '../../lib/ids.ts';
import type { OciSeccomp, OciSpec } from '../bundle/index.ts';
import type { RuntimeDriver } from './driver.ts';

/** crun(1): base64 of the filter; the configuration's section is ignored then. */
const ANNOTATION = 'run.oci.seccomp_bpf_data';
/** A filter has at most 4096 instructions of 8 bytes. @source seccomp(2), BPF_MAXINSNS */
const LARGEST_BYTES = 4096 * 8;
const MOST_FILTERS = 64;

/** Filters by profile and runtime version. */
export interface SeccompCache {
  /** The configuration, with the compiled filter where one is known and the runtime takes it. */
  withCompiled(driver: RuntimeDriver, spec: OciSpec): Promise<OciSpec>;
  /** Keeps the filter that the runtime made for the running container `id`; no-op when known or not to be had. */
  learn(driver: RuntimeDriver, spec: OciSpec, id: string): Promise<void>;
}

/** `dir` is private to the engine (0700 is made); files in it are trusted. */
export function createSeccompCache(dir: string): SeccompCache {
  const filters = new Map<string, string>();
  const keys = new WeakMap<OciSeccomp, string>();
  const keyOf = (driver: RuntimeDriver, seccomp: OciSeccomp): string => {
    const known = keys.get(seccomp) ?? createHash('sha256').update(JSON.stringify(seccomp)).digest('hex');
    keys.set(seccomp, known);
    return `${driver.dialect}-${driver.version}-${process.arch}-${known}`.replaceAll(/[^\w.-]/g, '_');
  };
  const load = async (key: string): Promise<string | undefined> => {
    const held = filters.get(key);
    if (held !== undefined) return held;
    const read = await readFilter(`${dir}/${key}`);
    if (read !== undefined) remember(filters, key, read);
    return read;
  };
  return {
    async withCompiled(driver, spec) {
      const seccomp = cacheable(driver, spec);
      const filter = seccomp === undefined ? undefined : await load(keyOf(driver, seccomp));
      return filter === undefined ? spec : { ...spec, annotations: { ...spec.annotations, [ANNOTATION]: filter } };
    },
    async learn(driver, spec, id) {
      const seccomp = cacheable(driver, spec);
      if (seccomp === undefined) return;
      const key = keyOf(driver, seccomp);
      if (filters.has(key)) return;
      const filter = await readFilter(`${driver.stateDir}/${id}/seccomp.bpf`);
      if (filter === undefined) return;
      remember(filters, key, filter);
      await store(dir, key, filter);
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

function remember(filters: Map<string, string>, key: string, filter: string): void {
  if (filters.size >= MOST_FILTERS) filters.clear();
  filters.set(key, filter);
}

/** base64; undefined when there is none or it cannot be a filter. */
async function readFilter(path: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(path);
    const sound = bytes.length > 0 && bytes.length % 8 === 0 && bytes.length <= LARGEST_BYTES;
    return sound ? bytes.toString('base64') : undefined;
  } catch {
    return undefined;
  }
}

async function store(dir: string, key: string, filter: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const temporary = `${dir}/${randomId()}.tmp`;
  await writeFile(temporary, Buffer.from(filter, 'base64'), { mode: 0o600 });
  await rename(temporary, `${dir}/${key}`);
}
