// Owns reading what an ended shim left in its run directory. Writes nothing.

import { open } from 'node:fs/promises';
import type { ShimFailure } from './errors.ts';

/** How a run ended; `failed` when the process never ran. */
export type ExitRecord =
  | { readonly kind: 'exited'; readonly code: number; readonly atUnixNs: bigint; readonly oomKilled: boolean }
  | ({ readonly kind: 'failed' } & ShimFailure);

const MAX_RECORD_BYTES = 64 * 1024;

/** The record in `dir/exit`; undefined when there is none yet. @throws Error when it cannot be read or is garbage */
export async function readExitRecord(dir: string): Promise<ExitRecord | undefined> {
  const text = await readBounded(`${dir}/exit`);
  return text === undefined ? undefined : parseExitRecord(text);
}

/** The pid that the shim of `dir` has or had; undefined when it never came that far. */
export async function readShimPid(dir: string): Promise<number | undefined> {
  const text = await readBounded(`${dir}/shim.pid`);
  const pid = Number.parseInt(text ?? '', 10);
  return pid > 0 ? pid : undefined;
}

/** `key=value` lines; `text` is last and runs to the end. */
export function parseExitRecord(record: string): ExitRecord {
  const head = /^(?:code=(\d+)\nat=(\d+)\noom=([01])\n|stage=(.*)\nerrno=(\d+)\ntext=)/.exec(record);
  if (head === null) throw new Error(`not an exit record: ${record.slice(0, 200)}`);
  const [whole, code, at, oom, stage, errno] = head;
  if (code !== undefined) {
    return { kind: 'exited', code: Number(code), atUnixNs: BigInt(at ?? 0), oomKilled: oom === '1' };
  }
  const text = record.slice(whole.length).replace(/\n$/, '');
  return { kind: 'failed', stage: stage ?? '', errno: Number(errno ?? 0), text };
}

async function readBounded(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, 'r');
    const buffer = Buffer.alloc(MAX_RECORD_BYTES);
    const { bytesRead } = await file.read(buffer, 0, MAX_RECORD_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
