// Owns how progress is worded for Docker's clients: JSON lines and the bar's text. Pure.

import type { ImageProgress } from '../engine/images/types.ts';
import { messageOf } from '../lib/errors.ts';
import { htmlSafeJson } from './json-text.ts';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const BAR_WIDTH = 50;

/** "1.234MB", four significant digits, powers of 1000. @source docker/go-units HumanSize */
export function humanSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${Number(size.toPrecision(4))}${UNITS[unit]}`;
}

/** `[====>      ]  1.2MB/3MB`; '' before anything is counted. @source moby jsonmessage.JSONProgress.String at 200 columns */
export function progressBar(current: number, total: number): string {
  if (current <= 0 && total <= 0) return '';
  if (total <= 0) return humanSize(current).padStart(8);
  const filled = Math.min(BAR_WIDTH, Math.trunc(Math.trunc((current / total) * 100) / 2));
  const bar = `[${'='.repeat(filled)}>${' '.repeat(BAR_WIDTH - filled)}] `;
  const numbers = humanSize(current).padStart(8);
  return current > total ? bar + numbers : `${bar}${numbers}/${humanSize(total)}`;
}

/** One line of a progress stream, with Docker's field order and line end. */
export function progressLine(event: ImageProgress): string {
  const line: Record<string, unknown> = {};
  if (event.stream !== undefined) line.stream = event.stream;
  if (event.status !== '') line.status = event.status;
  if (isCounting(event)) {
    const { current = 0, total = 0 } = event;
    line.progressDetail = { ...(current > 0 ? { current } : {}), ...(total > 0 ? { total } : {}) };
    const bar = progressBar(current, total);
    if (bar !== '') line.progress = bar;
  } else if (event.phase === true) {
    line.progressDetail = {};
  }
  if (event.id !== undefined && event.id !== '') line.id = event.id;
  return `${htmlSafeJson(line)}\r\n`;
}

/** True for lines that only count bytes: a later one replaces an earlier one. */
export function isCounting(event: ImageProgress): boolean {
  return event.current !== undefined || event.total !== undefined;
}

/** The last line of a stream that broke after its 200 was sent. */
export function errorLine(error: unknown): string {
  const message = messageOf(error);
  return `${htmlSafeJson({ errorDetail: { message }, error: message })}\r\n`;
}
