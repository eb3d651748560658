// Owns what may be passed to a function or method of a template: how many, of which types, and literals as such a type.
import { ANY, COMPLEX128, FLOAT64, type GoType, INT, isAssignable, REFLECT_VALUE } from './go/types.ts';
import { type GoValue, goBool, goString, INVALID, isNil, isValid, typedValue, unwrap } from './go/values.ts';
import { type NumberLiteral, type Operand, writtenForm } from './syntax.ts';

/** Ends the template with a complaint about where it is. */
export type Fail = (what: string) => never;

/** The fixed parameters, and the type of any more. */
export interface Signature {
  readonly params: readonly GoType[];
  readonly rest: GoType | undefined;
}

/** Complains unless `given` arguments, and one from the pipeline, are as many as wanted. */
export function checkCount(
  fail: Fail,
  { params, rest }: Signature,
  name: string,
  given: number,
  hasFinal: boolean,
): void {
  const count = given + (hasFinal ? 1 : 0);
  if (rest === undefined && count !== params.length) {
    fail(`wrong number of args for ${name}: want ${params.length} got ${count}`);
  }
  if (rest !== undefined && count < params.length) {
    fail(`wrong number of args for ${name}: want at least ${params.length} got ${given}`);
  }
}

/** `value` as a `type`, or a complaint. @source Go text/template validateType */
export function fitValue(fail: Fail, value: GoValue, type: GoType | undefined): GoValue {
  if (type === undefined) return value;
  if (!isValid(value)) return canBeNil(type) ? nilOf(type) : fail(`invalid value; expected ${type.name}`);
  if (type.kind === 'interface') return unwrap(value);
  if (type === REFLECT_VALUE || isAssignable(value.type, type)) return value;
  const inner = value.type.kind === 'interface' && !isNil(value) ? unwrap(value) : value;
  if (isAssignable(inner.type, type)) return inner;
  const { elem } = inner.type;
  if (inner.type.kind === 'pointer' && elem !== undefined && isAssignable(elem, type)) {
    return isNil(inner) ? fail(`dereference of nil pointer of type ${type.name}`) : typedValue(elem, inner.data);
  }
  if (type.kind === 'pointer' && type.elem !== undefined && isAssignable(inner.type, type.elem)) {
    return { type, data: inner.data };
  }
  return fail(`wrong type for value; expected ${type.name}; got ${inner.type.name}`);
}

/** A literal `nil` where a `type` is wanted. */
export function nilValue(fail: Fail, type: GoType | undefined): GoValue {
  return type === undefined || canBeNil(type) ? nilOf(type) : fail(`cannot assign nil to ${type.name}`);
}

const canBeNil = (type: GoType): boolean =>
  type === REFLECT_VALUE || ['interface', 'map', 'pointer', 'slice'].includes(type.kind);

const nilOf = (type: GoType | undefined): GoValue =>
  type === undefined || type === REFLECT_VALUE || type.kind === 'interface' ? INVALID : { type, data: null };

type Literal = Extract<Operand, { kind: 'bool' | 'number' | 'string' }>;

const LITERAL_KINDS: Readonly<Partial<Record<GoType['kind'], string>>> = {
  bool: 'bool',
  complex: 'complex',
  float: 'float',
  int: 'integer',
  string: 'string',
  uint: 'unsigned integer',
};

/** A literal where a `type` is wanted. @source Go text/template evalArg */
export function literalValue(fail: Fail, literal: Literal, type: GoType): GoValue {
  if (type === REFLECT_VALUE || type.kind === 'interface') return plainLiteral(fail, literal);
  const expected = LITERAL_KINDS[type.kind];
  if (expected === undefined) return fail(`can't handle ${writtenForm(literal)} for arg of type ${type.name}`);
  if (literal.kind === type.kind) return { type, data: literal.value };
  if (literal.kind === 'number') {
    const { int, uint, float } = literal.number;
    if (type.kind === 'int' && int !== undefined) return { type, data: plainInteger(int) };
    if (type.kind === 'uint' && uint !== undefined) return { type, data: plainInteger(uint) };
    if (type.kind === 'float' && float !== undefined) return { type, data: float };
  }
  return fail(`expected ${expected}; found ${writtenForm(literal)}`);
}

/** A literal on its own. */
export function plainLiteral(fail: Fail, literal: Literal): GoValue {
  switch (literal.kind) {
    case 'bool':
      return goBool(literal.value);
    case 'string':
      return goString(literal.value);
    case 'number':
      return constantValue(fail, literal.number);
  }
}

/** @source Go text/template idealConstant */
function constantValue(fail: Fail, number: NumberLiteral): GoValue {
  if (number.complex !== undefined) return { type: COMPLEX128, data: number.complex };
  const isFloat = !/^[+-]?0[xX]/.test(number.text) || /[pP]/.test(number.text);
  if (isFloat && !number.text.startsWith("'") && /[.eEpP]/.test(number.text)) {
    return { type: FLOAT64, data: number.float };
  }
  return number.int === undefined
    ? fail(`${number.text} overflows int`)
    : { type: INT, data: plainInteger(number.int) };
}

const plainInteger = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

/** The type of the argument at `index`. */
export const parameterType = ({ params, rest }: Signature, index: number): GoType => params[index] ?? rest ?? ANY;
