// Owns giving memory back before the collector finds it: large bodies come in many pieces, and waiting for it costs a collection each 64 MB.

/** Frees the memory of `piece`, which is empty from then on. One that shares its memory (a part of a pool, say) is left alone. */
export function giveBack(piece: Uint8Array): void {
  const { buffer, byteLength } = piece;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
