// Owns starting the command line in a process: real streams, and a quiet end when the reader of a pipe is gone.

import { main } from './main.ts';

const SIGPIPE_EXIT = 141;

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? SIGPIPE_EXIT : 1);
  });
}

// No await at the top: bundles are CommonJS.
main(process.argv.slice(2), process.env, process).then((code) => {
  process.exitCode = code;
});
