// Owns the escapes of the template functions html, js and urlquery. Pure.
import { bytesOf, isPrintable } from './go/text.ts';

const HTML: Readonly<Record<string, string>> = {
  '\0': '\ufffd',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

/** @source Go text/template HTMLEscapeString */
export const escapeHtmlText = (text: string): string => text.replace(/[\0&<>"']/g, (char) => HTML[char] ?? char);

const JS: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "\\'", '"': '\\"' };

/** @source Go text/template JSEscapeString */
export function escapeJs(text: string): string {
  let escaped = '';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const special = JS[char];
    if (special !== undefined) escaped += special;
    else if ('<>&='.includes(char) || code < 0x20 || !isPrintable(char)) {
      escaped += `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
    } else escaped += char;
  }
  return escaped;
}

/** @source Go net/url QueryEscape */
export function escapeQuery(text: string): string {
  let escaped = '';
  for (const byte of bytesOf(text)) {
    const char = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-_.~]/.test(char)) escaped += char;
    else escaped += char === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}
