// Owns chain ids: the identity of a layer with all that lies below it. Pure.

import { createHash } from 'node:crypto';
import { type Digest, digestOfHex } from '../../spec/digest.ts';

/** Chain ids of a stack, base first. @source OCI image specification 1.1, config.md, Layer ChainID */
export function chainIds(diffIds: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(
      below === undefined ? diffId : digestOfHex(createHash('sha256').update(`${below} ${diffId}`).digest('hex')),
    );
  }
  return chain;
}
