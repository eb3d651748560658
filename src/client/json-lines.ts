// Owns reading one JSON value per line (or back to back) from an answer. Knows nothing of what the values mean.

const MAX_LINE_CHARS = 64 * 1024 * 1024;

/**
 * The values in `stream`, one per line; blank lines are skipped, a last line without newline counts.
 * @throws SyntaxError when a line is no JSON
 */
export async function* jsonLines<T>(
  stream: AsyncIterable<Uint8Array>,
  parse: (line: string) => unknown = JSON.parse,
): AsyncGenerator<T, void, undefined> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = '';
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARS) throw new SyntaxError('a line of the answer is too long');
    for (const line of lines) if (line.trim() !== '') yield parse(line) as T;
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield parse(rest) as T;
}

/** Docker's `filters` value: a JSON map from key to the set of values; undefined when there are none. */
export function filtersText(filters: Filters | undefined): string | undefined {
  const entries = Object.entries(filters ?? {}).sort(([left], [right]) => (left < right ? -1 : 1));
  if (entries.length === 0) return undefined;
  return JSON.stringify(
    Object.fromEntries(
      entries.map(([key, values]) => [key, Object.fromEntries([...values].sort().map((value) => [value, true]))]),
    ),
  );
}

/** Values by filter key; values of one key are alternatives. */
export type Filters = Readonly<Record<string, readonly string[]>>;
