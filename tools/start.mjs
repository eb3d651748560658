#!/usr/bin/env node
// Owns `npm start`: the set-up, the engine in the foreground, a first container out of the embedded image. Safe to repeat: an
// engine that already runs is used and left alone. Plain JavaScript for Node 18. The roots can be moved for a try:
// `npm start -- --root DIR` keeps everything under DIR.

import { spawn, spawnSync } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { complain, done, run, SetupFailure, say } from './setup/step.mjs';
import { ROOT, setup } from './setup.mjs';

const IMAGE = 'gantry/hello:latest';
const PATIENCE_MS = 30_000;

/** Where the engine keeps itself: the defaults of gantryd, or all under one folder (with a bridge of its own). */
function places(args) {
  const at = args.indexOf('--root');
  if (at < 0) return { socket: '/run/gantry/gantry.sock', flags: [] };
  const folder = resolve(args[at + 1] ?? '.');
  mkdirSync(folder, { recursive: true });
  const socket = join(folder, 'gantry.sock');
  const flags = ['--host', `unix://${socket}`, '--data-root', join(folder, 'data'), '--exec-root', join(folder, 'run')];
  const network = [
    '--bridge',
    'gantrytry0',
    '--bip',
    '10.214.0.1/24',
    '--default-address-pool',
    'base=10.214.16.0/20,size=24',
  ];
  return { socket, flags: [...flags, '--pidfile', join(folder, 'gantryd.pid'), ...network] };
}

/** Whether an engine answers on the socket. */
function answers(socketPath) {
  return new Promise((resolve_) => {
    const ping = request({ socketPath, path: '/_ping', timeout: 2000 }, (response) => {
      response.resume();
      resolve_(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve_(false));
    ping.end();
  });
}

/** Starts gantryd and waits until it answers. @throws SetupFailure with its own words when it ends instead */
async function startEngine({ socket, flags }) {
  let words = '';
  // A process group of its own: Ctrl-C reaches this program alone, which then tells the engine.
  const engine = spawn(join(ROOT, 'bin', 'gantryd'), flags, { stdio: ['ignore', 'inherit', 'pipe'], detached: true });
  engine.stderr.on('data', (chunk) => {
    words = (words + chunk).slice(-4000);
    if (engine.ready) process.stderr.write(chunk);
  });
  const until = Date.now() + PATIENCE_MS;
  while (!(await answers(socket))) {
    if (engine.exitCode !== null || Date.now() > until) {
      engine.kill('SIGKILL');
      throw new SetupFailure('The engine did not start.', 'See its words above; try: bin/gantryd', words);
    }
    await new Promise((resolve_) => setTimeout(resolve_, 25));
  }
  engine.ready = true;
  done('Engine', `unix://${socket}`);
  return engine;
}

const gantry = (host, args) => run(join(ROOT, 'bin', 'gantry'), ['-H', host, ...args]);

/** Sends an archive to the engine. @throws SetupFailure with the engine's words */
function load(socketPath, archive) {
  return new Promise((resolve_, reject) => {
    const headers = { 'content-type': 'application/x-tar' };
    const sent = request({ socketPath, method: 'POST', path: '/images/load?quiet=1', headers }, (response) => {
      let words = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        words += chunk;
      });
      response.on('end', () => {
        const isGood = response.statusCode === 200 && !words.includes('"error"');
        if (isGood) resolve_();
        else reject(new SetupFailure('The engine did not take the embedded image.', 'See its words above.', words));
      });
    });
    sent.on('error', reject);
    createReadStream(archive).on('error', reject).pipe(sent);
  });
}

/** Makes and loads the embedded image where it is missing. @throws SetupFailure */
async function loadImage(host, socket, node) {
  if ((await gantry(host, ['image', 'inspect', IMAGE])).code === 0) return done('Embedded image', IMAGE);
  const folder = mkdtempSync(join(tmpdir(), 'gantry-image-'));
  try {
    const archive = join(folder, 'image.tar');
    const made = await run(node, [join(ROOT, 'tools/images/busybox.ts'), archive, IMAGE]);
    if (made.code !== 0)
      throw new SetupFailure('The embedded image could not be made.', 'See the words above.', made.output);
    await load(socket, archive);
    done('Embedded image', `${IMAGE}, made of the distribution's busybox`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the first container, its output for all to see. @throws SetupFailure */
function firstContainer(host) {
  say(`\n$ gantry run --rm ${IMAGE}`);
  const first = spawnSync(join(ROOT, 'bin', 'gantry'), ['-H', host, 'run', '--rm', IMAGE], { stdio: 'inherit' });
  if (first.status !== 0) throw new SetupFailure('The first container did not run.', 'See the words above.');
}

function whatNext(host, engine) {
  const bin = relative(process.cwd(), join(ROOT, 'bin', 'gantry')) || 'gantry';
  say(`
Try, in another terminal:
  ${bin} run -it gantry/hello sh                 a shell in a container
  ${bin} run -d --name web -p 8080:80 nginx      a web server, from a registry
  ${bin} ps; ${bin} logs -f web; ${bin} stop web
With the Docker CLI:
  docker context create gantry --docker host=${host} && docker context use gantry
Without it:
  alias docker='${join(ROOT, 'bin', 'gantry')}'
A registry of your own, in another terminal:
  ${bin}-registry serve                        then: ${bin} registry ls
`);
  say(
    engine
      ? 'The engine runs here. Ctrl-C stops it; running containers run on.'
      : 'The engine ran already, and runs on.',
  );
}

/** Keeps the engine until it ends, or until told to end. */
function keep(engine, host) {
  return new Promise((resolve_) => {
    let told = false;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, async () => {
        if (told) return;
        told = true;
        const running = (await gantry(host, ['ps', '-q'])).output.split('\n').filter(Boolean).length;
        engine.kill('SIGTERM');
        say(
          `\nThe engine stops. ${running === 0 ? 'No container was running.' : `Running on: ${running} container(s); start it again to reach them.`}`,
        );
      });
    }
    engine.on('close', (code) => {
      if (!told) process.stderr.write('The engine ended by itself.\n');
      resolve_(told && code === 0 ? 0 : 1);
    });
  });
}

async function main(args) {
  const node = await setup();
  const where = places(args);
  const host = `unix://${where.socket}`;
  const engine = (await answers(where.socket)) ? undefined : await startEngine(where);
  try {
    await loadImage(host, where.socket, node);
    firstContainer(host);
  } catch (error) {
    engine?.kill('SIGTERM');
    throw error;
  }
  whatNext(host, engine);
  return engine ? keep(engine, host) : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
