// Owns what run and create share: the create call, pulling a missing image first, the cidfile, and warnings.

import { closeSync, existsSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { isApiError } from '../../../client/index.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { ContainerCreateRequest } from '../../../spec/docker/types.gen.ts';
import { platformText } from '../../../spec/platform.ts';
import { familiarReference, parseReference, withDefaultTag } from '../../../spec/reference.ts';
import { refuseContentTrust } from '../../content-trust.ts';
import { failureText, hintOf } from '../../explain.ts';
import { CommandFailure } from '../../failure.ts';
import { PROGRAM } from '../../grammar/usage.ts';
import { PLATFORM_FORM } from '../../hints.table.ts';
import { readPlatform } from '../../platform.ts';
import { showProgress } from '../../render/progress.ts';
import { createBody } from '../../run-options/body.ts';
import type { Invocation, Session } from '../../session.ts';
import { systemReason } from '../../system-reason.ts';
import { terminalSize } from '../../terminal/resize.ts';
import { startPull } from '../image/start-pull.ts';

const BARE_ID = /^(sha256:)?[a-f0-9]{64}$/;
const LOCALHOST = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/;

/** Flags of a daemon on Windows. */
const WINDOWS_FLAGS = ['cpu-count', 'cpu-percent', 'io-maxbandwidth', 'io-maxiops'];

/** The body that the command line asks for. @throws CommandFailure (125) in Docker's words */
export function readCreateBody(session: Session, invocation: Invocation): ContainerCreateRequest {
  const { flags, args, path } = invocation;
  refuseWindowsFlags(invocation);
  refuseContentTrust(session, flags);
  try {
    const pull = flags.text('pull');
    if (!['always', 'missing', 'never', ''].includes(pull)) {
      throw new Error(`invalid pull option: '${pull}': must be one of "always", "missing" or "never"`);
    }
    return createBody(flags, {
      image: args[0] ?? '',
      args: args.slice(1),
      env: session.env,
      cwd: session.cwd,
      config: session.config(),
      host: session.chosenHost().host,
    });
  } catch (error) {
    throw new CommandFailure(125, withHelp(messageOf(error), path), hintOf(error));
  }
}

function refuseWindowsFlags({ flags }: Invocation): void {
  const complaints = WINDOWS_FLAGS.filter((name) => flags.changed(name)).map(
    (name) =>
      `"--${name}" is only supported on a Docker daemon running on windows, but the Docker daemon is running on linux`,
  );
  if (complaints.length > 0) throw new CommandFailure(1, complaints.join('\n'));
}

/** A failure as run and create report it. */
function withHelp(text: string, path: string): string {
  return `${PROGRAM}: ${text}\n\nRun '${PROGRAM} ${path.split(' ').at(-1)} --help' for more information`;
}

/** Creates the container, pulling its image as `--pull` says; resolves with the id. */
export async function createContainer(
  session: Session,
  invocation: Invocation,
  body: ContainerCreateRequest,
): Promise<string> {
  const { flags } = invocation;
  using cidFile = openCidFile(flags.text('cidfile'));
  const image = body.Image ?? '';
  const name = BARE_ID.test(image) ? undefined : familiarReference(withDefaultTag(parseReference(image)));
  const options = { name: flags.text('name'), platform: platformOf(flags.text('platform')) };
  const create = () => session.client().containers.create(withConsoleSize(session, body), options);
  const pull = async (): Promise<void> => {
    const messages = await startPull(session, image, flags.text('platform'));
    await showProgress(messages, { output: flags.bool('quiet') ? undefined : session.stdio.stderr });
  };
  if (flags.text('pull') === 'always') await pull();
  let answer: Awaited<ReturnType<typeof create>>;
  try {
    answer = await create();
  } catch (error) {
    if (!isApiError(error, 404) || name === undefined || flags.text('pull') !== 'missing') throw error;
    if (!flags.bool('quiet')) session.warn(`Unable to find image '${name}' locally`);
    await pull();
    answer = await create();
  }
  for (const warning of answer.Warnings ?? []) session.warn(`WARNING: ${warning}`);
  warnOfDanger(session, body);
  cidFile.write(answer.Id);
  return answer.Id;
}

function withConsoleSize(session: Session, body: ContainerCreateRequest): ContainerCreateRequest {
  const size = terminalSize(session.stdio.stdout);
  return { ...body, HostConfig: { ...body.HostConfig, ConsoleSize: [size?.rows ?? 0, size?.columns ?? 0] } };
}

function platformOf(text: string): string {
  try {
    return text === '' ? '' : platformText(readPlatform(text));
  } catch (error) {
    throw new CommandFailure(1, `error parsing specified platform: ${messageOf(error)}`, PLATFORM_FORM);
  }
}

function warnOfDanger(session: Session, body: ContainerCreateRequest): void {
  const local = body.HostConfig?.Dns?.find((address) => LOCALHOST.test(address));
  if (local !== undefined) session.warn(`WARNING: Localhost DNS (${local}) may fail in containers.`);
}

interface CidFile extends Disposable {
  write(id: string): void;
}

/** Opens the file before the create, so that a clash is known early; an unused file is removed again. */
function openCidFile(path: string): CidFile {
  if (path === '') return { write: () => {}, [Symbol.dispose]: () => {} };
  if (existsSync(path)) {
    throw new CommandFailure(
      1,
      `container ID file found, make sure the other container isn't running or delete ${path}`,
      'remove the file, or name another one',
    );
  }
  const fd = openNew(path);
  let written = false;
  return {
    write: (id) => {
      writeSync(fd, id);
      written = true;
    },
    [Symbol.dispose]: () => {
      closeSync(fd);
      if (!written) unlinkSync(path);
    },
  };
}

function openNew(path: string): number {
  try {
    return openSync(path, 'wx', 0o644);
  } catch (error) {
    throw new CommandFailure(1, `failed to create the container ID file: open ${path}: ${systemReason(error)}`);
  }
}

const NOT_FOUND_TEXTS = [
  'executable file not found',
  'no such file or directory',
  'system cannot find the file specified',
];
const NOT_EXECUTABLE_TEXTS = ['permission denied', 'is a directory'];

/**
 * A failed create or start as run reports it: 127 and 126 come from the daemon's words, anything else is 125.
 * @source docker 28.2.2 toStatusError
 */
export function runFailure(error: unknown, path: string): CommandFailure {
  const text = messageOf(error);
  const says = (words: readonly string[]): boolean => words.some((word) => text.includes(word));
  const exitCode = says(NOT_FOUND_TEXTS) ? 127 : says(NOT_EXECUTABLE_TEXTS) ? 126 : 125;
  return new CommandFailure(exitCode, withHelp(failureText(error), path), hintOf(error));
}
