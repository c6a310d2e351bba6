import { KeystoneError } from "#shared/errors.ts";
import type { TensorInfo } from "#shared/model.ts";
import { readRange, type ByteSource, type ClosableSource } from "../byteSource.ts";
import { plainFormat, readRowsOf, readWhole } from "../readTensor.ts";
import { shown } from "../strictJson.ts";
import type { Checkpoint } from "../types.ts";
import { readPackedRows, type PlacedMatrix } from "./readPacked.ts";

/** How a tensor lies in the model's files. */
export type Stored =
  /** As itself, at the place its TensorInfo names. */
  | { readonly kind: "plain" }
  /** As (in, out), whose columns [first, first + rows) are the tensor's rows. */
  | { readonly kind: "transposed"; readonly whole: TensorInfo; readonly first: number }
  /** In rows [first, first + rows) of a packed matrix. */
  | { readonly kind: "packed"; readonly matrix: PlacedMatrix; readonly first: number };

export interface OnnxTensor {
  readonly info: TensorInfo;
  readonly stored: Stored;
}

interface Parts {
  readonly path: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly shards: readonly { file: string; bytes: number }[];
  readonly fingerprint: string;
  readonly notes: readonly string[];
  /** How its matrices are packed; absent where none is. */
  readonly packing?: string | undefined;
  /** By Hugging Face name. */
  readonly tensors: ReadonlyMap<string, OnnxTensor>;
  readonly sources: ReadonlyMap<string, ClosableSource>;
}

/** An open ONNX decoder under Hugging Face's names: what its operators multiply with, dequantized when it is read. */
export class OnnxCheckpoint implements Checkpoint {
  readonly path: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly fingerprint: string;
  readonly shards: readonly { file: string; bytes: number }[];
  readonly sharded = false;
  readonly notes: readonly string[];
  readonly packing?: string;
  private readonly stored: ReadonlyMap<string, OnnxTensor>;
  private readonly sources: ReadonlyMap<string, ClosableSource>;

  constructor({ path, config, shards, fingerprint, notes, packing, tensors, sources }: Parts) {
    this.path = path;
    this.config = config;
    this.shards = shards;
    this.fingerprint = fingerprint;
    this.notes = notes;
    if (packing !== undefined) this.packing = packing;
    this.stored = tensors;
    this.sources = sources;
    this.tensors = new Map([...tensors].map(([name, { info }]) => [name, info]));
  }

  async read(name: string, out?: Float32Array): Promise<Float32Array> {
    const { info, stored } = this.find(name);
    const target = out ?? new Float32Array(info.parameters);
    if (target.length !== info.parameters)
      throw new RangeError(`${name} has ${info.parameters} elements; the buffer holds ${target.length}`);
    const [rows = 0] = info.shape;
    if (stored.kind === "plain") await readWhole(this.source(info.file), info, target, plainFormat(info));
    else if (stored.kind === "transposed") await this.readTransposed(stored, rows, target);
    else await readPackedRows(this.source, stored.matrix, stored.first, rows, target);
    return target;
  }

  async readRows(name: string, indices: ArrayLike<number>): Promise<Float32Array> {
    const { info, stored } = this.find(name);
    if (stored.kind === "plain") return readRowsOf(this.source(info.file), info, indices, plainFormat(info));
    const [rows = 0, columns = 0] = info.shape;
    const out = new Float32Array(indices.length * columns);
    const whole = stored.kind === "transposed" ? await this.read(name) : null;
    for (let i = 0; i < indices.length; i++) {
      const row = indices[i];
      if (!(row >= 0 && row < rows))
        throw new RangeError(`${name} has ${rows} rows; row ${row} was asked for`);
      const target = out.subarray(i * columns, (i + 1) * columns);
      if (whole) target.set(whole.subarray(row * columns, (row + 1) * columns));
      else if (stored.kind === "packed")
        await readPackedRows(this.source, stored.matrix, stored.first + row, 1, target);
    }
    return out;
  }

  /** Of a packed or transposed tensor: the bytes at its place in the file, which are not its weights one after another. */
  async readBytes(name: string, begin = 0, end?: number): Promise<Uint8Array> {
    const { info } = this.find(name);
    const last = end ?? info.end - info.begin;
    if (!(begin >= 0 && begin <= last && last <= info.end - info.begin))
      throw new RangeError(`bytes ${begin} to ${last} of ${name} were asked for; it has ${info.bytes}`);
    return readRange(this.source(info.file), info.begin + begin, info.begin + last);
  }

  async close(): Promise<void> {
    await Promise.all([...this.sources.values()].map((source) => source.close()));
  }

  private async readTransposed(
    { whole, first }: Stored & { kind: "transposed" },
    rows: number,
    out: Float32Array,
  ): Promise<void> {
    const [columns = 0, width = 0] = whole.shape;
    const values = new Float32Array(whole.parameters);
    await readWhole(this.source(whole.file), whole, values, plainFormat(whole));
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        out[row * columns + column] = values[column * width + first + row];
  }

  private readonly source = (file: string): ByteSource => {
    const source = this.sources.get(file);
    if (source) return source;
    throw new KeystoneError(
      "checkpoint/missing-file",
      `The model in ${this.path} has no file ${shown(file)}.`,
      "Download or export the model again.",
      { file },
    );
  };

  private find(name: string): OnnxTensor {
    const stored = this.stored.get(name);
    if (stored) return stored;
    throw new KeystoneError(
      "checkpoint/no-such-tensor",
      `The model in ${this.path} holds no tensor ${shown(name)}.`,
      "Check that config.json and the model belong together.",
      { tensor: name },
    );
  }
}
