// Owns the hand-over of the process to the command line. Decides nothing.

import '../src/cli/entry.ts';
