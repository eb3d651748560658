// Owns: starting one shim for a test and ending it with the test. Refuses: sharing a shim between tests.
import assert from 'node:assert/strict';
import { after, before, type TestContext } from 'node:test';
import { build, Control, type Fields, fakeRuntime, removeDir, runDir, Spawner } from './link.ts';

export type Run = { dir: string; control: Control; shimPid: number };

/** One spawner for the tests of a file, and a function that starts a shim with a fake runtime below it. */
export const withSpawner = (): {
  spawner: () => Spawner;
  begin: (t: TestContext, script: string, more?: Fields) => Promise<Run>;
} => {
  let spawner: Spawner;
  before(() => {
    build();
    spawner = new Spawner();
  });
  after(() => spawner.close());
  const begin = async (t: TestContext, script: string, more: Fields = []): Promise<Run> => {
    const dir = runDir();
    const answer = await spawner.request([['op', 'spawn'], ['dir', dir], ...fakeRuntime(dir, script), ...more]);
    assert.ok(Number(answer.pid) > 0, JSON.stringify(answer));
    const control = new Control(dir);
    t.after(async () => {
      await Promise.race([control.command('abandon'), control.closed]);
      await Promise.race([control.command('signal', [['sig', 9]]), control.closed]);
      await control.closed;
      removeDir(dir);
    });
    return { dir, control, shimPid: Number(answer.pid) };
  };
  return { spawner: () => spawner, begin };
};
