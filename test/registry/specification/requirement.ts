// Owns the naming of a test after the requirement that it checks.

import { test } from 'node:test';
import { REQUIREMENTS } from './requirements.table.ts';

/** A test of one requirement, called by its id, level and words. */
export function requirement(id: string, check: () => Promise<void>): void {
  const found = REQUIREMENTS.find((row) => row.id === id);
  if (!found) throw new TypeError(`there is no requirement ${id}`);
  test(`${id} ${found.level}: ${found.text}`, check);
}
