// Owns the form in which the image calls take a platform.

/** `os/arch[/variant]` as JSON; an empty text stays. @source Engine API since 1.48 */
export function platformJson(text: string): string {
  if (text === '') return '';
  const [os = '', architecture = '', variant] = text.split('/');
  return JSON.stringify({ architecture, os, ...(variant === undefined ? {} : { variant }) });
}
