// Owns showing the progress of pull, push, load and import: live lines on a terminal, plain ones in a pipe.
import type { ProgressMessage, ProgressStream } from '../../client/index.ts';
import { CommandFailure } from '../failure.ts';
import type { OutputStream } from '../session.ts';
import { write } from '../terminal/stream.ts';
import { humanSize } from './units.ts';

const ESC = '\x1b';
const CLEAR_LINE = `${ESC}[2K`;
const BAR_CELLS = 50;
/** Narrower terminals get numbers only. */
const BAR_MIN_COLUMNS = 110;
const DEFAULT_COLUMNS = 200;

/** Where progress goes; absent throws it away. */
export interface ProgressTarget {
  readonly output: OutputStream | undefined;
  /** Gets the `aux` of messages that have one. */
  readonly onAux?: (aux: unknown) => void;
}

/**
 * Shows `messages` until they end.
 * @throws CommandFailure (1) with the text of an error message
 * @source docker 28.2.2 jsonmessage
 */
export async function showProgress(messages: ProgressStream, target: ProgressTarget): Promise<void> {
  const screen = createScreen(target.output);
  for await (const message of messages) {
    if (message.aux !== undefined && message.aux !== null) {
      target.onAux?.(message.aux);
      continue;
    }
    if (message.errorDetail !== undefined || message.error) {
      throw new CommandFailure(1, message.errorDetail?.message ?? message.error ?? 'the operation failed');
    }
    await screen(message);
  }
}

type Screen = (message: ProgressMessage) => Promise<void> | undefined;

function createScreen(output: OutputStream | undefined): Screen {
  if (output === undefined) return () => undefined;
  if (output.isTTY !== true) {
    return (message) => {
      const text = plainText(message);
      return text === '' ? undefined : write(output, text);
    };
  }
  let lines = new Map<string, number>();
  return (message) => {
    const live = message.id !== undefined && message.id !== '' && hasDetail(message);
    if (!live) {
      lines = new Map();
      return write(output, terminalText(message, columnsOf(output)));
    }
    const { before, up } = placeLine(lines, message.id ?? '');
    const text = `${before}${ESC}[${up}A${terminalText(message, columnsOf(output))}${ESC}[${up}B`;
    return write(output, text);
  };
}

function placeLine(lines: Map<string, number>, id: string): { readonly before: string; readonly up: number } {
  const known = lines.get(id);
  if (known !== undefined) return { before: '', up: lines.size - known };
  lines.set(id, lines.size);
  return { before: '\n', up: 1 };
}

function columnsOf(output: OutputStream): number {
  return output.columns ?? DEFAULT_COLUMNS;
}

function hasDetail(message: ProgressMessage): boolean {
  return (message.progressDetail !== undefined && message.progressDetail !== null) || Boolean(message.progress);
}

/** One message as a line of a pipe; nothing for a moving bar. */
export function plainText(message: ProgressMessage): string {
  if (progressText(message, DEFAULT_COLUMNS) !== '') return '';
  return prefixOf(message) + (message.stream ? message.stream : `${message.status ?? ''}\n`);
}

function terminalText(message: ProgressMessage, columns: number): string {
  if (message.stream) return prefixOf(message) + message.stream;
  if (!hasDetail(message)) return `${prefixOf(message)}${message.status ?? ''}\n`;
  return `${CLEAR_LINE}\r${prefixOf(message)}${message.status ?? ''} ${progressText(message, columns)}\r`;
}

function prefixOf(message: ProgressMessage): string {
  return (message.id ? `${message.id}: ` : '') + (message.from ? `(from ${message.from}) ` : '');
}

/** `[===>   ]  1.2MB/3MB`, or nothing when there are no numbers. */
export function progressText(message: ProgressMessage, columns: number): string {
  const { current = 0, total = 0, units = '' } = message.progressDetail ?? {};
  if (current <= 0 && total <= 0) return '';
  const amount = (value: number): string => (units === '' ? humanSize(value, 4) : String(value));
  const suffix = units === '' ? '' : ` ${units}`;
  const padded = units === '' ? amount(current).padStart(8) : amount(current);
  if (total <= 0) return padded + suffix;
  const done = Math.min(BAR_CELLS, Math.trunc(Math.trunc((current / total) * 100) / 2));
  const bar = columns > BAR_MIN_COLUMNS ? `[${'='.repeat(done)}>${' '.repeat(BAR_CELLS - done)}] ` : '';
  return bar + (current > total ? padded : `${padded}/${amount(total)}`) + suffix;
}
