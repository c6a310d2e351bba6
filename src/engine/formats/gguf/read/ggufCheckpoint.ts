import { readRange } from "#engine/files/byteSource.ts";
import { byteRange, FileCheckpoint, type ListedTensor } from "#engine/checkpoint/fileCheckpoint.ts";
import { moveRows, type RowOrder } from "../layout/headRows.ts";
import { readBlockRows, readBlocks } from "./readBlocks.ts";
import type { GgufTensor } from "./readGgufHeader.ts";

/** A tensor as it is shown, and as it lies in its file. */
export interface StoredTensor extends ListedTensor {
  readonly tensor: GgufTensor;
  /** Where the file holds rows in another order; null elsewhere. */
  readonly order: RowOrder | null;
  /** Whether the file holds 1 + the weights; such a tensor is F32. */
  readonly onePlus: boolean;
}

/** An open GGUF model under Hugging Face's names, with every tensor's rows in Hugging Face's order. */
export class GgufCheckpoint extends FileCheckpoint<StoredTensor> {
  async read(name: string, out?: Float32Array): Promise<Float32Array> {
    const { info, tensor, order, onePlus } = this.find(name);
    const values = await readBlocks(this.source(info.file), tensor, out);
    if (order !== null) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      toOwnOrder(bytes, bytes.length / tensor.shape[0], order);
    }
    if (onePlus) for (let i = 0; i < values.length; i++) values[i] -= 1;
    return values;
  }

  async readRows(name: string, indices: ArrayLike<number>): Promise<Float32Array> {
    const { info, tensor, order } = this.find(name);
    const rows = order === null ? indices : Array.from(indices, (row) => order.fileRow(row));
    return readBlockRows(this.source(info.file), tensor, rows);
  }

  override async readBytes(name: string, begin = 0, end?: number): Promise<Uint8Array> {
    const { info, tensor, order, onePlus } = this.find(name);
    if (onePlus) {
      const values = await this.read(name);
      const [first, last] = byteRange(info, begin, end);
      return new Uint8Array(values.buffer, values.byteOffset + first, last - first);
    }
    if (order === null) return super.readBytes(name, begin, end);
    const [first, last] = byteRange(info, begin, end);
    const bytes = tensor.end - tensor.begin;
    // rows move within stretches, so whole ones are read
    const rowBytes = bytes / tensor.shape[0];
    const stretch = rowBytes * order.span;
    const from = Math.floor(first / stretch) * stretch;
    const to = Math.min(bytes, Math.ceil(last / stretch) * stretch);
    const read = await readRange(this.source(info.file), tensor.begin + from, tensor.begin + to);
    toOwnOrder(read, rowBytes, order);
    return read.subarray(first - from, last - from);
  }
}

/** Reorders rows in place, one stretch copied at a time. */
function toOwnOrder(values: Uint8Array, rowBytes: number, { span, ownRow }: RowOrder): void {
  const stretch = span * rowBytes;
  for (let at = 0; at < values.length; at += stretch) {
    const stored = values.slice(at, at + stretch);
    moveRows(stored, rowBytes, ownRow, values.subarray(at, at + stretch));
  }
}
