// A fake of the port ExecLauncher: a scripted shim on a real socket for the streams, a fake connection for the rest. Runs nothing.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { GantryError, isGantryError } from '../../../lib/errors.ts';
import { testFolder } from '../../../lib/testing/folder.ts';
import { limitTest } from '../../../lib/testing/limit.ts';
import { type FakeRun, fakeRun } from '../../../runtime/link/testing/fake-connection.ts';
import { ScriptedShim } from '../../../runtime/link/testing/scripted-shim.ts';
import { encodeFrameHeader } from '../../../spec/stream/frames.ts';
import type { ContainerRecord } from '../../containers/types.ts';
import type { EngineEvent } from '../../events/types.ts';
import { createExecs, type ExecCapability, type ExecLauncher, type ExecRequest } from '../index.ts';

/** What a process writes to stdout, as its shim frames it. */
export function framed(text: string): Buffer {
  return Buffer.concat([encodeFrameHeader('stdout', Buffer.byteLength(text)), Buffer.from(text)]);
}

class FakeExecLauncher implements ExecLauncher {
  readonly failures = new Map<'check' | 'prepare' | 'start', unknown>();
  /** Steps in order. */
  readonly steps: string[] = [];
  readonly runs: FakeRun[] = [];
  readonly shims: ScriptedShim[] = [];
  /** What the last process was started with. */
  request: ExecRequest | undefined;
  /** Runs when a process has begun. */
  onStart: (run: FakeRun, shim: ScriptedShim) => void = () => undefined;
  /** False: nobody listens for attachers. */
  listens = true;
  readonly #dir = testFolder('execs');

  async check(): Promise<void> {
    this.#step('check');
  }

  async prepare(_container: ContainerRecord, execId: string): Promise<FakeRun> {
    this.#step('prepare');
    const dir = join(this.#dir, execId.slice(0, 24));
    const run = fakeRun(dir);
    if (this.listens) {
      const shim = await ScriptedShim.listen(dir);
      this.shims.push(shim);
      // A shim that ends takes its streams along.
      void run.closed.then(() => shim.hangUp());
    }
    this.runs.push(run);
    return run;
  }

  async start(run: FakeRun, _container: ContainerRecord, request: ExecRequest): Promise<{ readonly pid: number }> {
    this.request = request;
    this.#step('start');
    await run.connection.start();
    const { pid } = await run.connection.until('started');
    const [shim] = this.shims.slice(-1);
    if (shim) this.onStart(run, shim);
    return { pid };
  }

  exitCodeOf(error: unknown): number {
    return isGantryError(error) && typeof error.params.exitCode === 'number' ? error.params.exitCode : 128;
  }

  async kill(_container: ContainerRecord, pid: number): Promise<void> {
    this.#step(`kill ${pid}`);
  }

  async sweep(): Promise<void> {
    this.#step('sweep');
  }

  async close(): Promise<void> {
    for (const shim of this.shims) await shim[Symbol.asyncDispose]();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #step(step: string): void {
    this.steps.push(step);
    const [first = ''] = step.split(' ');
    const failure = this.failures.get(first as 'start');
    if (failure !== undefined) throw failure;
  }
}

const CONTAINER = {
  id: 'ab'.repeat(32),
  name: 'web',
  imageName: 'busybox',
  config: { Labels: { tier: 'front' } },
  hostConfig: {},
  state: { phase: 'running' },
} as unknown as ContainerRecord;

/** The exec capability over one container that runs. */
export class ExecBench {
  readonly launcher = new FakeExecLauncher();
  readonly events: Omit<EngineEvent, 'timeNano'>[] = [];
  container: ContainerRecord = CONTAINER;
  readonly execs: ExecCapability;

  constructor() {
    this.execs = createExecs({
      find: (ref) => {
        if ([this.container.id, this.container.name].includes(ref)) return this.container;
        throw new GantryError('notFound', 'NO_SUCH_CONTAINER', `No such container: ${ref}`);
      },
      launcher: this.launcher,
      publish: (event) => void this.events.push(event),
      parseDetachKeys: (text) => (text === '' ? undefined : Buffer.from(text)),
    });
  }

  get actions(): readonly string[] {
    return this.events.map(({ action }) => action);
  }

  setPhase(phase: ContainerRecord['state']['phase']): void {
    this.container = { ...this.container, state: { ...this.container.state, phase } };
  }

  create(given: Partial<ExecRequest> = {}): Promise<string> {
    return this.execs.face.create('web', {
      command: ['echo', 'hi'],
      tty: false,
      stdin: false,
      stdout: true,
      stderr: true,
      env: [],
      user: '',
      workingDir: '',
      privileged: false,
      detachKeys: '',
      ...given,
    });
  }
}

/** A bench that is closed with the test. */
export function openExecBench(t: TestContext): ExecBench {
  limitTest(t);
  const bench = new ExecBench();
  t.after(() => bench.launcher.close());
  return bench;
}
