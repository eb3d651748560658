// Owns the contract of storage drivers as tests, which every driver runs. @see ../types.ts

import { test } from 'node:test';
import { BLOB_CASES } from './blobs.ts';
import { INTERRUPTION_CASES } from './interrupted.ts';
import type { Subject } from './support.ts';
import { UPLOAD_CASES } from './uploads.ts';
import { VOLUME_CASES } from './volume.ts';

/** Registers the contract's tests for one driver. `make` returns a new, empty subject. */
export function storageContract(name: string, make: () => Promise<Subject>): void {
  const cases = { ...BLOB_CASES, ...UPLOAD_CASES, ...INTERRUPTION_CASES, ...VOLUME_CASES };
  for (const [what, run] of Object.entries(cases)) {
    test(`${name}: ${what}`, async () => {
      await using subject = await make();
      await using storage = await subject.open();
      await run(storage, subject);
    });
  }
}
