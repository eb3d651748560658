// Owns the container capability's expected failures, in the words that Docker's clients search for.

import { type ErrorCode, GantryError } from '../../lib/errors.ts';

/** @source dockerd 28.5: GET /containers/x/json */
export const noSuchContainer = (ref: string): GantryError =>
  new GantryError('notFound', 'NO_SUCH_CONTAINER', `No such container: ${ref}`, { params: { ref } });

export const ambiguousId = (ref: string): GantryError =>
  new GantryError('invalid', 'AMBIGUOUS_ID', `multiple IDs found with provided prefix: ${ref}`, { params: { ref } });

export const nameTaken = (name: string, id: string): GantryError =>
  new GantryError(
    'conflict',
    'CONTAINER_NAME_TAKEN',
    `Conflict. The container name "/${name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    { params: { name, id } },
  );

export const invalidName = (name: string): GantryError =>
  new GantryError(
    'invalid',
    'INVALID_CONTAINER_NAME',
    `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    { params: { name } },
  );

export const notRunning = (id: string): GantryError =>
  new GantryError('conflict', 'CONTAINER_NOT_RUNNING', `container ${id} is not running`, { params: { id } });

export const isPaused = (id: string): GantryError =>
  new GantryError('conflict', 'CONTAINER_PAUSED', `container ${id} is paused, unpause the container first`, {
    params: { id },
  });

export const isRestarting = (id: string): GantryError =>
  new GantryError(
    'conflict',
    'CONTAINER_RESTARTING',
    `Container ${id} is restarting, wait until the container is running`,
    {
      params: { id },
    },
  );

export const beingRemoved = (id: string): GantryError =>
  new GantryError('conflict', 'CONTAINER_BEING_REMOVED', `container is marked for removal and cannot be started`, {
    params: { id },
  });

/** @source dockerd 28.5: start with --network container:X */
export const joinedNetworkNotRunning = (name: string, phase: string): GantryError =>
  phase === 'restarting'
    ? isRestarting(name)
    : new GantryError(
        'conflict',
        'JOINED_CONTAINER_NOT_RUNNING',
        `cannot join network namespace of a non running container: container ${name} is ${phase}`,
        { params: { name } },
      );

/** @source dockerd 28.5: start with --pid or --ipc container:X */
export const joinedNotRunning = (what: 'PID' | 'IPC', id: string): GantryError =>
  new GantryError(
    'conflict',
    'JOINED_CONTAINER_NOT_RUNNING',
    `failed to join ${what} namespace: container ${id} is not running`,
    { params: { id } },
  );

/** @source dockerd 28.5 */
export const notShareable = (id: string): GantryError =>
  new GantryError(
    'invalid',
    'IPC_NOT_SHAREABLE',
    `failed to join IPC namespace: container ${id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    { params: { id } },
  );

/** A request that can never work as written. */
export const invalid = (code: ErrorCode, message: string): GantryError => new GantryError('invalid', code, message);

/** What dockerd finds out too late to call it the client's fault: it answers 500, and so do we. */
export const failure = (code: ErrorCode, message: string, hint?: string): GantryError =>
  new GantryError('system', code, message, { hint });

/** What Docker has and this engine does not have yet. `what` is the subject of the sentence, in the plural or with an article. */
export const notYet = (code: ErrorCode, what: string): GantryError =>
  new GantryError('notImplemented', code, `not supported by this engine yet: ${what}`);
