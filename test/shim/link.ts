// Owns: what the shim's tests need of its protocol: frames, a spawner, control and attach connections. Refuses: being the engine's link.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Fields = [string, string | number][];
export type Message = Record<string, string>;

const shimFolder = join(import.meta.dirname, '../../shim');
export const program = process.env.GANTRY_SHIM ?? join(shimFolder, 'build/gantry-shim');

/** Builds the program when it is missing or older than its sources. */
export const build = (): void => {
  execFileSync('make', ['-s', '-C', shimFolder, 'all'], { stdio: ['ignore', 'ignore', 'inherit'] });
};

/** One message as it goes over the wire. */
export const encode = (fields: Fields): Buffer => {
  const payload = Buffer.from(fields.map(([key, value]) => `${key}=${value}\0`).join(''));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(payload.length);
  return Buffer.concat([head, payload]);
};

const decode = (payload: Buffer): Message => {
  const message: Message = {};
  for (const field of payload.toString().split('\0').slice(0, -1)) {
    const at = field.indexOf('=');
    message[field.slice(0, at)] = field.slice(at + 1);
  }
  return message;
};

/** Cuts a socket's bytes into messages; `limit` messages at most, the rest stays raw. */
const onMessages = (socket: Socket, take: (message: Message) => void, limit = Infinity): (() => Buffer) => {
  let held: Buffer = Buffer.alloc(0);
  let left = limit;
  socket.on('data', (chunk) => {
    held = held.length ? Buffer.concat([held, chunk as Buffer]) : (chunk as Buffer);
    while (left > 0 && held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
      const end = 4 + held.readUInt32BE(0);
      const message = decode(held.subarray(4, end));
      held = held.subarray(end);
      left--;
      take(message);
    }
  });
  return () => held;
};

export class Spawner {
  readonly #child: ChildProcess;
  readonly #link: Socket;
  readonly #waiting = new Map<string, (answer: Message) => void>();
  #seq = 0;

  constructor() {
    this.#child = spawn(program, ['spawner'], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    this.#link = this.#child.stdio[3] as Socket;
    onMessages(this.#link, (answer) => this.#waiting.get(answer.seq ?? '')?.(answer));
    this.#link.on('error', () => {});
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  request(fields: Fields): Promise<Message> {
    const seq = String(++this.#seq);
    return new Promise((resolve) => {
      this.#waiting.set(seq, resolve);
      this.#link.write(encode([['seq', seq], ...fields]));
    });
  }

  raw(bytes: Buffer): void {
    this.#link.write(bytes);
  }

  /** Ends the link; resolves to the spawner's exit code. */
  async close(): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    const gone = once(this.#child, 'exit');
    this.#link.destroy();
    const [code] = await gone;
    return code as number | null;
  }

  async kill(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

/** A control connection: events in order, commands with answers. */
export class Control {
  readonly events: Message[] = [];
  readonly socket: Socket;
  readonly closed: Promise<void>;
  readonly #answers = new Map<string, (answer: Message) => void>();
  #wake: (() => void)[] = [];
  #seq = 0;
  #ended = false;

  constructor(dir: string) {
    this.socket = connect(join(dir, 'sock'));
    this.socket.on('error', () => {});
    this.closed = new Promise<void>((resolve) => {
      this.socket.once('close', () => {
        this.#ended = true;
        for (const answer of this.#answers.values()) answer({ stage: 'closed' });
        this.#stir();
        resolve();
      });
    });
    onMessages(this.socket, (message) => {
      if (message.seq !== undefined) this.#answers.get(message.seq)?.(message);
      else this.events.push(message);
      this.#stir();
    });
    this.socket.write(encode([['op', 'control']]));
  }

  #stir(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async event(name: string): Promise<Message> {
    for (;;) {
      const found = this.events.find((message) => message.ev === name);
      if (found) return found;
      if (this.#ended) throw new Error(`no ${name} event; there were ${JSON.stringify(this.events)}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  command(op: string, fields: Fields = []): Promise<Message> {
    const seq = String(++this.#seq);
    return new Promise((resolve) => {
      this.#answers.set(seq, resolve);
      this.socket.write(encode([['op', op], ['seq', seq], ...fields]));
    });
  }
}

/** An attach connection; `bytes` is all that came after the answer. */
export class Attach {
  readonly socket: Socket;
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #wake: (() => void)[] = [];

  constructor(dir: string, wants: { stdin?: boolean; stdout?: boolean; stderr?: boolean }) {
    this.socket = connect({ path: join(dir, 'sock'), allowHalfOpen: true });
    this.socket.on('error', () => {});
    this.ended = new Promise<void>((resolve) => this.socket.once('end', resolve)).then(() => this.#stir());
    this.ready = new Promise((resolve) => {
      let head: Buffer | undefined = Buffer.alloc(0);
      this.socket.on('data', (chunk) => {
        let rest = chunk as Buffer;
        if (head) {
          head = Buffer.concat([head, rest]);
          if (head.length < 4 || head.length < 4 + head.readUInt32BE(0)) return;
          rest = head.subarray(4 + head.readUInt32BE(0));
          head = undefined;
          resolve();
        }
        this.#chunks.push(rest);
        this.#length += rest.length;
        this.#stir();
      });
    });
    const flag = (on?: boolean) => (on ? 1 : 0);
    this.socket.write(
      encode([
        ['op', 'attach'],
        ['stdin', flag(wants.stdin)],
        ['stdout', flag(wants.stdout)],
        ['stderr', flag(wants.stderr)],
      ]),
    );
  }

  #stir(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Waits until the bytes satisfy the test. */
  async until(test: (bytes: Buffer) => boolean): Promise<void> {
    while (!test(this.bytes)) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }
}

/** Splits Docker's frames into the bytes of each stream. */
export const unframe = (bytes: Buffer): { stdout: Buffer; stderr: Buffer } => {
  const parts: Record<number, Buffer[]> = { 1: [], 2: [] };
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.readUInt32BE(at + 4);
    assert.deepEqual([...bytes.subarray(at + 1, at + 4)], [0, 0, 0]);
    parts[bytes[at] ?? 0]?.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  assert.equal(at, bytes.length, 'a frame is cut short');
  return { stdout: Buffer.concat(parts[1] ?? []), stderr: Buffer.concat(parts[2] ?? []) };
};

/** A fresh run directory under the system's temporary folder. */
export const runDir = (): string => {
  const root = mkdtempSync(join(tmpdir(), 'gantry-shim-'));
  const dir = join(root, 'run');
  mkdirSync(dir, { mode: 0o700 });
  return dir;
};

export const removeDir = (dir: string): void => rmSync(join(dir, '..'), { recursive: true, force: true });

/**
 * The argv of a runtime that leaves `script` (sh) running as the process, its pid in `pid`. A shell reaps what ends while it
 * lives, which no real runtime does: so the process does nothing before its runtime is gone.
 */
export const fakeRuntime = (dir: string, script: string): Fields => {
  writeFileSync(join(dir, 'main.sh'), script);
  const process = 'while kill -0 $runtime 2>/dev/null; do :; done; exec sh main.sh <&9 9<&-';
  const body = `runtime=$$; exec 9<&0; (${process}) & printf %s $! > pid`;
  return [
    ['arg', '/bin/sh'],
    ['arg', '-c'],
    ['arg', body],
    ['pid-file', 'pid'],
  ];
};

export const readText = (dir: string, name: string): string => readFileSync(join(dir, name), 'utf8');
export const exists = (dir: string, name: string): boolean => existsSync(join(dir, name));

/** True while a process (not a zombie) of that pid is there. */
export const alive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A cleanup that takes a second. A shim whose start failed ends at once: the cleanup gives a test the time to connect. */
export const slowCleanup: Fields = [
  ['cleanup-arg', '/bin/sleep'],
  ['cleanup-arg', '1'],
];
