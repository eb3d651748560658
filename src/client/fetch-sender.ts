// Owns HTTP to one daemon over fetch, as browsers have it. Takes over no connection: attach and exec need node:http.
import { GantryError } from '../lib/errors.ts';
import { sendFailure, unreachable } from './errors.ts';
import type { Answer, Sender, WireRequest } from './sender.ts';

/** The sender for `http://` and `https://` addresses, perhaps with a path. The ports are those of the web: 80 and 443. */
export class FetchSender implements Sender {
  readonly #host: string;
  readonly #base: string;

  /** @throws HOST_INVALID when `host` is no http(s) address */
  constructor(host: string) {
    this.#host = host;
    this.#base = baseOf(host);
  }

  async send({ method, path, headers, body, signal }: WireRequest): Promise<Answer> {
    const upload = new Upload(body);
    try {
      const response = await fetch(`${this.#base}${path}`, {
        method,
        headers,
        // fetch would repeat a redirected POST as a GET.
        redirect: 'manual',
        ...(upload.body === undefined ? {} : { body: upload.body, duplex: 'half' }),
        ...(signal === undefined ? {} : { signal }),
      });
      // A browser hides where a redirect leads to.
      if (response.status === 0) throw unreachable(this.#host, new Error('the address redirects'));
      return answerOf(response);
    } catch (error) {
      throw upload.failure ?? sendFailure(this.#host, causeOf(error), signal);
    }
  }

  upgrade(): Promise<never> {
    return Promise.reject(
      new GantryError('notImplemented', 'UPGRADE_UNSUPPORTED', 'fetch cannot take over a connection', {
        params: { host: this.#host },
        hint: 'attach and exec need a client over node:http',
      }),
    );
  }

  /** Nothing to do: fetch owns its connections. */
  close(): void {}
}

/** @throws HOST_INVALID */
function baseOf(host: string): string {
  const url = URL.canParse(host) ? new URL(host) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  throw new GantryError('invalid', 'HOST_INVALID', `invalid bind address format: ${host}`, {
    params: { host },
    hint: 'use http://host:port or https://host:port',
  });
}

/** A request body in the form that fetch takes. */
class Upload {
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined;
  /** The error of the source, if it failed. */
  failure: unknown;

  constructor(source: WireRequest['body']) {
    if (source === undefined) return;
    this.body = source instanceof Uint8Array ? new Uint8Array(source) : this.#streamOf(source);
  }

  #streamOf(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
    const pieces = source[Symbol.asyncIterator]();
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          const { done, value } = await pieces.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          this.failure = error;
          throw error;
        }
      },
      cancel: async () => {
        await pieces.return?.();
      },
    });
  }
}

function answerOf(response: Response): Answer {
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: piecesOf(response.body),
    discard: () => void response.arrayBuffer().catch(() => {}),
  };
}

/** Iterates the body through a reader, as not every browser iterates streams. An end before the first piece cancels, too. */
function piecesOf(body: Response['body']): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const reader = body?.getReader();
      return {
        next: async () => (await reader?.read()) ?? { done: true, value: undefined },
        return: async () => {
          await reader?.cancel();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Node hides the system's error, which has the code, under `fetch failed`. */
function causeOf(error: unknown): unknown {
  return error instanceof TypeError && error.cause !== undefined ? error.cause : error;
}
