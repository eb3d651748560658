// Owns `top`.
import { containerTop } from '../../grammar/container.table.ts';
import { alignTable } from '../../render/table.ts';
import type { Command } from '../../session.ts';

const COLUMN_WIDTH = 20;

/** Prints the processes of a container as ps on the host shows them. */
export const command: Command = {
  spec: containerTop,
  run: async (session, { args }) => {
    const [id = '', ...psArgs] = args;
    const top = await session.client().containers.top(id, psArgs.join(' '));
    const rows = [top.Titles ?? [], ...(top.Processes ?? [])].map((row) => `${row.join('\t')}\n`);
    session.out(alignTable(rows.join(''), { minWidth: COLUMN_WIDTH, padding: 3 }));
    return 0;
  },
};
