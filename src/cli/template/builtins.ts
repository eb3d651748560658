// Owns Go's template functions on values: comparing, indexing, cutting and counting, with Go's complaints.
import { PLAIN, plainText, printArgument } from './go/print.ts';
import { bytesOf, sliceBytes } from './go/text.ts';
import { ANY, type GoType, isAssignable, UINT8 } from './go/types.ts';
import {
  compareBytes,
  complexOf,
  entryOf,
  type GoValue,
  goInt,
  INVALID,
  indirect,
  isNil,
  isTrue,
  isValid,
  itemAt,
  itemsOf,
  lengthOf,
  numberOf,
  textOf,
  typedValue,
  unwrap,
} from './go/values.ts';

/** The last argument: only reached when `and` or `or` were given by name alone. */
export const and = (args: readonly GoValue[]): GoValue => args.find((arg) => !isTrue(arg)) ?? args.at(-1) ?? INVALID;

/** Templates of Docker never hold a function to call. @throws Error in Go's words */
export function nonFunction(value: GoValue | undefined, written: string): never {
  const inner = value === undefined ? INVALID : unwrap(value);
  if (!isValid(inner)) throw new Error('call of nil');
  throw new Error(`non-function ${written} of type ${inner.type.name}`);
}

// Comparing.

const COMPARABLE = new Set(['bool', 'complex', 'float', 'int', 'string', 'uint']);
const INTEGERS = new Set(['int', 'uint']);

/** Whether the first value equals any other. @throws Error in Go's words @source Go text/template eq */
export function eachEqual([first, ...others]: readonly GoValue[]): boolean {
  if (others.length === 0) throw new Error('missing argument for comparison');
  return others.some((other) => isEqual(unwrap(first ?? INVALID), unwrap(other)));
}

const basicKind = (value: GoValue): string => (COMPARABLE.has(value.type.kind) ? value.type.kind : 'other');

function isEqual(left: GoValue, right: GoValue): boolean {
  const [leftKind, rightKind] = [basicKind(left), basicKind(right)];
  if (INTEGERS.has(leftKind) && INTEGERS.has(rightKind)) return BigInt(numberOf(left)) === BigInt(numberOf(right));
  if (leftKind !== rightKind) {
    if (isValid(left) && isValid(right)) throw new Error('incompatible types for comparison');
    return false;
  }
  if (leftKind === 'string') return textOf(left) === textOf(right);
  if (leftKind === 'float') return numberOf(left) === numberOf(right);
  if (leftKind === 'complex') return complexOf(left).every((part, at) => part === complexOf(right)[at]);
  if (leftKind === 'bool') return (left.data === true) === (right.data === true);
  return isSame(left, right);
}

function isSame(left: GoValue, right: GoValue): boolean {
  if (isValid(left) && isValid(right) && left.type.name !== right.type.name) {
    throw new Error(
      `non-comparable types ${plainText(left)}: ${left.type.name}, ${right.type.name}: ${plainText(right)}`,
    );
  }
  if (isNil(left) || isNil(right)) return isNil(left) === isNil(right);
  if (!isComparable(left.type)) throw new Error(`non-comparable type ${formatted(left)}: ${left.type.name}`);
  return left.type.kind === 'pointer'
    ? left.data === right.data
    : JSON.stringify(left.data) === JSON.stringify(right.data);
}

/** A list or map in an error text, as Go's `%s` shows it. */
const formatted = (value: GoValue): string => printArgument(value, 's', PLAIN);

function isComparable(type: GoType): boolean {
  if (type.kind === 'struct') return (type.fields ?? []).every((field) => isComparable(field.type));
  if (type.kind === 'array') return type.elem === undefined || isComparable(type.elem);
  return type.kind !== 'map' && type.kind !== 'slice';
}

/** Below zero when the first is less. @throws Error in Go's words @source Go text/template lt */
export function compareValues(_name: string, first: GoValue | undefined, second: GoValue | undefined): number {
  const [left, right] = [unwrap(first ?? INVALID), unwrap(second ?? INVALID)];
  const [leftKind, rightKind] = [basicKind(left), basicKind(right)];
  if (leftKind === 'other' || rightKind === 'other') throw new Error('invalid type for comparison');
  if (INTEGERS.has(leftKind) && INTEGERS.has(rightKind)) return order(BigInt(numberOf(left)), BigInt(numberOf(right)));
  if (leftKind !== rightKind) throw new Error('incompatible types for comparison');
  if (leftKind === 'string') return compareBytes(textOf(left), textOf(right));
  if (leftKind === 'float') return order(numberOf(left), numberOf(right));
  throw new Error('invalid type for comparison');
}

const order = (left: number | bigint, right: number | bigint): number => (left < right ? -1 : left > right ? 1 : 0);

// Indexing.

/** `index x 1 2`. @throws Error in Go's words @source Go text/template index */
export function indexValue([start, ...keys]: readonly GoValue[]): GoValue {
  let item = unwrap(start ?? INVALID);
  if (!isValid(item)) throw new Error('index of untyped nil');
  for (const key of keys) {
    const owner = indirect(item);
    if (owner.isNil) throw new Error('index of nil pointer');
    item = indexOne(owner.value, unwrap(key));
  }
  return item;
}

function indexOne(owner: GoValue, key: GoValue): GoValue {
  switch (owner.type.kind) {
    case 'array':
    case 'slice':
    case 'string': {
      const length = lengthOf(owner) ?? 0;
      const at = indexNumber(key, length);
      if (at === length) throw new Error(`reflect: ${owner.type.kind} index out of range`);
      if (owner.type.kind !== 'string') return itemAt(owner, at);
      return { type: UINT8, data: bytesOf(textOf(owner))[at] };
    }
    case 'map': {
      const found = entryOf(owner, mapKey(key, owner.type.key ?? ANY));
      return isValid(found) ? found : typedValue(owner.type.elem ?? ANY, undefined);
    }
    default:
      throw new Error(`can't index item of type ${owner.type.name}`);
  }
}

function indexNumber(key: GoValue, limit: number): number {
  if (!isValid(key)) throw new Error('cannot index slice/array with nil');
  if (!INTEGERS.has(key.type.kind)) throw new Error(`cannot index slice/array with type ${key.type.name}`);
  const at = Number(numberOf(key));
  if (at < 0 || at > limit) throw new Error(`index out of range: ${at}`);
  return at;
}

function mapKey(key: GoValue, type: GoType): string {
  if (!isValid(key)) throw new Error(`value is nil; should be of type ${type.name}`);
  if (!isAssignable(key.type, type)) throw new Error(`value has type ${key.type.name}; should be ${type.name}`);
  return textOf(key);
}

/** `slice x 1 2`. @throws Error in Go's words @source Go text/template slice */
export function sliceValue([start, ...keys]: readonly GoValue[]): GoValue {
  const item = unwrap(start ?? INVALID);
  if (!isValid(item)) throw new Error('slice of untyped nil');
  if (keys.length > 3) throw new Error(`too many slice indexes: ${keys.length}`);
  const { kind } = item.type;
  if (kind === 'string' && keys.length === 3) throw new Error('cannot 3-index slice a string');
  if (kind !== 'string' && kind !== 'slice' && kind !== 'array') {
    throw new Error(`can't slice item of type ${item.type.name}`);
  }
  const length = lengthOf(item) ?? 0;
  const [from = 0, to = length, end] = keys.map((key) => indexNumber(unwrap(key), length));
  if (from > to) throw new Error(`invalid slice index: ${from} > ${to}`);
  if (end !== undefined && to > end) throw new Error(`invalid slice index: ${to} > ${end}`);
  if (kind === 'string') return { type: item.type, data: sliceBytes(textOf(item), from, to) };
  const type: GoType = {
    kind: 'slice',
    name: `[]${item.type.elem?.name}`,
    defined: false,
    elem: item.type.elem ?? ANY,
  };
  return { type: kind === 'slice' ? item.type : type, data: itemsOf(item).slice(from, to) };
}

/** @throws Error in Go's words @source Go text/template length */
export function lengthValue(value: GoValue | undefined): GoValue {
  const start = value ?? INVALID;
  if (!isValid(start)) throw new Error('reflect: call of reflect.Value.Type on zero Value');
  const { value: inner, isNil: nil } = indirect(start);
  if (nil && (inner.type.kind === 'pointer' || inner.type.kind === 'interface')) throw new Error('len of nil pointer');
  const length = lengthOf(inner);
  if (length === undefined) throw new Error(`len of type ${inner.type.name}`);
  return goInt(length);
}
