// Owns what every handler may use. No behaviour.

import type { Engine } from '../engine/types.ts';
import type { ApiLogger } from './logger.ts';
import type { ReplyWriter } from './reply.ts';

export interface ApiContext {
  readonly engine: Engine;
  readonly writer: ReplyWriter;
  readonly logger: ApiLogger;
  /** TCP addresses that answer without encryption, for the warnings of `info`. */
  readonly openTcp: readonly string[];
}
