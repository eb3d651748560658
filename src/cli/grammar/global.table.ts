// Owns the options before the command, as data. @source docker 28.2.2, but for --trace
import type { FlagSpec } from './types.ts';

/** Options that come before the command. */
export const globalOptions: readonly FlagSpec[] = [
  { name: 'config', type: 'string', initial: '~/.docker', about: "Folder of the client's configuration" },
  { name: 'context', short: 'c', type: 'string', about: 'Context to connect with (beats GANTRY_HOST and DOCKER_HOST)' },
  { name: 'debug', short: 'D', type: 'bool', about: 'Print more about what happens' },
  { name: 'host', short: 'H', type: 'list', about: 'Daemon socket to connect to' },
  {
    name: 'log-level',
    short: 'l',
    type: 'string',
    initial: 'info',
    about: 'Level of messages ("debug", "info", "warn", "error", "fatal")',
  },
  { name: 'tls', type: 'bool', about: 'Use TLS; --tlsverify implies it' },
  {
    name: 'tlscacert',
    type: 'string',
    initial: '~/.docker/ca.pem',
    about: 'Trust certificates signed by this CA only',
  },
  { name: 'tlscert', type: 'string', initial: '~/.docker/cert.pem', about: 'TLS certificate file' },
  { name: 'tlskey', type: 'string', initial: '~/.docker/key.pem', about: 'TLS key file' },
  { name: 'tlsverify', type: 'bool', about: 'Use TLS and verify the daemon' },
  { name: 'trace', type: 'bool', about: 'Print where the time went, here and in the daemon' },
  { name: 'version', short: 'v', type: 'bool', about: 'Print the version and quit' },
];
