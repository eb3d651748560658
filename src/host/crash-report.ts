// Owns the report of a program that ends by a bug of its own: a file that says what happened, for whoever mends it. Ends nothing.

import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { makeFoldersSync } from '../lib/make-folders.ts';

/** The newest ones are kept: a program that ends at each start fills no disk. */
const KEPT_REPORTS = 10;
const KEPT_LINES = 100;
const LINE_MOST = 2000;

/** The program that a report is about. */
export interface CrashedProgram {
  readonly name: string;
  readonly version: string;
  /** The last lines of its log, oldest first. */
  readonly lines: readonly string[];
}

/** The last lines of a log. */
export class LastLines {
  readonly #lines: string[] = [];

  add(line: string): void {
    this.#lines.push(line.slice(0, LINE_MOST).trimEnd());
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
  }

  get all(): readonly string[] {
    return this.#lines;
  }
}

/**
 * Writes the report into `folder`, which is made, readable by its owner alone: logs name containers and paths. It holds no
 * environment, which has secrets. Resolves at once, as nothing of the program can be trusted any more.
 * @returns its path; undefined when it cannot be written
 */
export function writeCrashReport(folder: string, program: CrashedProgram, error: unknown): string | undefined {
  const time = new Date().toISOString();
  const path = join(folder, `${time.replaceAll(':', '-')}-${process.pid}.json`);
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const report = {
    program: program.name,
    version: program.version,
    node: process.version,
    time,
    uptimeSeconds: Math.round(process.uptime()),
    error: inspect(error, { depth: 4, maxStringLength: 10_000 }).split('\n'),
    memory: process.memoryUsage(),
    resources,
    log: program.lines,
  };
  try {
    makeFoldersSync(folder, 0o700);
    for (const old of readdirSync(folder)
      .sort()
      .slice(0, 1 - KEPT_REPORTS))
      rmSync(join(folder, old), { force: true });
    writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`, { mode: 0o600 });
    return path;
  } catch {
    return undefined;
  }
}

/** The exit code of a program that a bug ended. @source sysexits(3), EX_SOFTWARE */
const CRASHED = 70;

/** The part of a process that reports its bugs, and ends. */
export type BuggyProcess = Pick<NodeJS.Process, 'on' | 'exit'>;

/** A program that ends at its first bug. */
export interface GuardedProgram {
  readonly name: string;
  readonly version: string;
  /** Where its reports go, absolute. */
  readonly folder: string;
  readonly lines: LastLines;
  log(message: string, fields: { readonly report?: string }): void;
  /** Writes out what the log still holds. */
  flush(): void;
}

/**
 * Ends the process at the first error that nobody caught, with a report and exit code 70: after a bug nothing of it can be trusted.
 * What comes while the report is written is passed over.
 */
export function endAtFirstBug(io: BuggyProcess, { name, version, folder, lines, ...program }: GuardedProgram): void {
  let first = true;
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    io.on(event, (error: unknown) => {
      if (!first) return;
      first = false;
      const report = writeCrashReport(folder, { name, version, lines: lines.all }, error);
      const text = error instanceof Error ? error.stack : String(error);
      program.log(`ended by a bug: ${text}`, report === undefined ? {} : { report });
      program.flush();
      io.exit(CRASHED);
    });
  }
}
