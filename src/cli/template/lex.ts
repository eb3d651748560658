// Owns cutting a template into text and action tokens. Knows no meaning.
import { lineAndColumn, TemplateError } from './syntax.ts';

/** A token inside an action. */
export interface Token {
  readonly type: 'space' | 'field' | 'dot' | 'variable' | 'word' | 'string' | 'number' | 'symbol';
  /** Source text; for `field` without the dot, for `string` the unquoted value. */
  readonly text: string;
  readonly offset: number;
  readonly source: string;
}

/** Text, or the tokens between `{{` and `}}`. */
export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly offset: number };

/** @throws TemplateError `unclosed action` and the like, in Go's words */
export function lexTemplate(source: string, name: string): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  let trimNext = false;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    let text = open === -1 ? source.slice(at) : source.slice(at, open);
    if (trimNext) text = text.trimStart();
    if (open === -1) {
      segments.push({ kind: 'text', text });
      break;
    }
    const trimBefore = /^\{\{-\s/.test(source.slice(open, open + 4));
    segments.push({ kind: 'text', text: trimBefore ? text.trimEnd() : text });
    const action = lexAction(source, open + (trimBefore ? 3 : 2), name);
    if (action.tokens.length > 0) segments.push({ kind: 'action', tokens: action.tokens, offset: open + 2 });
    trimNext = action.trimAfter;
    at = action.end;
  }
  return segments.filter((segment) => segment.kind !== 'text' || segment.text !== '');
}

const PATTERNS: readonly (readonly [Token['type'], RegExp])[] = [
  ['space', /\s+/y],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['number', /[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]+)/y],
  ['dot', /\./y],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['word', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)'/y],
  ['symbol', /:=|[=|(),]/y],
];

function lexAction(
  source: string,
  start: number,
  name: string,
): { readonly tokens: Token[]; readonly end: number; readonly trimAfter: boolean } {
  const tokens: Token[] = [];
  const comment = /\s*\/\*.*?\*\/\s*?( -)?\}\}/sy;
  comment.lastIndex = start;
  const commentMatch = comment.exec(source);
  if (commentMatch !== null) return { tokens, end: comment.lastIndex, trimAfter: commentMatch[1] !== undefined };
  let at = start;
  while (at < source.length) {
    if (source.startsWith('}}', at)) return { tokens, end: at + 2, trimAfter: false };
    if (/^\s+-\}\}/.test(source.slice(at))) return { tokens, end: source.indexOf('}}', at) + 2, trimAfter: true };
    const token = lexToken(source, at, name);
    tokens.push(token);
    at += token.source.length;
  }
  throw new TemplateError(`template: ${name}:${line(source, start)}: unclosed action`);
}

function lexToken(source: string, at: number, name: string): Token {
  for (const [type, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match === null) continue;
    return { type, text: tokenValue(type, match[0]), offset: at, source: match[0] };
  }
  const char = source[at] ?? '';
  if (char === '"') throw new TemplateError(`template: ${name}:${line(source, at)}: unterminated quoted string`);
  if (char === '`') throw new TemplateError(`template: ${name}:${line(source, at)}: unterminated raw quoted string`);
  const code = `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  throw new TemplateError(`template: ${name}:${line(source, at)}: unrecognized character in action: ${code} '${char}'`);
}

function tokenValue(type: Token['type'], text: string): string {
  if (type === 'field') return text.slice(1);
  if (type !== 'string') return text;
  const inner = text.slice(1, -1);
  return text.startsWith('`') ? inner : inner.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)/g, unescapeSequence);
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };

function unescapeSequence(_whole: string, sequence: string): string {
  if (sequence.length > 1) return String.fromCodePoint(Number.parseInt(sequence.slice(1), 16));
  return ESCAPED[sequence] ?? sequence;
}

function line(source: string, offset: number): string {
  return lineAndColumn(source, offset).split(':')[0] ?? '1';
}
