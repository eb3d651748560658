// Owns conformance of files in containers: the same requests to us and, recorded, to dockerd 28.5. GANTRY_ORACLE=unix:///… records anew.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { busybox } from '../../fixtures/busybox.ts';
import { must, which } from '../../support/commands.ts';
import { type Daemon, startDaemon } from '../../support/daemon.ts';
import { playScene } from './play.ts';
import { SCENES } from './steps.ts';

const IMAGE = 'gtbox:latest';
const GOLDEN = new URL('golden.json', import.meta.url);

describe('copying to and from containers', () => {
  let daemon: Daemon;
  let golden: Readonly<Record<string, readonly string[]>> = {};
  before(async () => {
    const { archive } = await busybox(IMAGE);
    if (process.env.GANTRY_ORACLE) await record(process.env.GANTRY_ORACLE, archive);
    golden = existsSync(GOLDEN) ? JSON.parse(readFileSync(GOLDEN, 'utf8')) : {};
    daemon = await startDaemon();
    await daemon.load(archive);
  });
  after(() => daemon[Symbol.asyncDispose]());
  for (const [name, scene] of Object.entries(SCENES)) {
    it(name, async () => {
      const lines = await playScene(daemon.socket, IMAGE, scene);
      const expected = golden[name] ?? [];
      // One line each: a diff of everything is nothing that anybody reads.
      assert.equal(
        lines.find((line, at) => line !== expected[at]),
        expected.find((line, at) => line !== lines[at]),
      );
      assert.equal(lines.length, expected.length);
    });
  }
});

async function record(host: string, archive: string): Promise<void> {
  assert.ok(which('docker'), 'recording needs docker');
  await must('docker', ['load', '-i', archive], { env: { DOCKER_HOST: host } });
  const answers: Record<string, readonly string[]> = {};
  for (const [name, scene] of Object.entries(SCENES)) {
    answers[name] = await playScene(host.replace('unix://', ''), IMAGE, scene);
  }
  writeFileSync(GOLDEN, `${JSON.stringify(answers, null, 1)}\n`);
}
