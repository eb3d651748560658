// Owns reading a template into its syntax tree. Evaluates nothing.
import { isWord, TokenCursor } from './cursor.ts';
import { quoted } from './go/text.ts';
import { describeToken, lexTemplate, type Token, type TokenType } from './lex.ts';
import { readNumber, unquote } from './literals.ts';
import {
  type Command,
  FUNCTIONS_HINT,
  type Node,
  type Operand,
  type Pipeline,
  type Template,
  TemplateError,
  writtenForm,
} from './syntax.ts';

/**
 * Reads `source`; `functions` are the names it may call.
 * @throws TemplateError in Go's words
 * @source Go text/template
 */
export function parseTemplate(source: string, functions: ReadonlySet<string>, name = ''): Template {
  const reader = new Reader(source, functions, name);
  return { name, source, nodes: reader.readAll(), defined: reader.defined };
}

/** What ends a list of nodes. */
type Stop = 'end' | 'else';

const OPERAND_STARTS: ReadonlySet<TokenType> = new Set<TokenType>([
  'bool',
  'charConstant',
  'complex',
  'dot',
  'field',
  'identifier',
  'leftParen',
  'nil',
  'number',
  'rawString',
  'string',
  'variable',
]);

class Reader {
  readonly defined = new Map<string, readonly Node[]>();
  readonly #tokens: TokenCursor;
  readonly #functions: ReadonlySet<string>;
  readonly #name: string;
  #actionLine = 0;
  #rangeDepth = 0;
  #variables: string[] = ['$'];

  constructor(source: string, functions: ReadonlySet<string>, name: string) {
    this.#tokens = new TokenCursor(lexTemplate(source));
    this.#functions = functions;
    this.#name = name;
  }

  readAll(): Node[] {
    const nodes: Node[] = [];
    while (this.#tokens.peek().type !== 'end') {
      const mark = this.#tokens.at;
      if (this.#tokens.next().type === 'leftDelim' && isWord(this.#tokens.nextSolid(), 'define')) {
        this.#definition();
        continue;
      }
      this.#tokens.at = mark;
      const node = this.#textOrAction();
      if (typeof node === 'string') this.#fail(`unexpected {{${node}}}`);
      nodes.push(node);
    }
    this.#add(this.#name, nodes);
    return nodes;
  }

  // Complaints.

  #expect(type: TokenType, context: string): Token {
    const token = this.#tokens.nextSolid();
    if (token.type !== type) this.#unexpected(token, context);
    return token;
  }

  #fail(what: string, hint?: string): never {
    throw new TemplateError(`template: ${this.#name}:${this.#tokens.line}: ${what}`, hint);
  }

  #unexpected(token: Token, context: string): never {
    if (token.type !== 'error') this.#fail(`unexpected ${describeToken(token)} in ${context}`);
    let extra = '';
    if (this.#actionLine !== 0 && this.#actionLine !== token.line) {
      extra = ` in action started at ${this.#name}:${this.#actionLine}`;
      if (token.text.endsWith(' action')) extra = extra.slice(' in action'.length);
    }
    return this.#fail(token.text + extra);
  }

  // Lists and control.

  #itemList(): { nodes: Node[]; stop: Stop } {
    const nodes: Node[] = [];
    while (this.#tokens.peekSolid().type !== 'end') {
      const node = this.#textOrAction();
      if (typeof node === 'string') return { nodes, stop: node };
      nodes.push(node);
    }
    return this.#fail('unexpected EOF');
  }

  #textOrAction(): Node | Stop {
    const token = this.#tokens.nextSolid();
    if (token.type === 'text') return { kind: 'text', offset: token.offset, text: token.text };
    if (token.type !== 'leftDelim') this.#unexpected(token, 'input');
    this.#actionLine = token.line;
    const node = this.#action();
    this.#actionLine = 0;
    return node;
  }

  #action(): Node | Stop {
    const token = this.#tokens.nextSolid();
    if (token.type === 'keyword') {
      switch (token.text) {
        case 'block':
          return this.#block();
        case 'break':
        case 'continue':
          return this.#loopControl(token, token.text);
        case 'else':
          return this.#else();
        case 'end':
          this.#expect('rightDelim', 'end');
          return 'end';
        case 'if':
        case 'range':
        case 'with':
          return this.#control(token.offset, token.text);
        case 'template':
          return this.#template();
      }
    }
    this.#tokens.at--;
    const { offset } = this.#tokens.peek();
    return { kind: 'action', offset, pipeline: this.#pipeline('command', 'rightDelim') };
  }

  #loopControl(token: Token, kind: 'break' | 'continue'): Node {
    const after = this.#tokens.nextSolid();
    if (after.type !== 'rightDelim') this.#unexpected(after, `{{${kind}}}`);
    if (this.#rangeDepth === 0) this.#fail(`{{${kind}}} outside {{range}}`);
    return { kind, offset: token.offset };
  }

  #else(): Stop {
    const next = this.#tokens.peekSolid();
    if (!isWord(next, 'if') && !isWord(next, 'with')) this.#expect('rightDelim', 'else');
    return 'else';
  }

  #control(offset: number, kind: 'if' | 'range' | 'with'): Node {
    const known = this.#variables.length;
    const pipeline = this.#pipeline(kind, 'rightDelim');
    if (kind === 'range') this.#rangeDepth++;
    const { nodes: body, stop } = this.#itemList();
    if (kind === 'range') this.#rangeDepth--;
    const otherwise = stop === 'else' ? this.#otherwise(kind) : [];
    this.#variables.length = known;
    return { kind, offset, pipeline, body, otherwise };
  }

  #otherwise(kind: 'if' | 'range' | 'with'): Node[] {
    const next = this.#tokens.peek();
    if (kind !== 'range' && isWord(next, kind)) {
      this.#tokens.at++;
      return [this.#control(next.offset, kind)];
    }
    const { nodes, stop } = this.#itemList();
    if (stop === 'else') this.#fail('expected end; found {{else}}');
    return nodes;
  }

  // Templates in templates.

  #definition(): void {
    const context = 'define clause';
    const name = this.#templateName(this.#tokens.nextSolid(), context);
    this.#expect('rightDelim', context);
    this.#add(name, this.#ownList(context));
  }

  #block(): Node {
    const context = 'block clause';
    const token = this.#tokens.nextSolid();
    const name = this.#templateName(token, context);
    const pipeline = this.#pipeline(context, 'rightDelim');
    this.#add(name, this.#ownList(context));
    return { kind: 'template', offset: token.offset, name, pipeline };
  }

  /** The list of a template of its own: it sees no variable and no loop around it. */
  #ownList(context: string): readonly Node[] {
    const { variables, depth, line } = { variables: this.#variables, depth: this.#rangeDepth, line: this.#actionLine };
    this.#variables = ['$'];
    this.#rangeDepth = 0;
    const { nodes, stop } = this.#itemList();
    if (stop === 'else') this.#fail(`unexpected {{else}} in ${context}`);
    this.#variables = variables;
    this.#rangeDepth = depth;
    this.#actionLine = line;
    return nodes;
  }

  #template(): Node {
    const context = 'template clause';
    const token = this.#tokens.nextSolid();
    const name = this.#templateName(token, context);
    if (this.#tokens.nextSolid().type === 'rightDelim')
      return { kind: 'template', offset: token.offset, name, pipeline: undefined };
    this.#tokens.at--;
    return { kind: 'template', offset: token.offset, name, pipeline: this.#pipeline(context, 'rightDelim') };
  }

  #templateName(token: Token, context: string): string {
    if (token.type !== 'string' && token.type !== 'rawString') this.#unexpected(token, context);
    return this.#read(() => unquote(token.text));
  }

  #add(name: string, nodes: readonly Node[]): void {
    const before = this.defined.get(name);
    if (before === undefined || isBlank(before)) this.defined.set(name, nodes);
    else if (!isBlank(nodes)) this.#fail(`template: multiple definition of template ${quoted(name, '"', false)}`);
  }

  // Expressions.

  #pipeline(context: string, end: 'rightDelim' | 'rightParen'): Pipeline {
    const { offset } = this.#tokens.peekSolid();
    const { declares, assigns } = this.#declarations(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#tokens.nextSolid();
      if (token.type === end) break;
      if (!OPERAND_STARTS.has(token.type)) this.#unexpected(token, context);
      this.#tokens.at--;
      commands.push(this.#command());
    }
    this.#checkPipeline(commands, context);
    return { kind: 'pipeline', offset, declares, assigns, commands };
  }

  #declarations(context: string): { declares: { name: string }[]; assigns: boolean } {
    const declares: { name: string }[] = [];
    for (;;) {
      const mark = this.#tokens.at;
      const variable = this.#tokens.peekSolid();
      if (variable.type !== 'variable') return { declares, assigns: false };
      this.#tokens.at++;
      const next = this.#tokens.peekSolid();
      if (next.type === 'assign' || next.type === 'declare') {
        this.#tokens.at++;
        this.#declare(declares, variable.text);
        return { declares, assigns: next.type === 'assign' };
      }
      if (next.type !== 'char' || next.text !== ',') {
        this.#tokens.at = mark;
        return { declares, assigns: false };
      }
      this.#tokens.at++;
      this.#declare(declares, variable.text);
      if (context !== 'range' || declares.length >= 2) this.#fail(`too many declarations in ${context}`);
      const { type } = this.#tokens.peekSolid();
      if (type !== 'variable' && type !== 'rightDelim' && type !== 'rightParen') {
        this.#fail('range can only initialize variables');
      }
    }
  }

  #declare(declares: { name: string }[], name: string): void {
    declares.push({ name });
    this.#variables.push(name);
  }

  #checkPipeline(commands: readonly Command[], context: string): void {
    if (commands.length === 0) this.#fail(`missing value for ${context}`);
    commands.forEach(({ operands }, at) => {
      const kind = operands[0]?.kind ?? 'nil';
      if (at > 0 && ['bool', 'dot', 'nil', 'number', 'string'].includes(kind)) {
        this.#fail(`non executable command in pipeline stage ${at + 1}`);
      }
    });
  }

  #command(): Command {
    const { offset } = this.#tokens.peekSolid();
    const operands: Operand[] = [];
    for (;;) {
      this.#tokens.peekSolid();
      const operand = this.#operand();
      if (operand !== undefined) operands.push(operand);
      const token = this.#tokens.next();
      if (token.type === 'space') continue;
      if (token.type === 'rightDelim' || token.type === 'rightParen') this.#tokens.at--;
      else if (token.type !== 'pipe') this.#unexpected(token, 'operand');
      break;
    }
    if (operands.length === 0) this.#fail('empty command');
    return { kind: 'command', offset, operands };
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    const first = this.#tokens.peek();
    if (term === undefined || first.type !== 'field') return term;
    const names: string[] = [];
    while (this.#tokens.peek().type === 'field') names.push(this.#tokens.next().text.slice(1));
    const { offset } = first;
    switch (term.kind) {
      case 'field':
      case 'variable':
        return { kind: term.kind, offset, names: [...term.names, ...names] };
      case 'bool':
      case 'dot':
      case 'nil':
      case 'number':
      case 'string':
        return this.#fail(`unexpected . after term ${quoted(writtenForm(term), '"', false)}`);
      default:
        return { kind: 'chain', offset, start: term, names };
    }
  }

  #term(): Operand | undefined {
    const token = this.#tokens.nextSolid();
    const { offset, text } = token;
    switch (token.type) {
      case 'identifier':
        if (!this.#functions.has(text)) this.#fail(`function ${quoted(text, '"', false)} not defined`, FUNCTIONS_HINT);
        return { kind: 'identifier', offset, name: text };
      case 'dot':
      case 'nil':
        return { kind: token.type, offset };
      case 'variable':
        if (!this.#variables.includes(text)) this.#fail(`undefined variable ${quoted(text, '"', false)}`);
        return { kind: 'variable', offset, names: [text] };
      case 'field':
        return { kind: 'field', offset, names: [text.slice(1)] };
      case 'bool':
        return { kind: 'bool', offset, value: text === 'true' };
      case 'charConstant':
      case 'complex':
      case 'number':
        return { kind: 'number', offset, number: this.#read(() => readNumber(text)) };
      case 'string':
      case 'rawString':
        return { kind: 'string', offset, written: text, value: this.#read(() => unquote(text)) };
      case 'leftParen':
        return this.#pipeline('parenthesized pipeline', 'rightParen');
      default:
        this.#tokens.at--;
        return undefined;
    }
  }

  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      return this.#fail(error instanceof Error ? error.message : String(error));
    }
  }
}

/** Nothing but white space. */
const isBlank = (nodes: readonly Node[]): boolean =>
  nodes.every((node) => node.kind === 'text' && node.text.trim() === '');
