import { readRange } from "#engine/files/byteSource.ts";
import { byteRange, FileCheckpoint, type ListedTensor } from "#engine/checkpoint/fileCheckpoint.ts";
import { huggingFaceRow, interleavedRow, moveRows } from "../layout/headRows.ts";
import { readBlockRows, readBlocks } from "./readBlocks.ts";
import type { GgufTensor } from "./readGgufHeader.ts";

/** A tensor as it is shown, and as it lies in its file. */
export interface StoredTensor extends ListedTensor {
  readonly tensor: GgufTensor;
  /** Rows of a head where the file holds them in the interleaved order; null elsewhere. */
  readonly headSize: number | null;
}

/** An open GGUF model under Hugging Face's names, with every tensor's rows in Hugging Face's order. */
export class GgufCheckpoint extends FileCheckpoint<StoredTensor> {
  async read(name: string, out?: Float32Array): Promise<Float32Array> {
    const { info, tensor, headSize } = this.find(name);
    const values = await readBlocks(this.source(info.file), tensor, out);
    if (headSize !== null) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      toHuggingFaceOrder(bytes, bytes.length / tensor.shape[0], headSize);
    }
    return values;
  }

  async readRows(name: string, indices: ArrayLike<number>): Promise<Float32Array> {
    const { info, tensor, headSize } = this.find(name);
    const rows = headSize === null ? indices : Array.from(indices, (row) => interleavedRow(row, headSize));
    return readBlockRows(this.source(info.file), tensor, rows);
  }

  override async readBytes(name: string, begin = 0, end?: number): Promise<Uint8Array> {
    const { info, tensor, headSize } = this.find(name);
    if (headSize === null) return super.readBytes(name, begin, end);
    const [first, last] = byteRange(info, begin, end);
    const bytes = tensor.end - tensor.begin;
    // rows move within their head, so whole heads are read
    const rowBytes = bytes / tensor.shape[0];
    const headBytes = rowBytes * headSize;
    const from = Math.floor(first / headBytes) * headBytes;
    const to = Math.min(bytes, Math.ceil(last / headBytes) * headBytes);
    const heads = await readRange(this.source(info.file), tensor.begin + from, tensor.begin + to);
    toHuggingFaceOrder(heads, rowBytes, headSize);
    return heads.subarray(first - from, last - from);
  }
}

/** Reorders the rows of every head in place, one head copied at a time. */
function toHuggingFaceOrder(values: Uint8Array, rowBytes: number, headSize: number): void {
  const head = headSize * rowBytes;
  for (let at = 0; at < values.length; at += head) {
    const stored = values.slice(at, at + head);
    moveRows(stored, rowBytes, (row) => huggingFaceRow(row, headSize), values.subarray(at, at + head));
  }
}
