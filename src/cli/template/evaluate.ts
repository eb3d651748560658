// Owns running a template on a value: text, conditions, loops and templates in templates. Does no output of its own.
import { Expressions } from './expressions.ts';
import { FUNCTIONS, type TemplateFunction } from './functions.ts';
import { plainText } from './go/print.ts';
import { quoted } from './go/text.ts';
import { ANY } from './go/types.ts';
import {
  entryOf,
  type GoValue,
  goInt,
  INVALID,
  indirect,
  isTrue,
  isValid,
  itemAt,
  itemsOf,
  keysOf,
  numberOf,
  typedValue,
} from './go/values.ts';
import {
  lineAndColumn,
  type Node,
  type Pipeline,
  type Place,
  type Template,
  TemplateError,
  writtenForm,
} from './syntax.ts';

/** How absent map keys behave, and which functions there are. */
export interface EvaluateOptions {
  /** `error`: an absent key fails; `no value`: it prints `<no value>`. */
  readonly missingKey?: 'error' | 'no value';
  readonly functions?: Readonly<Record<string, TemplateFunction>>;
}

/** Go stops here; deeper templates would use up JavaScript's stack before. */
const DEPTH_SHOWN = 100_000;
const DEPTH_MAX = 500;

/**
 * The text of `template` for `data`.
 * @throws TemplateError in Go's words, with the place
 * @source Go text/template
 */
export function evaluateTemplate(template: Template, data: GoValue, options: EvaluateOptions = {}): string {
  const evaluator = new Evaluator(template, options);
  try {
    evaluator.runTemplate(template.name, template.nodes, data);
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

type Branch = Extract<Node, { kind: 'if' | 'with' | 'range' }>;

class Evaluator {
  output = '';
  readonly #template: Template;
  readonly #expressions: Expressions;
  /** The template that runs, and how deep it lies in others. */
  #name = '';
  #depth = 0;

  constructor(template: Template, options: EvaluateOptions) {
    this.#template = template;
    this.#expressions = new Expressions({
      missingKey: options.missingKey ?? 'no value',
      functions: options.functions ?? FUNCTIONS,
      fail: (what, place, hint) => this.#fail(what, place, hint),
    });
  }

  runTemplate(name: string, nodes: readonly Node[], dot: GoValue): void {
    const before = this.#name;
    this.#name = name;
    this.#depth++;
    this.#expressions.withRoot(dot, () => this.#run(nodes, dot));
    this.#depth--;
    this.#name = before;
  }

  #fail(what: string, place: Place | undefined, hint?: string): never {
    if (place === undefined) throw new TemplateError(`template: ${this.#template.name}: ${what}`, hint);
    const at = lineAndColumn(this.#template.source, place.offset);
    const executing = `executing ${quoted(this.#name, '"', false)} at <${writtenForm(place)}>`;
    throw new TemplateError(`template: ${this.#template.name}:${at}: ${executing}: ${what}`, hint);
  }

  #run(nodes: readonly Node[], dot: GoValue): void {
    for (const node of nodes) this.#walk(node, dot);
  }

  #walk(node: Node, dot: GoValue): void {
    this.#expressions.place = node;
    switch (node.kind) {
      case 'text':
        this.output += node.text;
        return;
      case 'action': {
        const value = this.#expressions.pipeline(node.pipeline, dot);
        if (node.pipeline.declares.length > 0) return;
        this.#expressions.place = node;
        this.output += printed(value);
        return;
      }
      case 'break':
      case 'continue':
        throw new LoopSignal(node.kind);
      case 'template':
        this.#invoke(node, dot);
        return;
      case 'range':
        this.#expressions.scoped(() => this.#range(node, dot));
        return;
      case 'if':
      case 'with':
        this.#expressions.scoped(() => this.#choice(node, dot));
    }
  }

  #choice(node: Branch, dot: GoValue): void {
    const value = this.#expressions.pipeline(node.pipeline, dot);
    if (isTrue(value)) this.#run(node.body, node.kind === 'with' ? value : dot);
    else this.#run(node.otherwise, dot);
  }

  #invoke(node: Extract<Node, { kind: 'template' }>, dot: GoValue): void {
    const nodes = this.#template.defined.get(node.name);
    if (nodes === undefined) this.#expressions.fail(`template ${quoted(node.name, '"', false)} not defined`);
    if (this.#depth > DEPTH_MAX) this.#expressions.fail(`exceeded maximum template depth (${DEPTH_SHOWN})`);
    const value = node.pipeline === undefined ? INVALID : this.#expressions.pipeline(node.pipeline, dot);
    this.runTemplate(node.name, nodes, value);
  }

  #range(node: Branch, dot: GoValue): void {
    // The variables get their values at each turn.
    const { value } = indirect(this.#expressions.pipeline({ ...node.pipeline, declares: [] }, dot));
    const count = this.#turns(node, value);
    if (count === 0) this.#run(node.otherwise, dot);
  }

  /** Runs the body for each item; how many there were. */
  #turns(node: Branch, value: GoValue): number {
    switch (value.type.kind) {
      case 'array':
      case 'slice': {
        const items = itemsOf(value);
        for (let at = 0; at < items.length; at++) if (!this.#turn(node, goInt(at), itemAt(value, at))) break;
        return items.length;
      }
      case 'map': {
        const keys = keysOf(value);
        const key = (text: string): GoValue => typedValue(value.type.key ?? ANY, text);
        for (const text of keys) if (!this.#turn(node, key(text), entryOf(value, text))) break;
        return keys.length;
      }
      case 'int':
      case 'uint': {
        if (node.pipeline.declares.length > 1) {
          this.#expressions.fail(`can't use ${plainText(value)} to iterate over more than one variable`);
        }
        const count = Number(numberOf(value));
        for (let at = 0; at < count; at++) if (!this.#turn(node, INVALID, { type: value.type, data: at })) break;
        return Math.max(0, count);
      }
      case 'invalid':
        return 0;
      default:
        return this.#expressions.fail(`range can't iterate over ${plainText(value)}`);
    }
  }

  /** One turn; false when the body says `break`. */
  #turn(node: Branch, key: GoValue, item: GoValue): boolean {
    return this.#expressions.scoped(() => {
      this.#nameTurn(node.pipeline, key, item);
      try {
        this.#run(node.body, item);
        return true;
      } catch (error) {
        if (!(error instanceof LoopSignal)) throw error;
        return error.kind === 'continue';
      }
    });
  }

  #nameTurn({ declares, assigns }: Pipeline, key: GoValue, item: GoValue): void {
    const values = declares.length > 1 ? [key, item] : [item];
    declares.forEach(({ name }, at) => {
      this.#expressions.set(name, values[at] ?? INVALID, assigns);
    });
  }
}

/** What an action prints. @source Go text/template printValue */
function printed(value: GoValue): string {
  const shown = value.type.kind === 'pointer' ? indirect(value).value : value;
  return isValid(shown) ? plainText(shown) : '<no value>';
}
