// A shim that is only its socket: speaks shim/PROTOCOL.md in this process, and does what a test says. Runs nothing.

import { mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { testFolder } from '../../../lib/testing/folder.ts';
import { createFrameDecoder, encodeFrame, type Field, fieldOf } from '../frame.ts';

/** Listens on `dir/sock`. Disposing takes it away with all connections. */
export class ScriptedShim implements AsyncDisposable {
  readonly dir: string;
  /** Orders on control connections in their order, e.g. `signal sig=15`. */
  readonly calls: string[] = [];
  /** Set: orders are taken and not answered. */
  silent = false;
  /** Set: dies on whoever joins it. */
  dying = false;
  /** What each order is answered with. */
  answer: (op: string) => readonly Field[] = () => [['ok', '1']];
  /** Told of each attacher, with the streams that it asked for, and what it wrote. */
  readonly attached: { readonly streams: string; readonly socket: Socket; input: string }[] = [];
  /** Runs when somebody has attached: a test writes output here. */
  onAttach: (socket: Socket) => void = () => undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #controls = new Set<Socket>();
  readonly #told: (readonly Field[])[] = [];

  private constructor(dir: string, server: Server) {
    this.dir = dir;
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  /** Listens in a folder of its own below `parent`, or in `dir` itself. */
  static async listen(dir: string = testFolder('shim')): Promise<ScriptedShim> {
    mkdirSync(dir, { recursive: true });
    const server = createServer({ allowHalfOpen: true });
    const shim = new ScriptedShim(dir, server);
    await new Promise<void>((resolve) => server.listen(join(dir, 'sock'), resolve));
    return shim;
  }

  /** Says this to everybody who listens, and to who comes later. */
  tell(fields: readonly Field[]): void {
    this.#told.push(fields);
    for (const socket of this.#controls) socket.write(encodeFrame(fields));
  }

  /** Ends every connection, as a shim that dies does. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    rmSync(this.dir, { recursive: true, force: true });
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#controls.delete(socket);
    });
    const decoder = createFrameDecoder();
    const take = (chunk: Buffer): void => {
      for (const fields of decoder.push(chunk)) {
        const op = fieldOf(fields, 'op') ?? '';
        if (op === 'attach') {
          socket.off('data', take);
          this.#attach(socket, fields);
        } else if (op === 'control') this.#join(socket);
        else this.#obey(socket, op, fields);
      }
    };
    socket.on('data', take);
  }

  #join(socket: Socket): void {
    if (this.dying) {
      this.hangUp();
      return;
    }
    this.#controls.add(socket);
    for (const fields of this.#told) socket.write(encodeFrame(fields));
  }

  #obey(socket: Socket, op: string, fields: readonly Field[]): void {
    const rest = fields.filter(([key]) => key !== 'op' && key !== 'seq').map(([key, value]) => `${key}=${value}`);
    this.calls.push([op, ...rest].join(' '));
    if (this.silent) return;
    const failure = this.answer(op);
    socket.write(encodeFrame([['seq', fieldOf(fields, 'seq') ?? ''], ...failure]));
  }

  #attach(socket: Socket, fields: readonly Field[]): void {
    const streams = ['stdin', 'stdout', 'stderr'].filter((name) => fieldOf(fields, name) === '1').join(' ');
    const one = { streams, socket, input: '' };
    this.attached.push(one);
    socket.on('data', (chunk: Buffer) => {
      one.input += chunk.toString();
    });
    socket.write(encodeFrame([['ok', '1']]));
    this.onAttach(socket);
  }
}
