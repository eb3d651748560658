// Runs a container from a TypeScript program, without daemon or CLI.
//
//   sudo node examples/run-in-process.ts <image.tar>
//
// The image is any `docker save` archive; its first name is run.

import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine, run } from '../src/index.ts';

const [archive] = process.argv.slice(2);
if (!archive) throw new Error('usage: node examples/run-in-process.ts <image.tar>');

const root = await mkdtemp(join(tmpdir(), 'gantry-example-'));
try {
  await using engine = await openEngine({ root, bridge: 'none' });
  const [image = ''] = await engine.images.load(createReadStream(archive), () => {}, AbortSignal.timeout(60_000));
  const { exitCode, stdout } = await run(engine, {
    image,
    command: ['sh', '-c', 'echo "hello from $(hostname), $WHO"; tr a-z A-Z; exit 3'],
    env: { WHO: 'world' },
    input: 'typed options\n',
    network: 'none',
    memoryBytes: 64 * 1024 * 1024,
  });
  process.stdout.write(stdout);
  console.log(`exit code ${exitCode}`);
} finally {
  await rm(root, { recursive: true, force: true });
}
