// Owns `login`.
import { text } from 'node:stream/consumers';
import {
  eraseCredentials,
  findCredentials,
  type RegistryCredentials,
  storeCredentials,
} from '../../config/credentials.ts';
import { ask, askSecret } from '../../confirm.ts';
import { failureText } from '../../explain.ts';
import { CommandFailure } from '../../failure.ts';
import type { Flags } from '../../grammar/flags.ts';
import { login } from '../../grammar/system.table.ts';
import type { Command, Session } from '../../session.ts';
import { serverOf } from './login-server.ts';

/** Checks credentials through the daemon and keeps them. */
export const command: Command = {
  spec: login,
  run: async (session, { flags, args }) => {
    const server = serverOf(args[0]);
    const given = await readGiven(session, flags);
    const stored =
      given.username === '' && given.password === '' ? await findCredentials(session.config(), server) : {};
    if (stored.username || stored.identitytoken) {
      const answer = await tryLogin(session, stored, server).catch((error: unknown) => {
        session.warn(`Stored credentials invalid or expired: ${failureText(error)}`);
        return undefined;
      });
      if (answer !== undefined) {
        session.line(answer.Status || 'Login Succeeded');
        return 0;
      }
    }
    return loginWith(session, server, await askMissing(session, server, given));
  },
};

interface Given {
  readonly username: string;
  readonly password: string;
}

async function readGiven(session: Session, flags: Flags): Promise<Given> {
  const username = flags.text('username').trim();
  if (flags.changed('username') && username === '') throw new CommandFailure(1, 'username is empty');
  if (flags.text('password') !== '') {
    if (flags.bool('password-stdin')) {
      throw new CommandFailure(1, 'conflicting options: cannot specify both --password and --password-stdin');
    }
    session.warn('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
    return { username, password: flags.text('password') };
  }
  if (!flags.bool('password-stdin')) return { username, password: '' };
  if (username === '')
    throw new CommandFailure(1, 'the --password-stdin option requires --username to be set', 'add --username NAME');
  return { username, password: (await text(session.stdio.stdin)).replace(/\r?\n$/, '') };
}

async function askMissing(session: Session, server: string, given: Given): Promise<Given> {
  if (given.username !== '' && given.password !== '') return given;
  if (session.stdio.stdin.isTTY !== true) {
    const message = 'Error: Cannot perform an interactive login from a non TTY device';
    throw new CommandFailure(1, message, 'give --username and --password-stdin');
  }
  const username = given.username || (await ask(session, `Username: `)).trim();
  if (username === '') throw new CommandFailure(1, 'Error: Non-null Username Required');
  const password = given.password || (await askSecret(session, `Password for ${server}: `));
  if (password === '') throw new CommandFailure(1, 'Error: Password Required');
  return { username, password };
}

function tryLogin(session: Session, credentials: RegistryCredentials, server: string) {
  return session.client().system.login({ ...credentials, serveraddress: server });
}

async function loginWith(session: Session, server: string, given: Given): Promise<number> {
  const answer = await tryLogin(session, given, server);
  const token = answer.IdentityToken;
  await eraseCredentials(session.config(), server);
  const kept = await storeCredentials(
    session.config(),
    server,
    token ? { username: given.username, identitytoken: token } : { username: given.username, password: given.password },
  );
  if (kept === 'file') {
    session.warn(
      `\nWARNING! Your credentials are stored unencrypted in '${session.config().path}'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n`,
    );
  }
  session.line(answer.Status || 'Login Succeeded');
  return 0;
}
