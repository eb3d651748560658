// Owns requests to a Gantry registry's administration and search API. Knows no engine and no output.

/** How a registry is reached, and as whom. */
export interface RegistryTarget {
  /** `http(s)://host[:port]`. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** A registry's answer that is an error, or none at all. */
export class RegistryRequestError extends Error {
  /** HTTP status; 0 without an answer. */
  readonly status: number;

  constructor(status: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'RegistryRequestError';
    this.status = status;
  }
}

/** A client of one registry. */
export interface RegistryApi {
  /** `path` under `/v2/_gantry/`, or from the root with a slash. @throws RegistryRequestError */
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Everything of a paged list: its rows are member `key`, `last` leads to the next page. @throws RegistryRequestError */
  all<T>(path: string, key: string, query?: Readonly<Record<string, string>>): Promise<T[]>;
}

const ROWS_MAX = 100_000;
const PAGE = 500;

/** Makes a client; nothing is sent yet. */
export function createRegistryApi(target: RegistryTarget): RegistryApi {
  const headers: Record<string, string> = {};
  if (target.username !== undefined) {
    headers.Authorization = `Basic ${Buffer.from(`${target.username}:${target.password ?? ''}`).toString('base64')}`;
  }
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const url = new URL(path.startsWith('/') ? path : `/v2/_gantry/${path}`, target.url);
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(url, { method, headers, redirect: 'error', ...init }).catch((error: Error) => {
      const why = error.cause instanceof Error ? error.cause.message : error.message;
      throw new RegistryRequestError(0, `cannot reach the registry at ${target.url}: ${why}`, error);
    });
    const text = await answer.text();
    if (!answer.ok) throw new RegistryRequestError(answer.status, errorText(text, answer));
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  const all = async <T>(path: string, key: string, query: Readonly<Record<string, string>> = {}): Promise<T[]> => {
    const rows: T[] = [];
    for (let last: string | undefined; rows.length < ROWS_MAX; ) {
      const parameters = new URLSearchParams({ n: String(PAGE), ...query, ...(last === undefined ? {} : { last }) });
      const page = await call<Record<string, unknown>>('GET', `${path}?${parameters}`);
      rows.push(...(page[key] as T[]));
      if (page.last === undefined) break;
      last = String(page.last);
    }
    return rows;
  };
  return { call, all };
}

function errorText(text: string, answer: Response): string {
  try {
    const [first] = (JSON.parse(text) as { errors: { code: string; message: string }[] }).errors;
    if (first) return `${first.code.toLowerCase().replaceAll('_', ' ')}: ${first.message}`;
  } catch {
    // No body of a registry's: the status has to do.
  }
  return `the registry answered ${answer.status} ${answer.statusText}`;
}
