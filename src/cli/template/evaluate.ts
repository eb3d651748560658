// Owns running a template on data. Reads fields, calls functions; does no output of its own.
import { goQuote } from '../grammar/go-text.ts';
import { FUNCTIONS, type TemplateFunction } from './functions.ts';
import type { Template } from './parse.ts';
import {
  type Command,
  lineAndColumn,
  type Node,
  type Operand,
  type Pipeline,
  type Place,
  TemplateError,
} from './syntax.ts';
import { isMap, isTrue, MISSING, printValue, resolve, TYPE_NAME, typeName } from './values.ts';

/** How absent map keys behave, and which functions there are. */
export interface EvaluateOptions {
  /** `error`: an absent key fails; `no value`: it prints `<no value>`. */
  readonly missingKey?: 'error' | 'no value';
  readonly functions?: Readonly<Record<string, TemplateFunction>>;
  /** Go type of the data itself, quoted when it lacks a field. */
  readonly rootType?: string;
}

/**
 * The text of `template` for `data`.
 * @throws TemplateError in Go's words, with the place
 * @source Go text/template
 */
export function evaluateTemplate(template: Template, data: unknown, options: EvaluateOptions = {}): string {
  const evaluator = new Evaluator(template, data, options);
  try {
    evaluator.run(template.nodes, data);
  } catch (error) {
    if (error instanceof TemplateError) error.partial = evaluator.output;
    throw error;
  }
  return evaluator.output;
}

class LoopSignal extends Error {
  readonly kind: 'break' | 'continue';

  constructor(kind: 'break' | 'continue') {
    super(kind);
    this.kind = kind;
  }
}

class Evaluator {
  output = '';
  readonly #template: Template;
  readonly #missingKey: 'error' | 'no value';
  readonly #rootType: string | undefined;
  readonly #functions: Readonly<Record<string, TemplateFunction>>;
  readonly #variables: { name: string; value: unknown }[];

  constructor(template: Template, data: unknown, options: EvaluateOptions) {
    this.#template = template;
    this.#missingKey = options.missingKey ?? 'error';
    this.#rootType = options.rootType;
    this.#functions = options.functions ?? FUNCTIONS;
    this.#variables = [{ name: '$', value: data }];
  }

  run(nodes: readonly Node[], dot: unknown): void {
    for (const node of nodes) {
      switch (node.kind) {
        case 'text':
          this.output += node.text;
          break;
        case 'action': {
          const value = this.#pipeline(node.pipeline, dot);
          if (node.pipeline.declares.length === 0) this.output += printValue(value);
          break;
        }
        case 'break':
        case 'continue':
          throw new LoopSignal(node.kind);
        case 'range':
          this.#range(node.pipeline, node.body, node.otherwise, dot);
          break;
        case 'if':
        case 'with':
          this.#scoped(() => {
            const value = this.#pipeline(node.pipeline, dot);
            if (isTrue(value)) this.run(node.body, node.kind === 'with' ? value : dot);
            else this.run(node.otherwise, dot);
          });
      }
    }
  }

  #scoped(work: () => void): void {
    const depth = this.#variables.length;
    try {
      work();
    } finally {
      this.#variables.length = depth;
    }
  }

  #range(pipeline: Pipeline, body: readonly Node[], otherwise: readonly Node[], dot: unknown): void {
    this.#scoped(() => {
      const value = this.#pipeline({ ...pipeline, declares: [] }, dot);
      const entries = this.#entries(value, pipeline.place);
      if (entries.length === 0) {
        this.run(otherwise, dot);
        return;
      }
      for (const [key, item] of entries) if (!this.#turn(pipeline.declares, body, key, item)) break;
    });
  }

  #turn(declares: readonly string[], body: readonly Node[], key: unknown, item: unknown): boolean {
    let goOn = true;
    this.#scoped(() => {
      const [first, second] = declares;
      if (first !== undefined) this.#variables.push({ name: first, value: second === undefined ? item : key });
      if (second !== undefined) this.#variables.push({ name: second, value: item });
      try {
        this.run(body, item);
      } catch (error) {
        if (!(error instanceof LoopSignal)) throw error;
        goOn = error.kind === 'continue';
      }
    });
    return goOn;
  }

  #entries(value: unknown, place: Place): (readonly [unknown, unknown])[] {
    if (value === null || value === undefined || value === MISSING) return [];
    if (Array.isArray(value)) return value.map((item: unknown, at) => [at, item] as const);
    if (isMap(value)) {
      return Object.keys(value)
        .sort()
        .map((key) => [key, resolve(value[key])] as const);
    }
    if (typeof value === 'number') return Array.from({ length: value }, (_item, at) => [at, at] as const);
    return this.#fail(place, `range can't iterate over ${printValue(value)}`);
  }

  #pipeline(pipeline: Pipeline, dot: unknown): unknown {
    let value: unknown;
    let piped: readonly unknown[] = [];
    for (const command of pipeline.commands) {
      value = this.#command(command, dot, piped);
      piped = [value];
    }
    for (const name of pipeline.declares) this.#declare(name, value, pipeline.assigns);
    return value;
  }

  #declare(name: string, value: unknown, assigns: boolean): void {
    const known = assigns ? this.#variables.findLast((variable) => variable.name === name) : undefined;
    if (known === undefined) this.#variables.push({ name, value });
    else known.value = value;
  }

  #command(command: Command, dot: unknown, piped: readonly unknown[]): unknown {
    const [first, ...rest] = command.operands;
    if (first === undefined) return undefined;
    if (first.kind === 'function') return this.#call(first.name, first.place, rest, dot, piped, command.place);
    if (rest.length === 0 && piped.length === 0) return this.#operand(first, dot, []);
    const args = [...rest.map((operand) => this.#operand(operand, dot, [])), ...piped];
    if (first.kind === 'field' || first.kind === 'variable' || first.kind === 'chain') {
      return this.#operand(first, dot, args);
    }
    return this.#fail(first.place, `can't give argument to non-function ${first.place.source}`);
  }

  #call(
    name: string,
    place: Place,
    operands: readonly Operand[],
    dot: unknown,
    piped: readonly unknown[],
    whole: Place,
  ): unknown {
    const fn = this.#functions[name];
    if (fn === undefined) return this.#fail(place, `${goQuote(name)} is not a defined function`);
    const args: unknown[] = [];
    for (const operand of operands) {
      const value = this.#operand(operand, dot, []);
      args.push(value);
      if ((name === 'and' && !isTrue(value)) || (name === 'or' && isTrue(value))) return value;
    }
    try {
      return fn(...args, ...piped);
    } catch (error) {
      if (error instanceof TemplateError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      return this.#fail(reason.startsWith('wrong type') ? (operands[0]?.place ?? place) : whole, reason);
    }
  }

  #operand(operand: Operand, dot: unknown, args: readonly unknown[]): unknown {
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'literal':
        return operand.value;
      case 'function':
        return this.#call(operand.name, operand.place, [], dot, [], operand.place);
      case 'field':
        return this.#fields(dot, operand.names, operand.place, args);
      case 'variable': {
        const variable = this.#variables.findLast((known) => known.name === operand.variable);
        if (variable === undefined) return this.#fail(operand.place, `undefined variable: ${operand.variable}`);
        return this.#fields(variable.value, operand.names, operand.place, args);
      }
      case 'chain':
        return this.#fields(this.#pipeline(operand.inner, dot), operand.names, operand.place, args);
    }
  }

  #fields(start: unknown, names: readonly string[], place: Place, args: readonly unknown[]): unknown {
    let value = start;
    for (const [at, name] of names.entries()) {
      const before = names[at - 1];
      // Docker tries the raw JSON last, which does not have the empty field at all.
      if (value === null && before !== undefined) this.#fail(place, `map has no entry for key ${goQuote(before)}`);
      value = this.#field(value, name, place, at === names.length - 1 ? args : []);
    }
    return value;
  }

  #field(owner: unknown, name: string, place: Place, args: readonly unknown[]): unknown {
    if (owner === null || owner === undefined || owner === MISSING) {
      return this.#fail(place, `nil data; no entry for key ${goQuote(name)}`);
    }
    if (!isMap(owner)) return this.#fail(place, `can't evaluate field ${name} in type ${typeName(owner)}`);
    if (!Object.hasOwn(owner, name)) return this.#absent(owner, name, place);
    const member = owner[name];
    if (typeof member === 'function') return member(...args) as unknown;
    if (args.length > 0) return this.#fail(place, `${name} has arguments but cannot be invoked as function`);
    return member;
  }

  #absent(owner: object, name: string, place: Place): unknown {
    if (TYPE_NAME in owner) return this.#fail(place, `can't evaluate field ${name} in type ${typeName(owner)}`);
    if (this.#rootType !== undefined && owner === this.#variables[0]?.value) {
      return this.#fail(place, `can't evaluate field ${name} in type ${this.#rootType}`);
    }
    if (this.#missingKey === 'no value') return '<no value>';
    return this.#fail(place, `map has no entry for key ${goQuote(name)}`);
  }

  #fail(place: Place, what: string): never {
    const at = lineAndColumn(this.#template.source, place.offset);
    const name = this.#template.name;
    throw new TemplateError(`template: ${name}:${at}: executing ${goQuote(name)} at <${place.source}>: ${what}`);
  }
}
