// Owns the exec face of the fake engine.

import { randomBytes } from 'node:crypto';
import type { ExecRecord, Execs } from '../../../src/engine/exec/types.ts';
import type { FakeContainerStore } from './fake-containers.ts';
import { failure } from './fake-faces.ts';
import { framed, startFake } from './fake-process.ts';

export function fakeExecs(store: FakeContainerStore, called: (call: string) => void): Execs {
  const execs = new Map<string, ExecRecord>();
  const get = (id: string): ExecRecord => {
    const record = execs.get(id);
    if (!record) throw failure('notFound', 'NO_SUCH_EXEC', `No such exec instance: ${id}`);
    return record;
  };
  return {
    async create(ref, request) {
      called('execs.create');
      const container = store.find(ref);
      store.requireRunning(container);
      const id = randomBytes(32).toString('hex');
      execs.set(id, { id, containerId: container.record.id, request, running: false, exitCode: null, pid: 0 });
      return id;
    },
    async start(id, request) {
      called('execs.start');
      const record = get(id);
      if (record.exitCode !== null || record.running) {
        throw failure('conflict', 'EXEC_ALREADY_RUN', `exec command ${id} has already run`);
      }
      const { command, tty } = record.request;
      if (command[0] === 'nope') {
        execs.set(id, { ...record, exitCode: 127 });
        const text =
          'OCI runtime exec failed: exec failed: unable to start container process: exec: "nope": executable file not found in $PATH';
        if (request.detach) throw failure('invalid', 'START_FAILED', text);
        const failed = startFake(['sleep'], tty, Promise.resolve()).attach({ logs: false, stream: true });
        failed.push(framed(`${text}\r\n`, tty));
        failed.push(null);
        return { tty, stream: failed };
      }
      execs.set(id, { ...record, running: true, pid: 4243 });
      let begin = (): void => undefined;
      const process = startFake(command, tty, new Promise<void>((resolve) => (begin = resolve)));
      const stream = process.attach({ logs: false, stream: true });
      void process.exited.then((exitCode) => execs.set(id, { ...get(id), running: false, exitCode }));
      begin();
      return request.detach ? undefined : { tty, stream };
    },
    inspect: get,
    async resize(id) {
      called('execs.resize');
      get(id);
    },
  };
}
