// Owns an nginx in front of a registry, under a folder of its own, with TLS for 127.0.0.1.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NGINX, programOf } from '../../fixtures/debian-program.ts';
import { freePort } from '../../support/addresses.ts';
import { eventually } from '../../support/patience.ts';
import { certificate } from './certificate.ts';

export interface Nginx extends AsyncDisposable {
  readonly port: number;
  /** `https://127.0.0.1:port`. */
  readonly url: string;
  /** PEM of its own authority. */
  readonly ca: string;
  readonly caFile: string;
  /** What it complained of. */
  errors(): string;
}

/** Starts nginx with `locations` in its only server; undefined where there is none to be had. */
export async function startNginx(locations: string, inHttp = ''): Promise<Nginx | undefined> {
  const program = await programOf(NGINX);
  if (program === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), `gantry-test-${process.env.GANTRY_TEST_RUN ?? 'dev'}-nginx-`));
  const { cert, key } = await certificate(folder, 'nginx');
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  writeFileSync(
    join(folder, 'nginx.conf'),
    `user root; worker_processes 1; daemon off; pid ${folder}/pid; error_log ${folder}/errors notice;
events {}
http {
  access_log off; ${temporary.join(' ')}
  ${inHttp}
  server {
    listen 127.0.0.1:${port} ssl; server_name _;
    ssl_certificate ${cert}; ssl_certificate_key ${key};
    client_max_body_size 0;
    chunked_transfer_encoding on;
    ${locations}
  }
}
`,
  );
  const child = spawn(program, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'errors')], {
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const log = join(folder, 'errors');
  const errors = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');
  const nginx: Nginx = {
    port,
    url: `https://127.0.0.1:${port}`,
    ca: readFileSync(cert, 'utf8'),
    caFile: cert,
    errors,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await eventually('nginx has started', () => {
      if (child.exitCode !== null) throw new Error(errors());
      return /start worker process /.test(errors());
    });
  } catch (error) {
    await nginx[Symbol.asyncDispose]();
    throw error;
  }
  return nginx;
}
