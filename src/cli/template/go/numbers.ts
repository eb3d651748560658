// Owns the text of floating-point numbers in each of Go's formats. Pure.

/** How a float is written: Go's `b e E f F g G x X`. */
export type FloatVerb = 'b' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'x' | 'X';

/** Digits after the point of %g when nothing says how many. */
const SHORTEST_EXPONENT = 6;
const SMALLEST_EXPONENT = -4;

/**
 * `value` with its sign, a plus when positive. `precision` below zero asks for the fewest digits that tell it apart.
 * @source Go strconv.FormatFloat
 */
export function floatText(value: number, verb: FloatVerb, precision: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '+';
  if (Number.isNaN(value)) return '+NaN';
  const size = Math.abs(value);
  if (size === Number.POSITIVE_INFINITY) return `${sign}Inf`;
  const text = unsigned(size, verb.toLowerCase(), precision);
  return sign + (verb === 'E' || verb === 'G' || verb === 'X' ? text.toUpperCase() : text);
}

function unsigned(size: number, verb: string, precision: number): string {
  switch (verb) {
    case 'b':
      return binaryText(size);
    case 'x':
      return hexText(size, precision);
    case 'e':
      return scientific(size, precision);
    case 'f':
      return fixed(size, precision);
    default:
      return general(size, precision);
  }
}

/** Mantissa and power of two: `size = mantissa * 2 ** exponent`. */
function split(size: number): { readonly mantissa: bigint; readonly exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, size);
  const bits = view.getBigUint64(0);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const biased = Number((bits >> 52n) & 0x7ffn);
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | 0x10_0000_0000_0000n, exponent: biased - 1075 };
}

/** `size * 10 ** power` rounded to an integer, a tie to the even one. */
function scaled(size: number, power: number): bigint {
  const { mantissa, exponent } = split(size);
  let above = mantissa;
  let below = 1n;
  if (exponent >= 0) above <<= BigInt(exponent);
  else below <<= BigInt(-exponent);
  if (power >= 0) above *= 10n ** BigInt(power);
  else below *= 10n ** BigInt(-power);
  const whole = above / below;
  const twice = (above % below) * 2n;
  const roundUp = twice > below || (twice === below && whole % 2n === 1n);
  return roundUp ? whole + 1n : whole;
}

/** The fewest digits, and the exponent of the first one. */
function shortest(size: number): { readonly digits: string; readonly exponent: number } {
  const [mantissa = '0', exponent = '0'] = size.toExponential().split('e');
  return { digits: mantissa.replace('.', ''), exponent: Number(exponent) };
}

/** `count` digits, and the exponent of the first one. */
function rounded(size: number, count: number): { readonly digits: string; readonly exponent: number } {
  if (size === 0) return { digits: '0'.repeat(count), exponent: 0 };
  let { exponent } = shortest(size);
  let digits = scaled(size, count - 1 - exponent).toString();
  if (digits.length > count) {
    exponent++;
    digits = scaled(size, count - 1 - exponent).toString();
  }
  return { digits, exponent };
}

function scientific(size: number, precision: number): string {
  const { digits, exponent } = precision < 0 ? shortest(size) : rounded(size, precision + 1);
  return exponentForm(digits, exponent);
}

function exponentForm(digits: string, exponent: number): string {
  const rest = digits.length > 1 ? `.${digits.slice(1)}` : '';
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `${digits[0]}${rest}e${exponent < 0 ? '-' : '+'}${power}`;
}

function fixed(size: number, precision: number): string {
  if (precision < 0) {
    const { digits, exponent } = shortest(size);
    return plainForm(digits, exponent);
  }
  const digits = scaled(size, precision)
    .toString()
    .padStart(precision + 1, '0');
  return precision === 0 ? digits : `${digits.slice(0, -precision)}.${digits.slice(-precision)}`;
}

function plainForm(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const rest = digits.slice(exponent + 1);
  return rest === '' ? whole : `${whole}.${rest}`;
}

function general(size: number, precision: number): string {
  const exact = precision < 0 ? shortest(size) : rounded(size, Math.max(precision, 1));
  const digits = exact.digits.replace(/0+$/, '') || '0';
  const { exponent } = exact;
  let limit = precision < 0 ? SHORTEST_EXPONENT : Math.max(precision, 1);
  if (precision >= 0 && limit > digits.length && digits.length >= exponent + 1) limit = digits.length;
  if (exponent < SMALLEST_EXPONENT || exponent >= limit) return exponentForm(digits, exponent);
  return plainForm(digits, exponent);
}

function binaryText(size: number): string {
  const { mantissa, exponent } = split(size);
  return `${mantissa}p${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`;
}

const HEX_DIGITS = 13;

function hexText(size: number, precision: number): string {
  if (size === 0) return `0x0${precision > 0 ? `.${'0'.repeat(precision)}` : ''}p+00`;
  const parts = split(size);
  let { mantissa } = parts;
  let exponent = parts.exponent + 52;
  while (mantissa < 1n << 52n) {
    mantissa <<= 1n;
    exponent--;
  }
  if (precision >= 0 && precision < HEX_DIGITS) {
    const drop = BigInt(4 * (HEX_DIGITS - precision));
    const half = 1n << (drop - 1n);
    const rest = mantissa & ((1n << drop) - 1n);
    mantissa >>= drop;
    if (rest > half || (rest === half && mantissa % 2n === 1n)) mantissa++;
    mantissa <<= drop;
    if (mantissa >= 1n << 53n) {
      mantissa >>= 1n;
      exponent++;
    }
  }
  let fraction = (mantissa & ((1n << 52n) - 1n)).toString(16).padStart(HEX_DIGITS, '0');
  fraction = precision < 0 ? fraction.replace(/0+$/, '') : fraction.padEnd(precision, '0').slice(0, precision);
  const power = String(Math.abs(exponent)).padStart(2, '0');
  return `0x1${fraction === '' ? '' : `.${fraction}`}p${exponent < 0 ? '-' : '+'}${power}`;
}

/** A float in JSON. @source Go encoding/json */
export function jsonFloat(value: number): string {
  const size = Math.abs(value);
  const scientificForm = size !== 0 && (size < 1e-6 || size >= 1e21);
  const text = floatText(value, scientificForm ? 'e' : 'f', -1).replace(/^\+/, '');
  return scientificForm ? text.replace(/e-0(\d)$/, 'e-$1') : text;
}
