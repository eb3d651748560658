// Owns `registry webhooks`.
import { CommandFailure } from '../../failure.ts';
import { registryWebhooks } from '../../grammar/registry.table.ts';
import type { Command } from '../../session.ts';
import { connect } from './connect.ts';
import { printRows } from './print.ts';

interface Webhook {
  readonly name: string;
  readonly url: string;
  readonly pending: number;
  readonly dead: number;
  readonly lastError?: string;
}

interface Letter {
  readonly id: number;
  readonly event: { readonly action: string; readonly repository: string; readonly at: string };
  readonly attempts: number;
  readonly error: string;
}

/** Lists webhooks and their dead letters; tests, retries and drops. */
export const command: Command = {
  spec: registryWebhooks,
  run: async (session, { flags, args }) => {
    const api = await connect(session, flags);
    const [name] = args;
    const [retry, drop] = [flags.text('retry'), flags.text('drop')];
    if (name === undefined) {
      if (flags.bool('test') || retry !== '' || drop !== '')
        throw new CommandFailure(1, '--test, --retry and --drop want a WEBHOOK');
      const { webhooks } = await api.call<{ webhooks: Webhook[] }>('GET', 'webhooks');
      const rows = webhooks.map((hook) => ({
        Name: hook.name,
        URL: hook.url,
        Pending: String(hook.pending),
        Dead: String(hook.dead),
        LastError: hook.lastError ?? '',
      }));
      printRows(session, flags, ['Name', 'URL', 'Pending', 'Dead', 'LastError'], rows);
      return 0;
    }
    const base = `webhooks/${encodeURIComponent(name)}`;
    if (flags.bool('test')) {
      const { isDelivered, error } = await api.call<{ isDelivered: boolean; error?: string }>('POST', `${base}/test`);
      session.line(isDelivered ? 'delivered' : `not delivered: ${error}`);
      return isDelivered ? 0 : 1;
    }
    if (retry !== '') await api.call('POST', `${base}/dead/${encodeURIComponent(retry)}/retry`);
    if (drop !== '') await api.call('DELETE', `${base}/dead/${encodeURIComponent(drop)}`);
    if (retry !== '' || drop !== '') return 0;
    const { dead } = await api.call<{ dead: Letter[] }>('GET', `${base}/dead`);
    const rows = dead.map(({ id, event, attempts, error }) => ({
      ID: String(id),
      Event: `${event.action} ${event.repository}`,
      At: event.at,
      Attempts: String(attempts),
      Error: error,
    }));
    printRows(session, flags, ['ID', 'Event', 'At', 'Attempts', 'Error'], rows);
    return 0;
  },
};
