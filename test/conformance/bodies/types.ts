// Owns the shape of create bodies that are tried on engines, and of what comes of them. No behaviour.

/** A body of POST /containers/create, over an image and the command `true`. `$N` stands for the case's own name. */
export interface Try {
  readonly body: Readonly<Record<string, unknown>>;
  /** What the body is for instead: an exec in the peer, over the command `true`, or a volume. */
  readonly of?: 'exec' | 'volume';
  /** Then started and waited for. Of an exec: with this body. */
  readonly start?: true | Readonly<Record<string, unknown>>;
  /** Of the API; 1.51 unless given. */
  readonly version?: string;
  /** Places in inspect to look at afterwards, such as `HostConfig.Memory`. */
  readonly shows?: readonly string[];
}

export interface BodyCase {
  /** What a user would lose if the engine got it wrong. */
  readonly name: string;
  /** A container `$N-peer` sleeps meanwhile. */
  readonly peer?: true;
  readonly tries: readonly Try[];
}

/** What came of one try: how far it got, and what was said there. */
export interface Outcome {
  readonly refused?: { readonly at: 'create' | 'start'; readonly status: number; readonly message: string };
  readonly warnings?: readonly string[];
  readonly exitCode?: number;
  readonly output?: string;
  readonly shows?: Readonly<Record<string, unknown>>;
}

type Fields = Readonly<Record<string, unknown>>;
type More = Omit<Try, 'body'> & { readonly body?: Fields };

/** A try of HostConfig fields. */
export const host = (HostConfig: Fields, { body, ...more }: More = {}): Try => ({
  body: { HostConfig, ...body },
  ...more,
});

/** A try of fields of the body itself. */
export const config = (body: Fields, more: Omit<Try, 'body'> = {}): Try => ({ body, ...more });

/** A try of an exec that runs. */
export const exec = (body: Fields, start: Fields = {}): Try => ({ of: 'exec', body, start });

/** A try whose container runs the command by sh. */
export const sees = (script: string, HostConfig: Fields, body: Fields = {}): Try => ({
  body: { HostConfig, ...body, Cmd: ['sh', '-c', script] },
  start: true,
});
