// Owns signal names and numbers as Docker's API accepts them. Pure; sends nothing.

import { GantryError } from '../lib/errors.ts';

/** Linux's numbers on amd64 and arm64. */
const NUMBERS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  IOT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  POLL: 29,
  PWR: 30,
  SYS: 31,
};

const REAL_TIME_FIRST = 34;
const REAL_TIME_LAST = 64;
/** Docker names RTMIN+1 to RTMIN+15 and RTMAX-14 to RTMAX-1. */
const REAL_TIME_UP = 15;
const REAL_TIME_DOWN = 14;

function realTime(name: string): number | undefined {
  const match = /^(RTMIN|RTMAX)(?:([+-])([1-9][0-9]?))?$/.exec(name);
  if (match === null) return undefined;
  const [, base, sign, distanceText] = match;
  const distance = Number(distanceText ?? 0);
  if (base === 'RTMIN') {
    return sign === '-' || distance > REAL_TIME_UP ? undefined : REAL_TIME_FIRST + distance;
  }
  return sign === '+' || distance > REAL_TIME_DOWN ? undefined : REAL_TIME_LAST - distance;
}

/**
 * The number of `TERM`, `SIGTERM`, `sigterm`, `15` or `RTMIN+3`.
 * @throws INVALID_SIGNAL when it names none, with Docker's wording
 * @source dockerd 28.5 answers on /containers/x/kill
 */
export function parseSignal(text: string): number {
  if (/^[+-]?[0-9]+$/.test(text)) {
    const number = Number.parseInt(text, 10);
    if (number === 0) throw invalid(text);
    if (number < 0 || number > REAL_TIME_LAST) {
      throw new GantryError('invalid', 'INVALID_SIGNAL', `the linux daemon does not support signal ${number}`, {
        params: { signal: text },
      });
    }
    return number;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const number = (Object.hasOwn(NUMBERS, name) ? NUMBERS[name] : undefined) ?? realTime(name);
  if (number === undefined) throw invalid(text);
  return number;
}

function invalid(text: string): GantryError {
  return new GantryError('invalid', 'INVALID_SIGNAL', `invalid signal: ${text}`, { params: { signal: text } });
}

/** `SIGTERM` for 15, `SIGRTMIN+3` for 37; the number itself when it has no name. */
export function signalName(number: number): string {
  for (const [name, value] of Object.entries(NUMBERS)) if (value === number) return `SIG${name}`;
  if (number >= REAL_TIME_FIRST && number <= REAL_TIME_LAST) {
    return number === REAL_TIME_FIRST ? 'SIGRTMIN' : `SIGRTMIN+${number - REAL_TIME_FIRST}`;
  }
  return String(number);
}
