// Owns walking over the tokens of a template. Knows no grammar.
import type { Token } from './lex.ts';

/** A place in a list of tokens, which ends in `end` or `error`. */
export class TokenCursor {
  /** The token that comes next. */
  at = 0;
  readonly #tokens: readonly Token[];
  /** The furthest one that was looked at. */
  #seen = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** The line that errors name: of the furthest token that was looked at. */
  get line(): number {
    return this.#token(this.#seen).line;
  }

  peek(): Token {
    this.#seen = Math.max(this.#seen, this.at);
    return this.#token(this.at);
  }

  next(): Token {
    const token = this.peek();
    this.at++;
    return token;
  }

  /** As `peek`, past spaces. */
  peekSolid(): Token {
    while (this.peek().type === 'space') this.at++;
    return this.peek();
  }

  /** As `next`, past spaces. */
  nextSolid(): Token {
    const token = this.peekSolid();
    this.at++;
    return token;
  }

  #token(at: number): Token {
    return this.#tokens[Math.min(at, this.#tokens.length - 1)] as Token;
  }
}

/** True for the keyword `word`. */
export const isWord = (token: Token, word: string): boolean => token.type === 'keyword' && token.text === word;
