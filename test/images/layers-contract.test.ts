// The real store of layers, with its threads and files, keeps to what its fake keeps to. See src/engine/images/testing/layers-contract.ts.

import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLayers } from '../../src/engine/images/layers.ts';
import { layersContract } from '../../src/engine/images/testing/layers-contract.ts';
import { createUnpacker } from '../../src/engine/images/unpack/index.ts';
import { openDatabase } from '../../src/store/database.ts';

layersContract('layers of real threads', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-layers-contract-'));
  const db = openDatabase(':memory:');
  const unpacker = createUnpacker();
  const layers = openLayers(db, folder, unpacker);
  return {
    layers,
    damage(diffId) {
      const directory = join(folder, layers.get(diffId)?.directory ?? 'none');
      writeFileSync(join(directory, 'a'), 'two');
      const later = new Date(Date.now() + 60_000);
      utimesSync(directory, later, later);
    },
    async [Symbol.asyncDispose]() {
      await unpacker[Symbol.asyncDispose]();
      db[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
