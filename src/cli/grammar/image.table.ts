// Owns the grammar of the image commands, as data. @source docker 28.2.2
import type { CommandSpec } from './types.ts';

/** `image import`. */
export const imageImport: CommandSpec = {
  path: 'image import',
  aliases: ['import'],
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  about: 'Make an image of a file system tar',
  minArgs: 1,
  flags: [
    { name: 'change', short: 'c', type: 'list', about: 'Apply a Dockerfile instruction to the image' },
    { name: 'message', short: 'm', type: 'string', about: 'Message kept with the image' },
    { name: 'platform', type: 'string', about: 'Platform to use, when there are several (e.g., linux/arm64)' },
  ],
};

/** `image inspect`. */
export const imageInspect: CommandSpec = {
  path: 'image inspect',
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  about: 'Show everything about images',
  minArgs: 1,
  flags: [
    {
      name: 'format',
      short: 'f',
      type: 'string',
      about: 'Print with a Go template, or "json", "table", "table TEMPLATE"',
    },
    { name: 'platform', type: 'string', about: 'Inspect the image of this platform' },
  ],
};

/** `image load`. */
export const imageLoad: CommandSpec = {
  path: 'image load',
  aliases: ['load'],
  usage: '[OPTIONS]',
  about: 'Load images from a tar',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'input', short: 'i', type: 'string', about: 'Read from this tar file instead of STDIN' },
    { name: 'platform', type: 'string', about: 'Platform to use, when there are several (e.g., linux/arm64)' },
    { name: 'quiet', short: 'q', type: 'bool', about: 'Print no progress' },
  ],
};

/** `image ls`. */
export const imageLs: CommandSpec = {
  path: 'image ls',
  aliases: ['image list', 'images'],
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  about: 'List images',
  minArgs: 0,
  maxArgs: 1,
  flags: [
    { name: 'all', short: 'a', type: 'bool', about: 'Show intermediate images too' },
    { name: 'digests', type: 'bool', about: 'Show digests' },
    { name: 'filter', short: 'f', type: 'filter', about: 'Show only what matches (e.g., "name=web")' },
    { name: 'format', type: 'string', about: 'Print with a Go template, or "json", "table", "table TEMPLATE"' },
    { name: 'no-trunc', type: 'bool', about: 'Print values in full' },
    { name: 'quiet', short: 'q', type: 'bool', about: 'Print image IDs only' },
  ],
};

/** `image prune`. */
export const imagePrune: CommandSpec = {
  path: 'image prune',
  usage: '[OPTIONS]',
  about: 'Remove unused images',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'all', short: 'a', type: 'bool', about: 'Remove every unused image, not only dangling ones' },
    { name: 'filter', type: 'filter', about: 'Remove only what matches (e.g., "until=24h")' },
    { name: 'force', short: 'f', type: 'bool', about: 'Do not ask' },
  ],
};

/** `image pull`. */
export const imagePull: CommandSpec = {
  path: 'image pull',
  aliases: ['pull'],
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  about: 'Fetch an image from a registry',
  minArgs: 1,
  maxArgs: 1,
  flags: [
    { name: 'all-tags', short: 'a', type: 'bool', about: 'Take every tag of the repository' },
    { name: 'disable-content-trust', type: 'bool', initial: true, about: 'Skip image verification' },
    { name: 'platform', type: 'string', about: 'Platform to use, when there are several (e.g., linux/arm64)' },
    { name: 'quiet', short: 'q', type: 'bool', about: 'Print the image name only' },
  ],
};

/** `image rm`. */
export const imageRm: CommandSpec = {
  path: 'image rm',
  aliases: ['image remove', 'rmi'],
  quietAliases: ['image rmi'],
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  about: 'Remove images',
  minArgs: 1,
  flags: [
    { name: 'force', short: 'f', type: 'bool', about: 'Remove the image even when several names hold it' },
    { name: 'no-prune', type: 'bool', about: 'Keep untagged parents' },
    { name: 'platform', type: 'strings', about: 'Platform to use, when there are several (e.g., linux/arm64)' },
  ],
};

/** `image tag`. */
export const imageTag: CommandSpec = {
  path: 'image tag',
  aliases: ['tag'],
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  about: 'Give an image another name',
  minArgs: 2,
  maxArgs: 2,
  interspersed: false,
  flags: [],
};

/** `image history`. */
export const imageHistory: CommandSpec = {
  path: 'image history',
  aliases: ['history'],
  usage: '[OPTIONS] IMAGE',
  about: 'Show the history of an image',
  minArgs: 1,
  maxArgs: 1,
  flags: [
    { name: 'format', type: 'string', about: 'Print with a Go template, or "json", "table", "table TEMPLATE"' },
    { name: 'human', short: 'H', type: 'bool', initial: true, about: 'Print sizes and times for people' },
    { name: 'no-trunc', type: 'bool', about: 'Print values in full' },
    { name: 'platform', type: 'string', about: 'Show the history of the image of this platform' },
    { name: 'quiet', short: 'q', type: 'bool', about: 'Print image IDs only' },
  ],
};

/** `image save`. */
export const imageSave: CommandSpec = {
  path: 'image save',
  aliases: ['save'],
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  about: 'Save images as a tar',
  minArgs: 1,
  flags: [
    { name: 'output', short: 'o', type: 'string', about: 'Write into this file instead of STDOUT' },
    { name: 'platform', type: 'string', about: 'Save the image of this platform only' },
  ],
};

/** `search`. */
export const search: CommandSpec = {
  path: 'search',
  usage: '[OPTIONS] TERM',
  about: 'Search a registry for images',
  minArgs: 1,
  maxArgs: 1,
  flags: [
    { name: 'filter', short: 'f', type: 'filter', about: 'Show only what matches (e.g., "is-official=true")' },
    { name: 'format', type: 'string', about: 'Print with a Go template, or "json", "table", "table TEMPLATE"' },
    { name: 'limit', type: 'int', about: 'Show at most so many' },
    { name: 'no-trunc', type: 'bool', about: 'Print values in full' },
  ],
};
