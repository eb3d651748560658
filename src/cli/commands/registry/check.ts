// Owns `registry check`.
import { CommandFailure, QuietExit } from '../../failure.ts';
import { registryCheck } from '../../grammar/registry.table.ts';
import { humanSize } from '../../render/units.ts';
import type { Command, Session } from '../../session.ts';
import { connect } from './connect.ts';

interface Fault {
  readonly kind: string;
  readonly digest: string;
  readonly detail: string;
  readonly hurts: readonly string[];
  readonly outcome: 'found' | 'repaired' | 'removed';
}

/** One line of the answer. */
interface Line {
  readonly progress?: { readonly blobs: number; readonly bytes: number };
  readonly fault?: Fault;
  readonly report?: {
    readonly blobs: number;
    readonly bytes: number;
    readonly faults: number;
    readonly mended: number;
  };
  readonly error?: string;
}

/** Checks everything; ends with 1 when something is left that was not mended. */
export const command: Command = {
  spec: registryCheck,
  run: async (session, { flags }) => {
    const api = await connect(session, flags);
    let report: Line['report'];
    let isHurt = false;
    for await (const line of api.lines<Line>('POST', flags.bool('repair') ? 'check?repair=true' : 'check')) {
      if (line.progress) showProgress(session, line.progress);
      if (line.fault) isHurt = showFault(session, line.fault) || isHurt;
      if (line.error !== undefined) throw new CommandFailure(1, `Error: the check failed: ${line.error}`);
      report = line.report ?? report;
    }
    if (!report) throw new CommandFailure(1, 'Error: the registry ended the check before its end');
    clearProgress(session);
    const { blobs, bytes, faults, mended } = report;
    session.line(`Checked ${blobs} blobs of ${humanSize(bytes)}: ${faults} faults, ${mended} mended`);
    if (isHurt) session.warn('What was lost comes back when it is pushed again');
    if (faults > mended) throw new QuietExit(1);
    return 0;
  },
};

/** True when somebody must bring content again. */
function showFault(session: Session, { kind, digest, detail, hurts, outcome }: Fault): boolean {
  clearProgress(session);
  const hurt = hurts.length === 0 ? '' : ` (${hurts.join(', ')})`;
  session.line(`${kind} ${digest}: ${detail}${hurt}${outcome === 'found' ? '' : `: ${outcome}`}`);
  return kind === 'missing' || kind === 'damaged';
}

/** On a terminal alone. */
function showProgress(session: Session, { blobs, bytes }: { readonly blobs: number; readonly bytes: number }): void {
  if (session.stdio.stderr.isTTY === true) session.stdio.stderr.write(`\r${blobs} blobs, ${humanSize(bytes)}\x1b[K`);
}

function clearProgress(session: Session): void {
  if (session.stdio.stderr.isTTY === true) session.stdio.stderr.write('\r\x1b[K');
}
