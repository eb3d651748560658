// Owns the time that a daemon takes to answer again after a kill, with many containers running. Prints one line.
//
//   dist/node bench/recovery.ts            RECOVERY_CONTAINERS=200 RECOVERY_KILLS=5

import { busybox } from '../test/fixtures/busybox.ts';
import { startDaemon } from '../test/support/daemon.ts';
import { median } from './command.ts';

const CONTAINERS = Number(process.env.RECOVERY_CONTAINERS ?? 200);
const KILLS = Number(process.env.RECOVERY_KILLS ?? 5);
const SIDE_BY_SIDE = 8;

await using daemon = await startDaemon();
await daemon.load((await busybox()).archive);
let left = CONTAINERS;
const launch = async (): Promise<void> => {
  while (left-- > 0) {
    const made = await daemon.api('POST', '/containers/create', { Image: 'busybox', Cmd: ['sleep', '100000'] });
    const started = await daemon.api('POST', `/containers/${made.json<{ Id: string }>().Id}/start`);
    if (started.status !== 204) throw new Error(started.text);
  }
};
await Promise.all(Array.from({ length: SIDE_BY_SIDE }, launch));
const times: number[] = [];
for (let kill = 0; kill < KILLS; kill++) {
  await daemon.kill9();
  const beganMs = performance.now();
  await daemon.start();
  times.push(performance.now() - beganMs);
}
const running = (await daemon.api('GET', '/containers/json')).json<unknown[]>().length;
process.stdout.write(
  `${running} of ${CONTAINERS} containers run on; start of the process to its first answer: median ${median(times).toFixed(0)} ms, ` +
    `longest ${Math.max(...times).toFixed(0)} ms of ${KILLS}\n`,
);
