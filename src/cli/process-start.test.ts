import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

test('a process began when it was started, not when Node was ready or the script before it had done its work', () => {
  const module = new URL('process-start.ts', import.meta.url).pathname;
  const print = `import { processStartMs } from '${module}'; console.log(processStartMs(), performance.timeOrigin);`;
  const script = `sleep 0.3; exec "${process.execPath}" --input-type=module -e "$0"`;
  const spawnedMs = Date.now();
  const { stdout, stderr } = spawnSync('sh', ['-c', script, print], { encoding: 'utf8' });
  const [startMs = 0, nodeMs = 0] = stdout.split(' ').map(Number);
  assert.ok(Math.abs(startMs - spawnedMs) < 100, `${startMs - spawnedMs} ms off ${stderr}`);
  assert.ok(nodeMs - startMs > 200);
});
