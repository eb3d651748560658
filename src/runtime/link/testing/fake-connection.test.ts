import { connectShim, type ShimEvent } from '../connection.ts';
import type { Field } from '../frame.ts';
import { type ConnectionBench, connectionContract } from './connection-contract.ts';
import { FakeConnection } from './fake-connection.ts';
import { ScriptedShim } from './scripted-shim.ts';

function fieldsOf(event: ShimEvent): readonly Field[] {
  switch (event.kind) {
    case 'ready':
      return [['pid', String(event.shimPid)]];
    case 'started':
      return [
        ['pid', String(event.pid)],
        ['at', String(event.atUnixNs)],
      ];
    case 'exited':
      return [
        ['code', String(event.code)],
        ['at', String(event.atUnixNs)],
        ['oom', event.oomKilled ? '1' : '0'],
      ];
    case 'failed':
      return [
        ['stage', event.stage],
        ['errno', String(event.errno)],
        ['text', event.text],
      ];
    case 'closed':
      return [];
  }
}

async function realBench(): Promise<ConnectionBench> {
  const shim = await ScriptedShim.listen();
  let heard = Promise.withResolvers<void>();
  let kills = 0;
  const connection = await connectShim(shim.dir, () => heard.resolve());
  return {
    connection,
    async tell(event) {
      heard = Promise.withResolvers();
      if (event.kind === 'closed') shim.hangUp();
      else shim.tell([['ev', event.kind], ...fieldsOf(event)]);
      await heard.promise;
    },
    async tellOom(more) {
      kills += more;
      shim.tell([
        ['ev', 'oom'],
        ['kills', String(kills)],
      ]);
      // An order's answer comes behind all that was said before.
      await connection.resize(1, 1);
    },
    keepSilent() {
      shim.silent = true;
    },
    async [Symbol.asyncDispose]() {
      connection[Symbol.dispose]();
      await shim[Symbol.asyncDispose]();
    },
  };
}

async function fakeBench(): Promise<ConnectionBench> {
  const connection = new FakeConnection();
  return {
    connection,
    tell: async (event) => connection.tell(event),
    tellOom: async (more) => connection.tellOom(more),
    keepSilent() {
      connection.silent = true;
    },
    [Symbol.asyncDispose]: async () => connection[Symbol.dispose](),
  };
}

connectionContract('a shim on its socket', realBench);
connectionContract('the fake of a shim', fakeBench);
