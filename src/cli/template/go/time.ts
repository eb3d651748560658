// Owns Go's time.Time and time.Duration as templates see them: their texts, methods and JSON.
import { FLOAT64, type GoMethod, type GoType, INT, INT64, STRING } from './types.ts';
import { type GoValue, goBool, goInt, goString, numberOf, textOf } from './values.ts';

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const ZERO_TIME = '0001-01-01T00:00:00Z';

/** A moment: milliseconds and nanoseconds apart, and the minutes that its clock is ahead of UTC. */
interface Moment {
  readonly ms: number;
  readonly nanos: number;
  readonly offsetMinutes: number;
  readonly utc: boolean;
}

function momentOf(value: GoValue): Moment {
  const text = typeof value.data === 'string' && value.data !== '' ? value.data : ZERO_TIME;
  const [, base = '', fraction = '', zone = 'Z'] =
    /^([^.Z+]*?\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const [, sign = '+', hours = '0', minutes = '0'] = /^([+-])(\d\d):(\d\d)$/.exec(zone) ?? [];
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  const wall = utcMs(base);
  return {
    ms: wall - offset * 60_000,
    nanos: Number(fraction.slice(1).padEnd(9, '0').slice(0, 9)),
    offsetMinutes: offset,
    utc: zone === 'Z',
  };
}

/** Years below 100 are what they say. */
function utcMs(text: string): number {
  const [year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0] = text.split(/[-T:]/).map(Number);
  return new Date(0).setUTCFullYear(year, month - 1, day) + ((hour * 60 + minute) * 60 + second) * 1000;
}

const wallClock = (moment: Moment): Date => new Date(moment.ms + moment.offsetMinutes * 60_000);
const two = (value: number): string => String(value).padStart(2, '0');

function zoneText(moment: Moment, colon: string): string {
  const size = Math.abs(moment.offsetMinutes);
  return `${moment.offsetMinutes < 0 ? '-' : '+'}${two(Math.trunc(size / 60))}${colon}${two(size % 60)}`;
}

const zoneName = (moment: Moment): string => (moment.utc ? 'UTC' : zoneText(moment, ''));

/** The pieces of a Go layout, longest first where one begins another. @source Go time.Format */
const LAYOUT =
  /January|Jan|Monday|Mon|MST|2006|01|02|002|03|04|05|06|15|__2|_2|PM|pm|Z07:00:00|Z070000|Z07:00|Z0700|Z07|-07:00:00|-070000|-07:00|-0700|-07|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5/g;

function layoutText(moment: Moment, layout: string): string {
  const wall = wallClock(moment);
  const hour = wall.getUTCHours();
  const month = MONTHS[wall.getUTCMonth()] ?? '';
  const day = wall.getUTCDate();
  const yearDay = Math.floor((wall.getTime() - utcMs(`${wall.getUTCFullYear()}-01-01T00:00:00`)) / 86_400_000) + 1;
  const pieces: Readonly<Record<string, () => string>> = {
    January: () => month,
    Jan: () => month.slice(0, 3),
    Monday: () => DAYS[wall.getUTCDay()] ?? '',
    Mon: () => (DAYS[wall.getUTCDay()] ?? '').slice(0, 3),
    MST: () => zoneName(moment),
    '2006': () => String(wall.getUTCFullYear()).padStart(4, '0'),
    '06': () => two(wall.getUTCFullYear() % 100),
    '01': () => two(wall.getUTCMonth() + 1),
    '1': () => String(wall.getUTCMonth() + 1),
    '02': () => two(day),
    _2: () => String(day).padStart(2),
    '2': () => String(day),
    '002': () => String(yearDay).padStart(3, '0'),
    __2: () => String(yearDay).padStart(3),
    '15': () => two(hour),
    '03': () => two(hour % 12 || 12),
    '3': () => String(hour % 12 || 12),
    '04': () => two(wall.getUTCMinutes()),
    '4': () => String(wall.getUTCMinutes()),
    '05': () => two(wall.getUTCSeconds()),
    '5': () => String(wall.getUTCSeconds()),
    PM: () => (hour >= 12 ? 'PM' : 'AM'),
    pm: () => (hour >= 12 ? 'pm' : 'am'),
  };
  return layout.replace(LAYOUT, (piece) => pieces[piece]?.() ?? numericPiece(moment, piece));
}

function numericPiece(moment: Moment, piece: string): string {
  if (/^[.,]/.test(piece)) {
    const digits = String(moment.nanos)
      .padStart(9, '0')
      .slice(0, piece.length - 1);
    if (piece[1] === '0') return (piece[0] ?? '') + digits.padEnd(piece.length - 1, '0');
    const trimmed = digits.replace(/0+$/, '');
    return trimmed === '' ? '' : (piece[0] ?? '') + trimmed;
  }
  if (piece.startsWith('Z') && moment.offsetMinutes === 0) return 'Z';
  const text = zoneText(moment, piece.includes(':') ? ':' : '');
  return piece.length === 3 ? text.slice(0, 3) : piece.length >= 8 && piece.includes(':00:00') ? `${text}:00` : text;
}

/** @source Go time.Time.GoString */
function goText(moment: Moment): string {
  const wall = wallClock(moment);
  const parts = [
    wall.getUTCFullYear(),
    `time.${MONTHS[wall.getUTCMonth()]}`,
    wall.getUTCDate(),
    wall.getUTCHours(),
    wall.getUTCMinutes(),
    wall.getUTCSeconds(),
    moment.nanos,
    moment.utc ? 'time.UTC' : 'time.Location("")',
  ];
  return `time.Date(${parts.join(', ')})`;
}

const RFC3339_NANO = '2006-01-02T15:04:05.999999999Z07:00';

/** A number of the wall clock. */
const clockPart = (read: (wall: Date) => number): GoMethod => ({
  params: [],
  call: (receiver) => goInt(read(wallClock(momentOf(receiver)))),
});

const secondsOf = (moment: Moment): number => Math.floor(moment.ms / 1000);

const timeMethods = (type: () => GoType): Readonly<Record<string, GoMethod>> => ({
  String: {
    params: [],
    call: (time) => {
      const moment = momentOf(time);
      return goString(layoutText(moment, `2006-01-02 15:04:05.999999999 -0700 `) + zoneName(moment));
    },
  },
  GoString: { params: [], call: (time) => goString(goText(momentOf(time))) },
  Format: { params: [STRING], call: (time, [layout]) => goString(layoutText(momentOf(time), textOf(layout ?? time))) },
  IsZero: { params: [], call: (time) => goBool(momentOf(time).ms === utcMs('0001-01-01T00:00:00')) },
  UTC: {
    params: [],
    call: (time) => ({
      type: type(),
      data: layoutText({ ...momentOf(time), offsetMinutes: 0, utc: true }, RFC3339_NANO),
    }),
  },
  Unix: { params: [], call: (time) => ({ type: INT64, data: secondsOf(momentOf(time)) }) },
  UnixMilli: {
    params: [],
    call: (time) => ({ type: INT64, data: momentOf(time).ms + Math.trunc(momentOf(time).nanos / 1e6) }),
  },
  UnixNano: {
    params: [],
    call: (time) => {
      const moment = momentOf(time);
      return { type: INT64, data: BigInt(secondsOf(moment)) * 1_000_000_000n + BigInt(moment.nanos) };
    },
  },
  Year: clockPart((wall) => wall.getUTCFullYear()),
  Day: clockPart((wall) => wall.getUTCDate()),
  Hour: clockPart((wall) => wall.getUTCHours()),
  Minute: clockPart((wall) => wall.getUTCMinutes()),
  Second: clockPart((wall) => wall.getUTCSeconds()),
  Nanosecond: { params: [], call: (time) => goInt(momentOf(time).nanos) },
  Month: {
    params: [],
    call: (time) => ({ type: MONTH, data: wallClock(momentOf(time)).getUTCMonth() + 1 }),
  },
  Weekday: { params: [], call: (time) => ({ type: WEEKDAY, data: wallClock(momentOf(time)).getUTCDay() }) },
});

const named = (name: string, names: readonly string[], first: number): GoType => ({
  ...INT,
  name,
  methods: { String: { params: [], call: (value) => goString(names[Number(numberOf(value)) - first] ?? '') } },
});

const MONTH = named('time.Month', MONTHS, 1);
const WEEKDAY = named('time.Weekday', DAYS, 0);

/** `time.Time`; its data is a text of RFC 3339. */
export const TIME: GoType = {
  kind: 'struct',
  name: 'time.Time',
  defined: true,
  fields: [],
  methods: timeMethods(() => TIME),
  json: (data) => JSON.stringify(typeof data === 'string' && data !== '' ? data : ZERO_TIME),
};

const perUnit = (nanos: number): GoMethod => ({
  params: [],
  call: (duration) => ({ type: FLOAT64, data: Number(numberOf(duration)) / nanos }),
});

const wholeUnits = (nanos: bigint): GoMethod => ({
  params: [],
  call: (duration) => ({ type: INT64, data: Number(BigInt(numberOf(duration)) / nanos) }),
});

/** Methods of `time.Duration`; its data is nanoseconds. */
export const DURATION_METHODS: Readonly<Record<string, GoMethod>> = {
  String: { params: [], call: (duration) => goString(durationText(BigInt(numberOf(duration)))) },
  Hours: perUnit(3600e9),
  Minutes: perUnit(60e9),
  Seconds: perUnit(1e9),
  Milliseconds: wholeUnits(1_000_000n),
  Microseconds: wholeUnits(1_000n),
  Nanoseconds: wholeUnits(1n),
};

/** `1h2m3.5s`. @source Go time.Duration.String */
function durationText(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  const size = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? '-' : '';
  if (size < 1_000_000_000n) {
    const [unit, divisor] = size < 1000n ? ['ns', 1n] : size < 1_000_000n ? ['µs', 1000n] : ['ms', 1_000_000n];
    return sign + decimal(size, divisor as bigint) + String(unit);
  }
  const minutes = size / 60_000_000_000n;
  const seconds = `${decimal(size % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) return sign + seconds;
  const hours = minutes / 60n;
  return `${sign}${hours === 0n ? '' : `${hours}h`}${minutes % 60n}m${seconds}`;
}

function decimal(size: bigint, divisor: bigint): string {
  const digits = String(divisor).length - 1;
  const rest = String(size % divisor)
    .padStart(digits, '0')
    .slice(0, digits)
    .replace(/0+$/, '');
  return rest === '' ? String(size / divisor) : `${size / divisor}.${rest}`;
}
