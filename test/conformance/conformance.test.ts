// Owns the comparison of our engine with a real Docker Engine: the same scripts, through the Docker CLI and through gantry.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { busybox } from '../fixtures/busybox.ts';
import { CLIS, PROGRAMS, SKIP } from '../support/clis.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { AREAS } from './cases/index.ts';
import { golden, IMAGE, record } from './golden.ts';
import { type Line, play } from './play.ts';

/** As a person would read it: the step, then what came. */
const readable = (lines: readonly Line[]) =>
  lines.map(
    ({ step, code, stdout, stderr }) => `$ ${step}\n[${code}]\n${stdout}${stderr === '' ? '' : `stderr: ${stderr}`}`,
  );

let daemon: Daemon;
before(async () => {
  if (process.env.GANTRY_ORACLE) await record(process.env.GANTRY_ORACLE);
  daemon = await startDaemon();
  await daemon.load((await busybox(IMAGE)).archive);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

for (const cli of CLIS) {
  for (const [area, cases] of Object.entries(AREAS)) {
    describe(`${cli}: ${area}`, { concurrency: 2 }, () => {
      for (const one of cases) {
        const skip = one.skip?.[cli] ?? SKIP[cli];
        test(one.name, { skip }, async () => {
          const expected = golden(area)[one.name];
          assert.ok(expected, 'nothing recorded: run with GANTRY_ORACLE=unix://… of a real engine');
          const lines = await play({ program: PROGRAMS[cli], host: daemon.host }, one);
          assert.deepEqual(readable(lines), readable(expected));
        });
      }
    });
  }
}
