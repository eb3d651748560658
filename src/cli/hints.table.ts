// Owns what to do next about failures whose next step is known, as data: by the code of an error, and by the option that was misread.
// An error that has a hint of its own needs no row.
import type { ErrorCode } from '../lib/errors.ts';
import type { FlagType } from './grammar/types.ts';

const ADD_HOST_FORM = 'write HOST:IP, e.g. db:10.0.0.2 or me:host-gateway';
const ENVIRONMENT_FORM = 'write NAME=value, or a NAME alone to pass on its value';
const SPACE_STEP = 'see what takes space with "gantry system df"; "gantry system prune" frees some';
const PLATFORM_STEP = 'name another --platform, or an image for this one';
export const TIME_FORM = 'write a time (2013-01-02T13:23:37Z), seconds since 1970, or a duration (10m)';
export const RESTART_FORM = 'use no, always, unless-stopped or on-failure[:COUNT]';
export const PORT_FORM = 'write [IP:][HOST_PORT:]PORT[/PROTOCOL]';
export const PLATFORM_FORM = 'write OS/ARCH[/VARIANT], e.g. linux/arm64';

/** The next step after an error with this code, ours or the daemon's. */
export const HINT_OF_CODE: { readonly [Code in ErrorCode]?: string } = {
  // Names.
  NO_SUCH_CONTAINER: 'list every container with "gantry ps -a"',
  NO_SUCH_IMAGE: 'list the images with "gantry images", or fetch it with "gantry pull"',
  NO_SUCH_VOLUME: 'list the volumes with "gantry volume ls"',
  NETWORK_NOT_FOUND: 'list the networks with "gantry network ls"',
  CONTAINER_NAME_TAKEN: 'remove the other with "gantry rm -f NAME", or choose another --name',
  AMBIGUOUS_ID: 'give more characters of the ID',
  NETWORK_AMBIGUOUS: 'give more characters of the ID',
  INVALID_REFERENCE: 'write a name as [HOST[:PORT]/]NAME[:TAG][@DIGEST], in lower case',
  INVALID_CONTAINER_NAME: 'use letters, digits, "_", "." and "-", at least two characters',
  // States.
  CONTAINER_NOT_RUNNING: 'start it with "gantry start CONTAINER"',
  CONTAINER_PAUSED: 'let it go on with "gantry unpause CONTAINER"',
  CONTAINER_STILL_RUNNING: 'stop and remove it at once with "gantry rm -f CONTAINER"',
  VOLUME_IN_USE: 'see who uses it with "gantry ps -a --filter volume=NAME"',
  IMAGE_IN_USE: 'see which containers use it with "gantry ps -a --filter ancestor=IMAGE"',
  PORT_TAKEN: 'see who publishes the port with "gantry ps" or "ss -lntup", or publish another',
  LOG_NOT_READABLE: 'run the container with --log-driver json-file to keep its logs',
  NO_SPACE: SPACE_STEP,
  DISK_FULL: SPACE_STEP,
  // Processes.
  UNKNOWN_RUNTIME: 'see which runtimes there are with "gantry info"',
  UNKNOWN_LOG_DRIVER: 'see which log drivers there are with "gantry info"',
  WRONG_PLATFORM: PLATFORM_STEP,
  WRONG_OS: PLATFORM_STEP,
  NO_MATCHING_IMAGE: PLATFORM_STEP,
  INVALID_SIGNAL: 'list the names of signals with "kill -l"',
  // Options.
  BIND_SOURCE_MISSING: 'create it first, or use -v, which creates a missing folder',
  BAD_MOMENT: TIME_FORM,
  RESTART_POLICY: RESTART_FORM,
  RESTART_COUNT: RESTART_FORM,
  INVALID_PORT: PORT_FORM,
  ENVIRONMENT: ENVIRONMENT_FORM,
  INVALID_FILTER: 'leave it out, or see the filters with --help',
  EXTRA_HOST: ADD_HOST_FORM,
  INVALID_PLATFORM: PLATFORM_FORM,
  WORKING_DIR: 'begin the path of -w with a slash',
};

/** The form of an option's value, by the kind of its value. */
export const HINT_OF_TYPE: { readonly [Type in FlagType]?: string } = {
  bytes: 'write a number with b, k, m or g, e.g. 512m',
  duration: 'write a number with its unit, e.g. 30s or 1m30s',
  filter: 'write --filter KEY=VALUE',
  ulimit: 'write NAME=SOFT[:HARD], e.g. nofile=1024:2048',
};

/** The form of an option's value, by its name. */
export const HINT_OF_FLAG: Readonly<Record<string, string>> = {
  'add-host': ADD_HOST_FORM,
  env: ENVIRONMENT_FORM,
};
