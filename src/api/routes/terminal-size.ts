// Owns reading the size of a terminal from the query of a resize. Resizes nothing.

import { GantryError } from '../../lib/errors.ts';
import { goQuote, type Query, uint32Fault } from '../../spec/docker/decode-query.ts';

/** Rows and columns of `h` and `w`. @throws BAD_SIZE with Docker's text */
export function terminalSize(query: Query): [rows: number, columns: number] {
  const read = (parameter: string, word: string): number => {
    const text = query.get(parameter);
    const fault = uint32Fault(text);
    if (fault === undefined) return Number(text);
    throw new GantryError('invalid', 'BAD_SIZE', `invalid resize ${word} ${goQuote(text)}: ${fault}`);
  };
  return [read('h', 'height'), read('w', 'width')];
}
