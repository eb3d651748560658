// Owns the rows of a container's configuration in create bodies.

import type { ContainerCreateRequest, HealthConfig } from '../../../src/spec/docker/types.gen.ts';
import { body, cli, file, honoured, ignored, type Rows } from './types.ts';

const PROCESS = body(
  'identity',
  'the command, its streams, its first process and its words about itself are those of the body',
);
const KEPT = body('modes', 'annotations, sizes and files of clients are kept');
const VARIABLES = body('identity', 'variables come as they were given, and HOME where there is none or an empty one');
const PORTS = body('networks', 'ports make sense');
const HEALTH = body('identity', 'a health check makes sense');
const PROBES = file(
  'test/engine/sharing.test.ts',
  'health goes from starting over unhealthy to healthy, and probes leave nothing behind',
);
const START_PERIOD = file(
  'src/engine/health/health.test.ts',
  'failures in the start period do not count; the first success ends it',
);
const OF_CLIENTS = 'kept and shown; which streams a client gets is said by its attach request';

export const CONTAINER: Rows<ContainerCreateRequest> = {
  Hostname: honoured(
    body('modes', 'the host’s name is not changed by a container that shares it'),
    cli('run', 'host name and hosts file'),
    file(
      'src/engine/containers/plan/refusals.test.ts',
      'no value adds a line to a container’s hosts, hostname or resolv.conf',
    ),
  ),
  Domainname: honoured(PROCESS, cli('run', 'host name and hosts file')),
  User: honoured(VARIABLES, cli('run', 'the user is resolved in the image')),
  AttachStdin: ignored(OF_CLIENTS, PROCESS),
  AttachStdout: ignored(OF_CLIENTS, PROCESS),
  AttachStderr: ignored(OF_CLIENTS, PROCESS),
  ExposedPorts: honoured(PORTS),
  Tty: honoured(PROCESS, cli('run', 'a terminal is one')),
  OpenStdin: honoured(PROCESS, cli('run', 'standard input reaches the process, bytes and end')),
  StdinOnce: honoured(PROCESS, cli('run', 'standard input reaches the process, bytes and end')),
  Env: honoured(VARIABLES, body('identity', 'a variable without a name is refused')),
  Cmd: honoured(PROCESS),
  Healthcheck: honoured(HEALTH, PROBES),
  ArgsEscaped: ignored('kept and shown; Windows reads it', KEPT),
  Image: honoured(PROCESS),
  Volumes: honoured(
    body('mounts', 'two mounts at one place are refused'),
    file(
      'test/engine/volumes.test.ts',
      '--rm takes anonymous volumes along, named ones stay; one that is in use cannot go',
    ),
  ),
  WorkingDir: honoured(body('identity', 'the working directory is absolute and in its plain form')),
  Entrypoint: honoured(PROCESS, cli('run', 'the entry point is replaced and emptied')),
  NetworkDisabled: honoured(PORTS),
  MacAddress: honoured(body('networks', 'addresses, aliases and MAC addresses of endpoints are checked')),
  OnBuild: ignored('kept and shown; builds read it', KEPT),
  Labels: honoured(PROCESS),
  StopSignal: honoured(KEPT, cli('life', 'a stop signal of its own')),
  StopTimeout: honoured(KEPT, cli('life', 'a stop signal of its own')),
  Shell: honoured(KEPT, file('src/engine/health/health.test.ts', 'the three forms of a check, and its defaults')),
  HostConfig: honoured(body('limits', 'a memory limit that can never work is refused, not dropped')),
  NetworkingConfig: honoured(body('networks', 'a MAC address is given, in each of its spellings')),
};

export const HEALTH_CHECK: Rows<HealthConfig> = {
  Test: honoured(HEALTH, PROBES),
  Interval: honoured(HEALTH, PROBES),
  Timeout: honoured(HEALTH, file('src/engine/health/health.test.ts', 'the three forms of a check, and its defaults')),
  Retries: honoured(HEALTH, START_PERIOD),
  StartPeriod: honoured(HEALTH, START_PERIOD),
  StartInterval: honoured(
    HEALTH,
    file('src/engine/health/health.test.ts', 'the three forms of a check, and its defaults'),
  ),
};
