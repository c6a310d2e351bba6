import { KeystoneError } from "#shared/errors.ts";
import type { TensorInfo } from "#shared/model.ts";
import { readRange, type ClosableSource } from "../byteSource.ts";
import { shown } from "../strictJson.ts";
import type { Checkpoint } from "../types.ts";
import { huggingFaceRow, interleavedRow, moveRows } from "./headRows.ts";
import { readBlockRows, readBlocks } from "./readBlocks.ts";
import type { GgufTensor } from "./readGgufHeader.ts";

/** A tensor as it is shown, and as it lies in its file. */
export interface StoredTensor {
  readonly info: TensorInfo;
  readonly tensor: GgufTensor;
  /** Rows of a head where the file holds them in the interleaved order; null elsewhere. */
  readonly headSize: number | null;
}

interface Parts {
  readonly path: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly shards: readonly { file: string; bytes: number }[];
  readonly fingerprint: string;
  readonly notes: readonly string[];
  /** Which types the file holds, for people. */
  readonly packing: string;
  /** By Hugging Face name. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly sources: ReadonlyMap<string, ClosableSource>;
}

/** An open GGUF model under Hugging Face's names, with every tensor's rows in Hugging Face's order. */
export class GgufCheckpoint implements Checkpoint {
  readonly path: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly fingerprint: string;
  readonly shards: readonly { file: string; bytes: number }[];
  readonly sharded = false;
  readonly notes: readonly string[];
  readonly packing: string;
  private readonly stored: ReadonlyMap<string, StoredTensor>;
  private readonly sources: ReadonlyMap<string, ClosableSource>;

  constructor({ path, config, shards, fingerprint, notes, packing, tensors, sources }: Parts) {
    this.path = path;
    this.config = config;
    this.shards = shards;
    this.fingerprint = fingerprint;
    this.notes = notes;
    this.packing = packing;
    this.stored = tensors;
    this.sources = sources;
    this.tensors = new Map([...tensors].map(([name, { info }]) => [name, info]));
  }

  async read(name: string, out?: Float32Array): Promise<Float32Array> {
    const { source, tensor, headSize } = this.find(name);
    const values = await readBlocks(source, tensor, out);
    if (headSize !== null) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      toHuggingFaceOrder(bytes, bytes.length / tensor.shape[0], headSize);
    }
    return values;
  }

  async readRows(name: string, indices: ArrayLike<number>): Promise<Float32Array> {
    const { source, tensor, headSize } = this.find(name);
    const rows = headSize === null ? indices : Array.from(indices, (row) => interleavedRow(row, headSize));
    return readBlockRows(source, tensor, rows);
  }

  async readBytes(name: string, begin = 0, end?: number): Promise<Uint8Array> {
    const { source, tensor, headSize } = this.find(name);
    const bytes = tensor.end - tensor.begin;
    const last = end ?? bytes;
    if (!(begin >= 0 && begin <= last && last <= bytes))
      throw new RangeError(`bytes ${begin} to ${last} of ${name} were asked for; it has ${bytes}`);
    if (headSize === null) return readRange(source, tensor.begin + begin, tensor.begin + last);
    // rows move within their head, so whole heads are read
    const rowBytes = bytes / tensor.shape[0];
    const headBytes = rowBytes * headSize;
    const from = Math.floor(begin / headBytes) * headBytes;
    const to = Math.min(bytes, Math.ceil(last / headBytes) * headBytes);
    const heads = await readRange(source, tensor.begin + from, tensor.begin + to);
    toHuggingFaceOrder(heads, rowBytes, headSize);
    return heads.subarray(begin - from, last - from);
  }

  async close(): Promise<void> {
    await Promise.all([...this.sources.values()].map((source) => source.close()));
  }

  private find(name: string): StoredTensor & { source: ClosableSource } {
    const stored = this.stored.get(name);
    const source = stored && this.sources.get(stored.info.file);
    if (stored && source) return { ...stored, source };
    throw new KeystoneError(
      "checkpoint/no-such-tensor",
      `The model in ${this.path} holds no tensor ${shown(name)}.`,
      "Check that the file holds the whole model.",
      { tensor: name },
    );
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
