// A fake of the port Launcher: shims are fake connections, nothing runs. Keeps state, notes every step, fails where the test asks for it.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isGantryError } from '../../../lib/errors.ts';
import { type FakeRun, fakeRun } from '../../../runtime/link/testing/fake-connection.ts';
import type { ConfigureRequest, Launcher, LaunchRequest, Prepared, SourceRequest } from '../launcher.ts';
import type { ContainerRecord } from '../types.ts';

type Named = Pick<ContainerRecord, 'id'>;

export class FakeLauncher implements Launcher {
  /** What a step fails with, by its first word: `prepare`, `configure`, `start`, `pause` … */
  readonly failures = new Map<string, unknown>();
  /** The newest run of each container. */
  readonly runs = new Map<string, FakeRun>();
  /** Shims that an earlier daemon left; `adopt` finds them. */
  readonly survivors = new Map<string, FakeRun>();
  /** The errno that a bind source is found with; 0 when none is named. */
  readonly sources = new Map<string, number>();
  readonly probed: SourceRequest[] = [];
  configured: ConfigureRequest | undefined;
  launched: LaunchRequest | undefined;
  /** Containers that `sweepOrphans` was told of. */
  known: readonly string[] = [];
  /** Runs before a shim is given out: a test changes what it will do. */
  onPrepare: (run: FakeRun, record: ContainerRecord) => void = () => undefined;
  /** A signal that went past the shim. */
  onDirectSignal: (id: string, signal: number) => void = () => undefined;
  readonly #dir: string;
  readonly #note: (step: string) => void;

  /** Run directories and the root file system lie below `dir`. */
  constructor(dir: string, note: (step: string) => void) {
    this.#dir = dir;
    this.#note = note;
    mkdirSync(this.rootfs, { recursive: true });
  }

  get rootfs(): string {
    return join(this.#dir, 'rootfs');
  }

  /** The present run of a container that was started. */
  runOf(id: string): FakeRun {
    const run = this.runs.get(id);
    if (!run) throw new Error(`${id} was never started`);
    return run;
  }

  /** Its process ends. */
  exit(id: string, code: number, atUnixNs = 1_700_000_005_000_000_000n, oomKilled = false): void {
    this.runOf(id).connection.tell({ kind: 'exited', code, atUnixNs, oomKilled });
  }

  async probeSource(request: SourceRequest): Promise<number> {
    this.probed.push(request);
    return this.sources.get(request.path) ?? 0;
  }

  checkConfig(): void {
    this.#step('check');
  }

  async prepare(request: LaunchRequest): Promise<Prepared> {
    this.launched = request;
    this.#step('prepare');
    const dir = this.runDir(request.record.id);
    mkdirSync(dir, { recursive: true });
    const run = fakeRun(dir);
    // As a plain process: these two end it.
    run.connection.onSignal = (signal) => {
      if (signal === 9 || signal === 15) this.exit(request.record.id, 128 + signal);
    };
    this.onPrepare(run, request.record);
    this.runs.set(request.record.id, run);
    return { run, shimPid: 4141, rootfs: this.rootfs };
  }

  async configure(_prepared: Prepared, request: ConfigureRequest): Promise<void> {
    this.configured = request;
    this.#step('configure');
  }

  async start({ run }: Prepared): Promise<{ readonly pid: number; readonly atUnixNs: bigint }> {
    this.#step('start');
    await run.connection.start();
    return run.connection.until('started');
  }

  exitCodeOf(error: unknown): number {
    return isGantryError(error) && typeof error.params.exitCode === 'number' ? error.params.exitCode : 128;
  }

  async pause(): Promise<void> {
    this.#step('pause');
  }

  async unpause(): Promise<void> {
    this.#step('unpause');
  }

  async signal({ id }: Named, signal: number): Promise<void> {
    this.#step(`signal ${signal}`);
    this.onDirectSignal(id, signal);
  }

  async pids({ state }: ContainerRecord): Promise<readonly number[]> {
    return [state.pid];
  }

  runDir(id: string): string {
    return join(this.#dir, 'runs', id.slice(0, 24));
  }

  async rootOf(id: string): Promise<string | undefined> {
    return this.runs.has(id) ? this.rootfs : undefined;
  }

  async adopt(id: string): Promise<FakeRun | undefined> {
    this.#step('adopt');
    return this.survivors.get(id);
  }

  async sweepOrphans(known: ReadonlySet<string>): Promise<void> {
    this.#step('sweep-orphans');
    this.known = [...known];
  }

  async sweep(): Promise<void> {
    this.#step('sweep');
  }

  #step(step: string): void {
    this.#note(step);
    const [first = ''] = step.split(' ');
    if (this.failures.has(first)) throw this.failures.get(first);
  }
}
