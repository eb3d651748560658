// Owns how the tools speak to a person: steps with progress, and the failures that end them in one sentence. Runs on Node 18.

import { spawn } from 'node:child_process';

/** A failure that the user can act on: `message` says exactly what is missing, `advice` what to do. */
export class SetupFailure extends Error {
  constructor(message, advice, detail = '') {
    super(message);
    this.advice = advice;
    this.detail = detail;
  }
}

const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code, text) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);

export const say = (text) => process.stdout.write(`${text}\n`);
export const done = (text, note = '') => say(`${paint(32, '✓')} ${text}${note ? paint(2, ` (${note})`) : ''}`);
export const busy = (text) => say(`${paint(33, '…')} ${text}`);

/** Prints a failure as `✗ what is wrong` and `what to do`; anything else with its stack, because it is a bug of ours. */
export function complain(error) {
  if (!(error instanceof SetupFailure)) {
    process.stderr.write(`${error?.stack ?? error}\n`);
    return;
  }
  if (error.detail) process.stderr.write(`${error.detail.trimEnd()}\n`);
  process.stderr.write(`${paint(31, '✗')} ${error.message}\n  ${error.advice}\n`);
}

/** Runs a command to its end; answers `{code, output}` with its last 8 KiB of stdout and stderr together. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const take = (chunk) => {
      output = (output + chunk).slice(-8192);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => resolve({ code: 127, output: String(error.message) }));
    child.on('close', (code, signal) => resolve({ code: code ?? `signal ${signal}`, output }));
  });
}
