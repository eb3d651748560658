// What every ShimConnection does, real or fake: tests for a maker of one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShimConnection, ShimEvent } from '../connection.ts';

/** A connection, and the shim behind it. */
export interface ConnectionBench extends AsyncDisposable {
  readonly connection: ShimConnection;
  /** The shim says so. Resolves when the connection may know. */
  tell(event: ShimEvent): Promise<void>;
  tellOom(more: number): Promise<void>;
  /** From now on the shim answers nothing. */
  keepSilent(): void;
}

const READY = { kind: 'ready', shimPid: 7 } as const;
const STARTED = { kind: 'started', pid: 8, atUnixNs: 5n } as const;
const EXITED = { kind: 'exited', code: 3, atUnixNs: 9n, oomKilled: false } as const;
const CLOSED = { kind: 'closed' } as const;

/** Registers the contract's tests under `name`. */
export function connectionContract(name: string, make: () => Promise<ConnectionBench>): void {
  test(`${name}: an event is told to who asked before it and to who asks after it`, async () => {
    await using bench = await make();
    const before = bench.connection.until('ready');
    await bench.tell(READY);
    assert.deepEqual(await before, READY);
    assert.deepEqual(await bench.connection.until('ready'), READY);
    assert.deepEqual(bench.connection.latest, READY);
  });

  test(`${name}: the exit of a process that was shorter than the question is not lost`, async () => {
    await using bench = await make();
    for (const event of [READY, STARTED, EXITED]) await bench.tell(event);
    assert.deepEqual(await bench.connection.until('started'), STARTED);
    assert.deepEqual(await bench.connection.until('exited'), EXITED);
  });

  test(`${name}: who waits for a start hears why it failed, who waits for the end of the shim does not`, async () => {
    await using bench = await make();
    const started = assert.rejects(bench.connection.until('started'), { code: 'SHIM_FAILED' });
    const closed = bench.connection.until('closed');
    await bench.tell({ kind: 'failed', stage: 'exec', errno: 2, text: 'no such file' });
    await started;
    await bench.tell(CLOSED);
    assert.deepEqual(await closed, CLOSED);
  });

  test(`${name}: a shim that dies without a word lets nobody wait`, async () => {
    await using bench = await make();
    await bench.tell(STARTED);
    const exited = assert.rejects(bench.connection.until('exited'), { code: 'SHIM_GONE' });
    await bench.tell(CLOSED);
    await exited;
    await assert.rejects(bench.connection.signal(15), { code: 'SHIM_GONE' });
  });

  test(`${name}: a shim that keeps silent is given up on after the limit`, async () => {
    await using bench = await make();
    await bench.tell(STARTED);
    bench.keepSilent();
    await assert.rejects(bench.connection.until('exited', 1), { code: 'SHIM_SILENT' });
    await assert.rejects(bench.connection.signal(15, 1), { code: 'SHIM_SILENT' });
  });

  test(`${name}: kills for memory are counted, and told as they come`, async () => {
    await using bench = await make();
    const told: number[] = [];
    bench.connection.onOom((more) => told.push(more));
    await bench.tell(STARTED);
    await bench.tellOom(2);
    await bench.tellOom(1);
    assert.deepEqual([told, bench.connection.oomKills], [[2, 1], 3]);
  });
}
