// Owns lending a container's file tree to other capabilities: that of its process while one runs, a mount of its layers otherwise,
// with its volumes, binds and network files at their places in both cases.

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { libc, must } from '../../host/libc.ts';
import { ParentDirs, rootedAt } from '../../host/rooted/index.ts';
import { type ByteString, bytesOfText } from '../../lib/bytes.ts';
import { ZERO_TIME } from '../../lib/clock.ts';
import type { RootSource, TreeSource } from '../files/types.ts';
import type { Context } from './context.ts';
import { fillVolumes } from './mount-sources.ts';
import { isAlive } from './state.ts';
import type { ContainerRecord } from './types.ts';

/**
 * Runs `work` on the tree of a container. For `write`, a container that does not run cannot be started or removed meanwhile:
 * `isExclusive` is then true, and `work` must have a limit.
 * @throws NO_SUCH_CONTAINER when it was removed meanwhile, and what `work` throws
 */
export async function withRoot<T>(
  context: Context,
  container: ContainerRecord,
  access: 'read' | 'write',
  work: (root: RootSource, isExclusive: boolean) => Promise<T>,
): Promise<T> {
  const running = await runningRoot(context, container);
  if (running) return work(running, false);
  if (access === 'write') {
    return context.queue.run(container.id, async () => {
      const record = context.records.find(container.id);
      const started = await runningRoot(context, record);
      if (started) return work(started, false);
      await prepareFirst(context, record);
      return withLayers(context, record, 'write', (root) => work(root, true));
    });
  }
  if (container.state.startedAt === ZERO_TIME) {
    await context.queue.run(container.id, () => prepareFirst(context, context.records.find(container.id)));
  }
  return withLayers(context, container, 'read', (root) => work(root, false));
}

/** The tree of a running container; undefined when it does not run. */
async function runningRoot(context: Context, record: ContainerRecord): Promise<RootSource | undefined> {
  const { phase, pid } = record.state;
  if (!isAlive(phase)) return undefined;
  const root = await context.launcher.rootOf(record.id);
  if (root === undefined) return undefined;
  const { ReadonlyRootfs } = record.hostConfig;
  return { root, readOnly: ReadonlyRootfs === true, trees: treesOf(context, record, `/proc/${pid}/root`) };
}

async function withLayers<T>(
  context: Context,
  record: ContainerRecord,
  access: 'read' | 'write',
  work: (root: RootSource) => Promise<T>,
): Promise<T> {
  const { upper, work: workDir } = context.paths(record.id);
  await Promise.all([
    context.lives.of(record.id).previousClosed,
    mkdir(upper, { recursive: true, mode: 0o755 }),
    mkdir(workDir, { recursive: true, mode: 0o700 }),
  ]);
  await using lease = await context.images.lease(record.imageId);
  await using mount = await context.rootfs.open({ ...lease, upper, work: workDir }, access);
  const { ReadonlyRootfs } = record.hostConfig;
  return await work({
    root: `/proc/self/fd/${mount.fd}`,
    readOnly: ReadonlyRootfs === true,
    trees: treesOf(context, record, undefined),
  });
}

/** What the first start does to files, for whoever comes before it: mount points, working directory, content of volumes. */
async function prepareFirst(context: Context, record: ContainerRecord): Promise<void> {
  const { mounts, config, state } = record;
  const folders = [...mounts.filter(({ type }) => type !== 'bind').map(({ destination }) => destination)];
  if (config.WorkingDir) folders.push(config.WorkingDir);
  if (state.startedAt !== ZERO_TIME || folders.length === 0) return;
  await withLayers(context, record, 'write', async ({ root }) => {
    await fillVolumes(context, record, root);
    using rooted = rootedAt(must(libc.dup(Number(root.split('/').at(-1))), 'dup'));
    using parents = new ParentDirs(rooted);
    for (const folder of folders) parents.get(bytesOfText(folder).replace(/^\/+|\/+$/g, '') as ByteString);
  });
}

/** `processRoot`: the root as the container's process sees it, where memory file systems can be found. */
function treesOf(context: Context, record: ContainerRecord, processRoot: string | undefined): readonly TreeSource[] {
  const { resolvConf, hostname, hosts } = context.paths(record.id);
  const own = [
    { path: '/etc/resolv.conf', source: resolvConf },
    { path: '/etc/hostname', source: hostname },
    { path: '/etc/hosts', source: hosts },
  ];
  const identity = own.filter(({ source }) => existsSync(source)).map((tree) => ({ ...tree, readOnly: false }));
  const mounts = record.mounts.flatMap(({ type, source, subpath, destination, writable }): TreeSource[] => {
    const tree = { path: destination, readOnly: !writable };
    if (type !== 'tmpfs') return [{ ...tree, source, below: subpath }];
    return processRoot === undefined ? [] : [{ ...tree, source: processRoot, below: destination }];
  });
  // Outer mounts come before those in them.
  return [...identity, ...mounts].sort((a, b) => depthOf(a.path) - depthOf(b.path));
}

function depthOf(path: string): number {
  return path.split('/').filter(Boolean).length;
}
