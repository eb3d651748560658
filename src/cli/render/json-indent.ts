// Owns re-spacing JSON text without reading its values, so that every digit and key order stays. Pure.

const INDENT = '    ';

/** `json` with four spaces a level, as Go's json.Indent writes it; the text must be valid JSON. */
export function indentJson(json: string): string {
  const parts: string[] = [];
  let depth = 0;
  let at = 0;
  const newline = (): void => {
    parts.push('\n', INDENT.repeat(depth));
  };
  while (at < json.length) {
    const char = json[at] ?? '';
    if (char === '"') {
      const end = stringEnd(json, at);
      parts.push(json.slice(at, end));
      at = end;
      continue;
    }
    at++;
    if (/\s/.test(char)) continue;
    if (char === '{' || char === '[') {
      const empty = /^\s*[}\]]/.exec(json.slice(at, at + 64));
      if (empty !== null) {
        parts.push(char, char === '{' ? '}' : ']');
        at += empty[0].length;
        continue;
      }
      parts.push(char);
      depth++;
      newline();
    } else if (char === '}' || char === ']') {
      depth--;
      newline();
      parts.push(char);
    } else if (char === ',') {
      parts.push(char);
      newline();
    } else {
      parts.push(char === ':' ? ': ' : char);
    }
  }
  return parts.join('');
}

/** `json` without white space between its parts, as Go's json.Compact writes it; the text must be valid JSON. */
export const compactJson = (json: string): string => json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');

function stringEnd(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}
