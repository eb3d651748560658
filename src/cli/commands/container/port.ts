// Owns `port`.
import { messageOf } from '../../../lib/errors.ts';
import type { PortBinding } from '../../../spec/docker/types.gen.ts';
import { CommandFailure } from '../../failure.ts';
import { containerPort } from '../../grammar/container.table.ts';
import { parseGoUint } from '../../grammar/go-text.ts';
import { naturalCompare } from '../../render/natural-order.ts';
import type { Command } from '../../session.ts';

/** Prints where the ports of a container are published. */
export const command: Command = {
  spec: containerPort,
  run: async (session, { args }) => {
    const [id = '', wanted = ''] = args;
    const container = await session.client().containers.inspect(id);
    const ports = container.NetworkSettings?.Ports ?? {};
    if (wanted !== '') {
      checkPort(wanted);
      const found = ports[wanted.includes('/') ? wanted : `${wanted}/tcp`];
      if (!found?.length) throw new CommandFailure(1, `Error: No public port '${wanted}' published for ${id}`);
      for (const binding of found) session.line(bindingText(binding));
      return 0;
    }
    const lines = Object.entries(ports).flatMap(([port, bindings]) =>
      (bindings ?? []).map((binding) => `${port} -> ${bindingText(binding)}`),
    );
    for (const line of lines.sort(naturalCompare)) session.line(line);
    return 0;
  },
};

/** @throws CommandFailure (1) when the number before the slash is none */
function checkPort(text: string): void {
  const number = text.split('/')[0] ?? '';
  try {
    parseGoUint(number, 16);
  } catch (error) {
    throw new CommandFailure(1, `Error: invalid port (${number}): ${messageOf(error)}`);
  }
}

function bindingText(binding: PortBinding): string {
  const ip = binding.HostIp ?? '';
  return `${ip.includes(':') ? `[${ip}]` : ip}:${binding.HostPort ?? ''}`;
}
