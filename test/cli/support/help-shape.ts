// Owns what two help pages must have in common: usage, other names and options. The words are each one's own.

/** An option as a page shows it. */
interface Option {
  readonly name: string;
  readonly short: string;
  readonly type: string;
  readonly initial: string;
}

/** A page without its words. */
export interface HelpShape {
  readonly usage: string;
  readonly aliases: string;
  readonly options: readonly Option[];
}

const OPTION = /^ {2}(?:-(\w), | {4})--([\w-]+)(?: (\S+))?(?: {2,}(.*(?:\n {10,}.*)*))?$/gm;
/** First values that mean none; docker shows them for some types. */
const EMPTY = new Set(['[]', 'map[]', '0', '0s']);

/** The shape of a help page. */
export function helpShape(page: string): HelpShape {
  const options = [...page.matchAll(OPTION)].map(([, short = '', name = '', type = '', about = '']) => {
    const initial = /\(default ("[^"]*"|\S+?)\)/.exec(about)?.[1] ?? '';
    return { name, short, type, initial: EMPTY.has(initial) ? '' : initial };
  });
  return {
    usage: /^Usage:\s+(.*)$/m.exec(page)?.[1] ?? '',
    aliases: /^Aliases:\n\s+(.*)$/m.exec(page)?.[1] ?? '',
    // Where -h means something else, docker lists --help.
    options: options.filter((option) => option.name !== 'help'),
  };
}
