// Owns the grammar of the registry commands, as data. They are Gantry's own: Docker has none.
import type { CommandSpec, FlagSpec } from './types.ts';

const WHERE: readonly FlagSpec[] = [
  { name: 'registry', type: 'string', about: 'Registry to speak to (default $GANTRY_REGISTRY, else 127.0.0.1:5000)' },
  { name: 'ca', type: 'string', about: 'Trust certificates that this one (PEM) vouches for' },
  { name: 'insecure', type: 'bool', about: 'Verify no certificate, and speak plain HTTP where there is none' },
];
const FORMAT: FlagSpec = {
  name: 'format',
  type: 'string',
  about: 'Print with a Go template, or "json", "table", "table TEMPLATE"',
};
const FORCE: FlagSpec = { name: 'force', short: 'f', type: 'bool', about: 'Do not ask' };

/** `registry ls`. */
export const registryLs: CommandSpec = {
  path: 'registry ls',
  aliases: ['registry repositories', 'registry list'],
  usage: '[OPTIONS]',
  about: 'List repositories',
  minArgs: 0,
  maxArgs: 0,
  flags: [...WHERE, FORMAT],
};

/** `registry tags`. */
export const registryTags: CommandSpec = {
  path: 'registry tags',
  usage: '[OPTIONS] REPOSITORY',
  about: "List a repository's tags",
  minArgs: 1,
  maxArgs: 1,
  flags: [...WHERE, FORMAT],
};

/** `registry inspect`. */
export const registryInspect: CommandSpec = {
  path: 'registry inspect',
  usage: '[OPTIONS] REPOSITORY[:TAG|@DIGEST]',
  about: 'Show everything about a manifest',
  minArgs: 1,
  maxArgs: 1,
  flags: WHERE,
};

/** `registry history`. */
export const registryHistory: CommandSpec = {
  path: 'registry history',
  usage: '[OPTIONS] REPOSITORY[:TAG]',
  about: 'Show what a tag pointed to, since when, pushed by whom',
  minArgs: 1,
  maxArgs: 1,
  flags: [...WHERE, FORMAT],
};

/** `registry rm`. */
export const registryRm: CommandSpec = {
  path: 'registry rm',
  aliases: ['registry remove'],
  usage: '[OPTIONS] REPOSITORY[:TAG|@DIGEST] [REPOSITORY[:TAG|@DIGEST]...]',
  about: 'Remove tags, manifests, or whole repositories',
  minArgs: 1,
  flags: [
    ...WHERE,
    { name: 'all', type: 'bool', about: 'Remove whole repositories, where no tag and no digest is named' },
    { name: 'force', short: 'f', type: 'bool', about: 'Do not ask; remove also what a tagged index needs' },
  ],
};

/** `registry search`. */
export const registrySearch: CommandSpec = {
  path: 'registry search',
  usage: '[OPTIONS] QUERY...',
  about: 'Find tags (words, repo:, tag:, label:, platform:, digest:, size:, age:)',
  minArgs: 1,
  flags: [...WHERE, FORMAT, { name: 'limit', type: 'int', initial: 25, about: 'Print at most so many' }],
};

/** `registry retention`. */
export const registryRetention: CommandSpec = {
  path: 'registry retention',
  usage: '[OPTIONS]',
  about: 'Show what the retention rules would remove, or remove it',
  minArgs: 0,
  maxArgs: 0,
  flags: [...WHERE, FORMAT, { name: 'apply', type: 'bool', about: 'Remove it' }, FORCE],
};

/** `registry gc`. */
export const registryGc: CommandSpec = {
  path: 'registry gc',
  usage: '[OPTIONS]',
  about: 'Collect garbage now; pushes and pulls go on',
  minArgs: 0,
  maxArgs: 0,
  flags: WHERE,
};

/** `registry check`. */
export const registryCheck: CommandSpec = {
  path: 'registry check',
  usage: '[OPTIONS]',
  about: 'Compare content and records; pushes and pulls go on',
  minArgs: 0,
  maxArgs: 0,
  flags: [...WHERE, { name: 'repair', type: 'bool', about: 'Mend what can be, remove what is damaged' }],
};

/** `registry users`. */
export const registryUsers: CommandSpec = {
  path: 'registry users',
  usage: '[OPTIONS]',
  about: 'List users, add one (its password is read from standard input) or remove one',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    ...WHERE,
    { name: 'add', type: 'string', about: 'Add this user, or change its password' },
    { name: 'rm', type: 'string', about: 'Remove this user' },
  ],
};

/** `registry robots`. */
export const registryRobots: CommandSpec = {
  path: 'registry robots',
  usage: '[OPTIONS]',
  about: 'List robot accounts, add one (its secret is printed once) or remove one',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    ...WHERE,
    FORMAT,
    { name: 'add', type: 'string', about: 'Add a robot of this name' },
    { name: 'rm', type: 'string', about: 'Remove this robot' },
    { name: 'repository', type: 'list', about: 'With --add: repositories that it may use (globs)' },
    { name: 'action', type: 'list', about: 'With --add: what it may do there (pull, push, delete)' },
    { name: 'expires', type: 'string', about: 'With --add: when it ends (RFC 3339)' },
  ],
};

/** `registry webhooks`. */
export const registryWebhooks: CommandSpec = {
  path: 'registry webhooks',
  usage: '[OPTIONS] [WEBHOOK]',
  about: "List webhooks, or one's dead letters",
  minArgs: 0,
  maxArgs: 1,
  flags: [
    ...WHERE,
    FORMAT,
    { name: 'test', type: 'bool', about: 'Send WEBHOOK a test event' },
    { name: 'retry', type: 'string', about: 'Send a dead letter of WEBHOOK again' },
    { name: 'drop', type: 'string', about: 'Forget a dead letter of WEBHOOK' },
  ],
};
