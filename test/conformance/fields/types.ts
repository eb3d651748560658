// Owns the shape of the table of request fields: what becomes of each, and which test shows it. No behaviour.

/** A test that shows the fate of a field. */
export type Ref =
  /** A case of create, exec or volume bodies: some body of it has the field. */
  | { readonly kind: 'body'; readonly area: string; readonly name: string }
  /** A case of the command line. */
  | { readonly kind: 'cli'; readonly area: string; readonly name: string }
  /** A test elsewhere; its title as the source has it. The path is relative to the repository. */
  | { readonly kind: 'file'; readonly path: string; readonly name: string };

export type Fate =
  /** It does what Docker does with it. */
  | { readonly is: 'honoured'; readonly by: readonly Ref[] }
  /** The request fails and says these words. */
  | { readonly is: 'refused'; readonly words: string; readonly by: readonly Ref[] }
  /** It changes nothing, in Docker on Linux neither. */
  | { readonly is: 'ignored'; readonly why: string; readonly by: readonly Ref[] };

/** A row for every field of a Docker type. */
export type Rows<T> = { readonly [Field in keyof Required<T>]: Fate };

/** A body whose endpoint answers 501: none of its fields is looked at. */
export interface Absent {
  readonly endpoint: string;
}

export type Part = Readonly<Record<string, Fate>> | Absent;

export const body = (area: string, name: string): Ref => ({ kind: 'body', area, name });
export const cli = (area: string, name: string): Ref => ({ kind: 'cli', area, name });
export const file = (path: string, name: string): Ref => ({ kind: 'file', path, name });

export const honoured = (...by: readonly [Ref, ...Ref[]]): Fate => ({ is: 'honoured', by });
export const refused = (words: string, ...by: readonly [Ref, ...Ref[]]): Fate => ({ is: 'refused', words, by });
export const ignored = (why: string, ...by: readonly [Ref, ...Ref[]]): Fate => ({ is: 'ignored', why, by });
