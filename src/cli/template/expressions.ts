// Owns the values of a template's expressions: pipelines, variables, fields, methods and functions, with Go's rules.
import { messageOf } from '../../lib/errors.ts';
import {
  checkCount,
  type Fail,
  fitValue,
  literalValue,
  nilValue,
  parameterType,
  plainLiteral,
  type Signature,
} from './arguments.ts';
import type { TemplateFunction } from './functions.ts';
import { plainText } from './go/print.ts';
import { quoted } from './go/text.ts';
import { ANY, findField, type GoType, REFLECT_VALUE } from './go/types.ts';
import { entryOf, fieldOf, type GoValue, INVALID, indirect, isTrue, isValid, unwrap } from './go/values.ts';
import { type Command, FIELDS_HINT, type Operand, type Pipeline, type Place, writtenForm } from './syntax.ts';

/** How absent map keys behave, and which functions there are. */
export interface ExpressionOptions {
  readonly missingKey: 'error' | 'no value';
  readonly functions: Readonly<Record<string, TemplateFunction>>;
  /** Ends the template; `place` is what was being evaluated. */
  fail(what: string, place: Place | undefined, hint?: string): never;
}

interface Variable {
  readonly name: string;
  value: GoValue;
}

/** What a function or method is called with: arguments as written, the data, and what the pipeline gave before. */
interface Given {
  readonly args: readonly Operand[];
  readonly dot: GoValue;
  readonly final: GoValue | undefined;
}

type Reference = Extract<Operand, { kind: 'field' | 'chain' | 'variable' }>;

/** Evaluates the expressions of one run of a template, with the variables that it knows. */
export class Expressions {
  /** What a failure points at. */
  place: Place | undefined;
  readonly #options: ExpressionOptions;
  #variables: Variable[] = [];

  constructor(options: ExpressionOptions) {
    this.#options = options;
  }

  /** Runs `work` with `$` and no other variable. */
  withRoot(root: GoValue, work: () => void): void {
    const before = this.#variables;
    this.#variables = [{ name: '$', value: root }];
    work();
    this.#variables = before;
  }

  /** Runs `work`; what it declares ends with it. */
  scoped<T>(work: () => T): T {
    const depth = this.#variables.length;
    try {
      return work();
    } finally {
      this.#variables.length = depth;
    }
  }

  /** Declares `name`, or with `assigns` changes the nearest one of that name. */
  set(name: string, value: GoValue, assigns: boolean): void {
    if (!assigns) {
      this.#variables.push({ name, value });
      return;
    }
    const known = this.#variables.findLast((variable) => variable.name === name);
    if (known !== undefined) known.value = value;
    else this.fail(`undefined variable: ${name}`);
  }

  fail(what: string, hint?: string): never {
    return this.#options.fail(what, this.place, hint);
  }

  readonly #failing: Fail = (what) => this.fail(what);

  /** The value of a pipeline; its variables are declared. */
  pipeline(pipeline: Pipeline, dot: GoValue): GoValue {
    this.place = pipeline;
    let value: GoValue | undefined;
    for (const command of pipeline.commands) value = unwrap(this.#command(command, dot, value));
    const result = value ?? INVALID;
    for (const { name } of pipeline.declares) this.set(name, result, pipeline.assigns);
    return result;
  }

  /** `final` is what the command before it in the pipeline gave. */
  #command(command: Command, dot: GoValue, final: GoValue | undefined): GoValue {
    const [first, ...args] = command.operands;
    if (first === undefined) return INVALID;
    const given = { args, dot, final };
    switch (first.kind) {
      case 'field':
      case 'chain':
      case 'variable':
        return this.#reference(first, given);
      case 'identifier':
        this.place = first;
        return this.#callFunction(first.name, command, given);
      case 'pipeline':
        this.#noArguments(first, given);
        return this.pipeline(first, dot);
      default:
        this.place = first;
        this.#noArguments(first, given);
        if (first.kind === 'nil') return this.fail('nil is not a command');
        return first.kind === 'dot' ? dot : plainLiteral(this.#failing, first);
    }
  }

  #noArguments(operand: Operand, { args, final }: Given): void {
    if (args.length === 0 && final === undefined) return;
    this.fail(`can't give argument to non-function ${writtenForm(operand)}`);
  }

  #reference(operand: Reference, given: Given): GoValue {
    this.place = operand;
    if (operand.kind === 'field') return this.#fields(given.dot, operand.names, operand, given);
    if (operand.kind === 'chain') {
      if (operand.start.kind === 'nil') this.fail(`indirection through explicit nil in ${writtenForm(operand)}`);
      return this.#fields(this.#argument(operand.start, undefined, given.dot), operand.names, operand, given);
    }
    const [name = '', ...names] = operand.names;
    const variable = this.#variables.findLast((known) => known.name === name);
    if (variable === undefined) return this.fail(`undefined variable: ${name}`);
    if (names.length > 0) return this.#fields(variable.value, names, operand, given);
    this.#noArguments(operand, given);
    return variable.value;
  }

  #fields(start: GoValue, names: readonly string[], place: Operand, given: Given): GoValue {
    let value = start;
    names.forEach((name, at) => {
      const isLast = at === names.length - 1;
      value = this.#field(value, name, place, isLast ? given : { ...given, args: [], final: undefined });
    });
    return value;
  }

  /** @source Go text/template evalField */
  #field(owner: GoValue, name: string, place: Operand, given: Given): GoValue {
    if (!isValid(owner)) {
      if (this.#options.missingKey === 'error') this.fail(`nil data; no entry for key ${quoted(name, '"', false)}`);
      return INVALID;
    }
    const { value, isNil: nil } = indirect(owner);
    if (value.type.kind === 'interface' && nil) this.fail(`nil pointer evaluating ${owner.type.name}.${name}`);
    const method = value.type.methods?.[name];
    if (method !== undefined) {
      const args = this.#arguments({ params: method.params, rest: undefined }, name, given);
      return this.#guarded(name, place, () => method.call(value, args));
    }
    const found = this.#member(value, name, given);
    if (found !== undefined) return found;
    const { elem } = value.type;
    const mayHaveIt = value.type.kind === 'pointer' && (elem?.kind !== 'struct' || findField(elem, name) !== undefined);
    if (mayHaveIt && nil) this.fail(`nil pointer evaluating ${owner.type.name}.${name}`);
    return this.fail(`can't evaluate field ${name} in type ${owner.type.name}`, FIELDS_HINT);
  }

  /** A field of a struct or an entry of a map; undefined when the value has no such thing. */
  #member(value: GoValue, name: string, { args, final }: Given): GoValue | undefined {
    const hasArguments = args.length > 0 || final !== undefined;
    if (value.type.kind === 'struct') {
      const field = fieldOf(value, name);
      if (field === undefined) return undefined;
      if (!/^\p{Lu}/u.test(name)) this.fail(`${name} is an unexported field of struct type ${value.type.name}`);
      if (hasArguments) this.fail(`${name} has arguments but cannot be invoked as function`);
      return field;
    }
    if (value.type.kind !== 'map') return undefined;
    if (hasArguments) this.fail(`${name} is not a method but has arguments`);
    const entry = entryOf(value, name);
    if (isValid(entry) || this.#options.missingKey !== 'error') return entry;
    return this.fail(`map has no entry for key ${quoted(name, '"', false)}`, FIELDS_HINT);
  }

  // Calls.

  #callFunction(name: string, place: Place, given: Given): GoValue {
    const fn = this.#options.functions[name];
    if (fn === undefined) return this.fail(`${quoted(name, '"', false)} is not a defined function`);
    if (name === 'and' || name === 'or') {
      checkCount(this.#failing, fn, name, given.args.length, given.final !== undefined);
      return this.#untilDecided(name === 'or', given);
    }
    const args = this.#arguments(fn, name, given);
    const [first] = given.args;
    const callee = first === undefined ? plainText(args[0] ?? INVALID) : writtenForm(first);
    return this.#guarded(name, place, () => fn.call(args, callee));
  }

  /** `and` and `or` look no further than they must. */
  #untilDecided(deciding: boolean, { args, dot, final }: Given): GoValue {
    let value = INVALID;
    for (const operand of args) {
      value = this.#argument(operand, REFLECT_VALUE, dot);
      if (isTrue(value) === deciding) return value;
    }
    return final ?? value;
  }

  #guarded(name: string, place: Place, call: () => GoValue): GoValue {
    try {
      return call();
    } catch (error) {
      this.place = place;
      return this.fail(`error calling ${name}: ${messageOf(error)}`);
    }
  }

  #arguments(signature: Signature, name: string, { args, dot, final }: Given): GoValue[] {
    checkCount(this.#failing, signature, name, args.length, final !== undefined);
    const values = args.map((operand, at) => this.#argument(operand, parameterType(signature, at), dot));
    if (final !== undefined) values.push(fitValue(this.#failing, final, parameterType(signature, args.length)));
    return values;
  }

  /** @source Go text/template evalArg */
  #argument(operand: Operand, type: GoType | undefined, dot: GoValue): GoValue {
    this.place = operand;
    const nothing = { args: [], dot, final: undefined };
    switch (operand.kind) {
      case 'dot':
        return fitValue(this.#failing, dot, type);
      case 'nil':
        return nilValue(this.#failing, type);
      case 'field':
      case 'variable':
      case 'chain':
        return fitValue(this.#failing, this.#reference(operand, nothing), type);
      case 'pipeline':
        return fitValue(this.#failing, this.pipeline(operand, dot), type);
      case 'identifier':
        return fitValue(this.#failing, this.#callFunction(operand.name, operand, nothing), type);
      default:
        return literalValue(this.#failing, operand, type ?? ANY);
    }
  }
}
