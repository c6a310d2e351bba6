/**
 * The order of a query or key projection's rows. Hugging Face turns channel i of a head with channel i + size/2; llama.cpp's
 * `llama` architecture turns neighbours, so its files hold row i at 2i and row i + size/2 at 2i + 1 of each head.
 * Rows move whole: what lies along a row, blocks of 32 included, is untouched.
 * @param row of the stored tensor, counted over all heads
 * @returns the same row in Hugging Face's order
 */
export function huggingFaceRow(row: number, headSize: number): number {
  const within = row % headSize;
  return row - within + (within % 2) * (headSize / 2) + (within >> 1);
}

/** The way back from {@link huggingFaceRow}. */
export function interleavedRow(row: number, headSize: number): number {
  const within = row % headSize;
  const half = headSize / 2;
  return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
}

/** out = the rows of `stored`, each of `rowBytes` bytes, every one moved to `place(row)`; must not overlap. */
export function moveRows(
  stored: Uint8Array,
  rowBytes: number,
  place: (row: number) => number,
  out: Uint8Array,
): void {
  const rows = stored.length / rowBytes;
  for (let row = 0; row < rows; row++)
    out.set(stored.subarray(row * rowBytes, (row + 1) * rowBytes), place(row) * rowBytes);
}

/** True for what `llama` files hold in the other order. */
export function isInterleaved(architecture: string, name: string): boolean {
  return architecture === "llama" && /\.self_attn\.[qk]_proj\.(weight|bias)$/.test(name);
}
