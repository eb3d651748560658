// Owns the rows of execs.

import type { ExecCreateRequest, ExecStartRequest } from '../../../src/spec/docker/types.gen.ts';
import { body, honoured, ignored, type Rows } from './types.ts';

const PROCESS = body('execs', 'an exec has the variables, folder, user and rights that it asks for');
const STREAMS = body('execs', 'an exec’s streams are those that it asks for');
const REFUSED = body('execs', 'an exec that could only run otherwise than asked is refused');

export const EXEC_CREATE: Rows<ExecCreateRequest> = {
  AttachStdin: honoured(STREAMS),
  AttachStdout: honoured(STREAMS),
  AttachStderr: honoured(STREAMS),
  ConsoleSize: honoured(STREAMS),
  DetachKeys: honoured(STREAMS),
  Tty: honoured(STREAMS),
  Detach: ignored('the start says whether it is detached', STREAMS),
  Env: honoured(PROCESS, REFUSED),
  Cmd: honoured(PROCESS, REFUSED),
  Privileged: honoured(PROCESS),
  User: honoured(PROCESS, REFUSED),
  WorkingDir: honoured(PROCESS, REFUSED),
};

export const EXEC_START: Rows<ExecStartRequest> = {
  Detach: honoured(STREAMS, REFUSED),
  Tty: honoured(STREAMS),
  ConsoleSize: honoured(STREAMS),
};
