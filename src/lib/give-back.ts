// Owns giving memory back before the collector finds it: large bodies come in many pieces, and waiting for it costs a collection each 64 MB.

/** True for a piece that no other view shares its memory with, as far as its bounds tell. */
export function hasOwnMemory({ buffer, byteLength }: Uint8Array): boolean {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
}

/** Frees the memory of `piece`, which is empty from then on. One that shares its memory (a part of a pool, say) is left alone. */
export function giveBack(piece: Uint8Array): void {
  if (hasOwnMemory(piece)) (piece.buffer as ArrayBuffer).transfer(0);
}
