// Owns running the `nft` program for whole rulesets (daemon start and end). Never on the path of a container's start.

import { spawn } from 'node:child_process';
import { GantryError } from '../../lib/errors.ts';

const OUTPUT_BYTES = 16 * 1024;
const TIMEOUT_MS = 10_000;

/** Applies a script as one transaction. @throws NFT_MISSING, NFT_FAILED */
export async function runNft(script: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn('nft', ['-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'], timeout: TIMEOUT_MS });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    if (output.length < OUTPUT_BYTES) output += chunk;
  });
  child.stdin.on('error', () => {}); // nft ended first; its exit code says more
  child.on('error', (cause) => {
    const hint = 'install the package nftables';
    reject(new GantryError('unavailable', 'NFT_MISSING', `cannot run nft: ${cause.message}`, { hint, cause }));
  });
  child.on('close', (code, signal) => {
    if (code === 0) return resolve();
    const text = output.trim() || `ended by ${signal ?? `exit code ${code}`}`;
    reject(new GantryError('system', 'NFT_FAILED', `cannot set up the firewall: nft: ${text}`));
  });
  child.stdin.end(script);
  await promise;
}
