// Owns the globs of the registry's configuration: which repositories and tags a rule speaks of. Pure.

/** True when one of `patterns` fits: `*` stops at slashes, `**` does not, `?` is one character but a slash. Linear in each. */
export function fitsAny(text: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => fits(text, pattern));
}

/** True when all of `text` fits `pattern`. Never goes back further than the last star, so its time is bounded by the product of lengths. */
export function fits(text: string, pattern: string): boolean {
  let at = 0;
  let p = 0;
  let star: { p: number; at: number; isDeep: boolean } | undefined;
  let deep: { p: number; at: number; isDeep: boolean } | undefined;
  for (;;) {
    if (p < pattern.length && pattern[p] === '*') {
      const isDeep = pattern[p + 1] === '*';
      while (pattern[p] === '*') p++;
      star = { p, at, isDeep };
      if (isDeep) deep = star;
      continue;
    }
    if (
      at < text.length &&
      p < pattern.length &&
      (pattern[p] === text[at] || (pattern[p] === '?' && text[at] !== '/'))
    ) {
      p++;
      at++;
      continue;
    }
    if (at === text.length && p === pattern.length) return true;
    // Lengthen the last star; where a shallow one may not cross a slash, the last deep one before it.
    if (star && !star.isDeep && (star.at >= text.length || text[star.at] === '/')) star = deep;
    if (!star || star.at >= text.length) return false;
    star.at++;
    at = star.at;
    p = star.p;
  }
}
