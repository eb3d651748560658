// Owns the hand-over of the process to the registry: argv, environment and stdio in, the exit code out. Decides nothing.

import { main } from '../src/registry/main.ts';

main(process.argv.slice(2), process.env, process).then((code) => process.exit(code));
