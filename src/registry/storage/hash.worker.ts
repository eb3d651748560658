// Owns the thread that hashes uploads: beside the main thread, which has their bytes to move. Holds the hashes under way.

import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { giveBack } from '../../lib/give-back.ts';
import type { FromHasher, ToHasher } from './hash-thread.ts';

if (!parentPort) throw new Error('hash.worker.ts runs as a worker thread only');
const port = parentPort;
const running = new Map<number, Hash>();
const tell = (message: FromHasher): void => port.postMessage(message);

port.on('message', (message: ToHasher) => {
  const { id } = message;
  if (message.kind === 'forget') running.delete(id);
  else if (message.kind === 'digest') tell({ kind: 'digest', id, hex: running.get(id)?.copy().digest('hex') });
  else {
    const hash = running.get(id) ?? createHash('sha256');
    running.set(id, hash);
    let bytes = 0;
    for (const piece of message.pieces) {
      hash.update(piece);
      bytes += piece.length;
      giveBack(piece);
    }
    tell({ kind: 'hashed', bytes });
  }
});
