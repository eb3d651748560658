// Owns the comparison of create bodies, by the API: what a real Docker Engine grants, refuses and warns of, and in which words.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { busybox } from '../../fixtures/busybox.ts';
import { type Daemon, startDaemon } from '../../support/daemon.ts';
import { BODY_AREAS } from './cases/index.ts';
import { golden, IMAGE, record } from './golden.ts';
import { comparable, play } from './play.ts';

let daemon: Daemon;
before(async () => {
  if (process.env.GANTRY_ORACLE) await record(process.env.GANTRY_ORACLE);
  daemon = await startDaemon();
  await daemon.load((await busybox(IMAGE)).archive);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

for (const [area, cases] of Object.entries(BODY_AREAS)) {
  describe(area, { concurrency: 2 }, () => {
    for (const one of cases) {
      test(one.name, async () => {
        const expected = golden(area)[one.name];
        assert.ok(expected, 'nothing recorded: run with GANTRY_ORACLE=unix://… of a real engine');
        const outcomes = await play({ socket: daemon.socket, image: IMAGE }, one);
        const table = one.tries.map(({ body }, index) => {
          const [ours = {}, docker = {}] = [outcomes[index], expected[index]];
          return { body, ours: comparable(ours, docker), docker: comparable(docker, ours) };
        });
        assert.deepEqual(
          table.map(({ body, ours }) => ({ body, is: ours })),
          table.map(({ body, docker }) => ({ body, is: docker })),
        );
      });
    }
  });
}
