// Owns cutting a template into tokens, with Go's rules for trimming, comments and literals. Knows no grammar.
import { isPrintable, quoted } from './go/text.ts';

/** What a token is. `error` ends the list: its value is the complaint. */
export type TokenType =
  | 'bool'
  | 'char'
  | 'charConstant'
  | 'complex'
  | 'declare'
  | 'dot'
  | 'end'
  | 'error'
  | 'field'
  | 'assign'
  | 'identifier'
  | 'keyword'
  | 'leftDelim'
  | 'leftParen'
  | 'nil'
  | 'number'
  | 'pipe'
  | 'rawString'
  | 'rightDelim'
  | 'rightParen'
  | 'space'
  | 'string'
  | 'text'
  | 'variable';

/** A piece of a template: its text as written, and where. */
export interface Token {
  readonly type: TokenType;
  readonly text: string;
  readonly offset: number;
  /** From one. */
  readonly line: number;
}

const LEFT = '{{';
const RIGHT = '}}';
const SPACES = ' \t\r\n';
const KEYWORDS = new Set('block break continue define else end if nil range template with'.split(' '));
const SHOWN = 10;

/** How errors name a token. @source Go text/template/parse */
export function describeToken(token: Token): string {
  if (token.type === 'end') return 'EOF';
  if (token.type === 'error') return token.text;
  if (token.type === 'dot' || token.type === 'keyword' || token.type === 'nil') return `<${token.text}>`;
  const chars = [...token.text];
  if (Buffer.byteLength(token.text) > SHOWN) return `${quoted(chars.slice(0, SHOWN).join(''), '"', false)}...`;
  return quoted(token.text, '"', false);
}

/** Every token of `source`; the last one is `end` or `error`. */
export function lexTemplate(source: string): Token[] {
  const lexer = new Lexer(source);
  lexer.run();
  return lexer.tokens;
}

class LexError extends Error {}

class Lexer {
  readonly tokens: Token[] = [];
  readonly #source: string;
  #at = 0;
  #line = 1;
  #counted = 0;

  constructor(source: string) {
    this.#source = source;
  }

  run(): void {
    let start = 0;
    try {
      while (this.#at < this.#source.length) {
        start = this.#at;
        this.#text();
        if (this.#at < this.#source.length) this.#action();
      }
      this.#emit('end', this.#at, this.#at);
    } catch (error) {
      if (!(error instanceof LexError)) throw error;
      this.tokens.push({ type: 'error', text: error.message, offset: start, line: this.#lineAt(this.#at) });
    }
  }

  /** Text before the next action, perhaps cut by its trim marker. */
  #text(): void {
    const open = this.#source.indexOf(LEFT, this.#at);
    const end = open === -1 ? this.#source.length : open;
    const trims = open !== -1 && this.#trimsLeft(open + LEFT.length);
    let last = end;
    if (trims) while (last > this.#at && SPACES.includes(this.#source[last - 1] ?? '')) last--;
    if (last > this.#at) this.#emit('text', this.#at, last);
    this.#at = end;
  }

  #trimsLeft(at: number): boolean {
    return this.#source[at] === '-' && this.#isSpace(at + 1);
  }

  /** ` -}}` stands at `at`. */
  #trimsRight(at: number): boolean {
    return this.#isSpace(at) && this.#source.startsWith(`-${RIGHT}`, at + 1);
  }

  #isSpace(at: number): boolean {
    const char = this.#source[at];
    return char !== undefined && SPACES.includes(char);
  }

  #action(): void {
    const open = this.#at;
    const inner = open + LEFT.length + (this.#trimsLeft(open + LEFT.length) ? 2 : 0);
    if (this.#source.startsWith('/*', inner)) {
      this.#comment(inner);
      return;
    }
    this.#emit('leftDelim', open, open + LEFT.length);
    this.#at = inner;
    let depth = 0;
    for (;;) {
      const trims = this.#trimsRight(this.#at);
      if (trims || this.#source.startsWith(RIGHT, this.#at)) {
        if (depth > 0) throw new LexError('unclosed left paren');
        this.#close(trims);
        return;
      }
      depth += this.#inside(depth);
    }
  }

  #close(trims: boolean): void {
    if (trims) this.#at += 2;
    this.#emit('rightDelim', this.#at, this.#at + RIGHT.length);
    this.#at += RIGHT.length;
    if (trims) while (this.#isSpace(this.#at)) this.#at++;
  }

  #comment(at: number): void {
    const close = this.#source.indexOf('*/', at);
    if (close === -1) throw new LexError('unclosed comment');
    this.#at = close + 2;
    const trims = this.#trimsRight(this.#at);
    if (!trims && !this.#source.startsWith(RIGHT, this.#at)) {
      throw new LexError('comment ends before closing delimiter');
    }
    this.#at += (trims ? 2 : 0) + RIGHT.length;
    if (trims) while (this.#isSpace(this.#at)) this.#at++;
  }

  /** One token inside an action; the change of the depth of parentheses. */
  #inside(depth: number): number {
    const start = this.#at;
    const char = this.#source[start];
    if (char === undefined) throw new LexError('unclosed action');
    if (this.#isSpace(start)) {
      while (this.#isSpace(this.#at) && !this.#trimsRight(this.#at)) this.#at++;
      this.#emit('space', start, this.#at);
      return 0;
    }
    switch (char) {
      case '=':
        return this.#symbol('assign', 1);
      case ':':
        if (this.#source[start + 1] !== '=') throw new LexError('expected :=');
        return this.#symbol('declare', 2);
      case '|':
        return this.#symbol('pipe', 1);
      case '(':
        return this.#symbol('leftParen', 1) + 1;
      case ')':
        if (depth === 0) throw new LexError('unexpected right paren');
        return this.#symbol('rightParen', 1) - 1;
      case '"':
        return this.#quote('"', 'string', 'unterminated quoted string');
      case "'":
        return this.#quote("'", 'charConstant', 'unterminated character constant');
      case '`':
        return this.#rawQuote();
      case '$':
        return this.#name('variable');
    }
    // At the very end a dot counts as a number, as in Go.
    if (char === '.' && /^\D$/.test(this.#source[start + 1] ?? '0')) return this.#name('field');
    if (/[.+\-\d]/.test(char)) return this.#number();
    if (isNameChar(this.#charAt(start))) return this.#word();
    const whole = this.#charAt(start);
    if (char > '\x7f' || char < ' ' || char === '\x7f') throw new LexError(unrecognized(whole));
    return this.#symbol('char', 1);
  }

  #symbol(type: TokenType, length: number): number {
    this.#emit(type, this.#at, this.#at + length);
    this.#at += length;
    return 0;
  }

  #quote(mark: string, type: TokenType, complaint: string): number {
    const start = this.#at++;
    for (;;) {
      const char = this.#source[this.#at++];
      if (char === '\\') {
        const escaped = this.#source[this.#at++];
        if (escaped === undefined || escaped === '\n') throw new LexError(complaint);
      } else if (char === undefined || char === '\n') {
        throw new LexError(complaint);
      } else if (char === mark) {
        this.#emit(type, start, this.#at);
        return 0;
      }
    }
  }

  #rawQuote(): number {
    const close = this.#source.indexOf('`', this.#at + 1);
    if (close === -1) throw new LexError('unterminated raw quoted string');
    this.#emit('rawString', this.#at, close + 1);
    this.#at = close + 1;
    return 0;
  }

  /** `.Name`, `$name`, or the bare sign. */
  #name(type: 'field' | 'variable'): number {
    const start = this.#at++;
    this.#nameChars();
    const bare = this.#at === start + 1;
    if (!bare) this.#terminated();
    else if (!this.#atTerminator()) this.#terminated();
    this.#emit(bare && type === 'field' ? 'dot' : type, start, this.#at);
    return 0;
  }

  #word(): number {
    const start = this.#at;
    this.#nameChars();
    this.#terminated();
    const word = this.#source.slice(start, this.#at);
    const type = word === 'nil' ? 'nil' : KEYWORDS.has(word) ? 'keyword' : isBool(word) ? 'bool' : 'identifier';
    this.#emit(type, start, this.#at);
    return 0;
  }

  #nameChars(): void {
    for (let char = this.#charAt(this.#at); isNameChar(char); char = this.#charAt(this.#at)) this.#at += char.length;
  }

  #terminated(): void {
    if (this.#atTerminator()) return;
    const char = this.#charAt(this.#at);
    throw new LexError(`bad character ${codePoint(char)}`);
  }

  #atTerminator(): boolean {
    const char = this.#source[this.#at];
    if (char === undefined || this.#isSpace(this.#at) || '.,|:)('.includes(char)) return true;
    return this.#source.startsWith(RIGHT, this.#at);
  }

  #number(): number {
    const start = this.#at;
    this.#scanNumber(start);
    let type: TokenType = 'number';
    if (this.#source[this.#at] === '+' || this.#source[this.#at] === '-') {
      this.#scanNumber(start);
      if (this.#source[this.#at - 1] !== 'i') throw this.#badNumber(start);
      type = 'complex';
    }
    this.#emit(type, start, this.#at);
    return 0;
  }

  #scanNumber(start: number): void {
    this.#take(/[+-]/y);
    let digits = /[\d_]*/y;
    let exponent: RegExp | undefined = /(?:[eE][+-]?[\d_]*)?/y;
    if (this.#take(/0/y) !== '') {
      if (this.#take(/[xX]/y) !== '') [digits, exponent] = [/[\da-fA-F_]*/y, /(?:[pP][+-]?[\d_]*)?/y];
      else if (this.#take(/[oO]/y) !== '') [digits, exponent] = [/[0-7_]*/y, undefined];
      else if (this.#take(/[bB]/y) !== '') [digits, exponent] = [/[01_]*/y, undefined];
    }
    this.#take(digits);
    if (this.#take(/\./y) !== '') this.#take(digits);
    if (exponent !== undefined) this.#take(exponent);
    this.#take(/i/y);
    const next = this.#charAt(this.#at);
    if (isNameChar(next)) {
      this.#at += next.length;
      throw this.#badNumber(start);
    }
  }

  #badNumber(start: number): LexError {
    return new LexError(`bad number syntax: ${quoted(this.#source.slice(start, this.#at), '"', false)}`);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#source)?.[0] ?? '';
    this.#at += taken.length;
    return taken;
  }

  #charAt(at: number): string {
    const code = this.#source.codePointAt(at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  #emit(type: TokenType, from: number, to: number): void {
    this.tokens.push({ type, text: this.#source.slice(from, to), offset: from, line: this.#lineAt(from) });
  }

  #lineAt(offset: number): number {
    for (; this.#counted < offset; this.#counted++) if (this.#source[this.#counted] === '\n') this.#line++;
    return this.#line;
  }
}

const isBool = (word: string): boolean => word === 'true' || word === 'false';
const isNameChar = (char: string): boolean => char !== '' && /^[\p{L}\p{Nd}_]$/u.test(char);

function codePoint(char: string): string {
  const code = char.codePointAt(0);
  if (code === undefined) return 'U+FFFFFFFFFFFFFFFF';
  const digits = code.toString(16).toUpperCase().padStart(4, '0');
  return isPrintable(char) ? `U+${digits} '${char}'` : `U+${digits}`;
}

const unrecognized = (char: string): string => `unrecognized character in action: ${codePoint(char)}`;
