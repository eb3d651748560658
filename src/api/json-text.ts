// Owns JSON text as Go's default encoder writes it. Pure.

const UNSAFE = /[<>&\u2028\u2029]/g;

/** `value` as JSON with `<`, `>` and `&` as \u003c and so on: progress and event streams are written so. @source dockerd 28.5.2 */
export function htmlSafeJson(value: unknown): string {
  return escapeHtml(JSON.stringify(value));
}

/** The same for text that is JSON already. */
export function escapeHtml(jsonText: string): string {
  return jsonText.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
