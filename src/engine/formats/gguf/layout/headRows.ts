/** Where a file holds a matrix's rows. Rows move whole: what lies along a row, blocks of 32 included, is untouched. */
export interface RowOrder {
  /** Rows move within stretches of so many. */
  readonly span: number;
  /** Row of the file → row of the checkpoint. */
  readonly ownRow: (row: number) => number;
  /** Row of the checkpoint → row of the file. */
  readonly fileRow: (row: number) => number;
}

/**
 * Queries and keys of architectures that turn neighbours: Hugging Face turns channel i of a head with channel i + size/2, so these
 * files hold row i at 2i and row i + size/2 at 2i + 1 of each head.
 */
export function interleavedHeads(headSize: number): RowOrder {
  const half = headSize / 2;
  return {
    span: headSize,
    ownRow: (row) => {
      const within = row % headSize;
      return row - within + (within % 2) * half + (within >> 1);
    },
    fileRow: (row) => {
      const within = row % headSize;
      return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
    },
  };
}

/**
 * Queries, keys and values in one matrix: the checkpoint has those of one key head after the other, the file all queries, all keys,
 * all values.
 */
export function groupsApart(heads: number, keyValueHeads: number, headSize: number): RowOrder {
  const perKey = heads / keyValueHeads;
  const group = perKey + 2;
  /** Head of the file → head of the checkpoint, counted over queries, keys and values. */
  const ownHead = (head: number): number => {
    if (head < heads) return Math.floor(head / perKey) * group + (head % perKey);
    const kind = head < heads + keyValueHeads ? 0 : 1;
    return ((head - heads) % keyValueHeads) * group + perKey + kind;
  };
  const own = Array.from({ length: heads + 2 * keyValueHeads }, (_, head) => ownHead(head));
  const file = own.map((_, head) => own.indexOf(head));
  const moved = (row: number, to: readonly number[]): number =>
    to[Math.floor(row / headSize)] * headSize + (row % headSize);
  return {
    span: own.length * headSize,
    ownRow: (row) => moved(row, own),
    fileRow: (row) => moved(row, file),
  };
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
