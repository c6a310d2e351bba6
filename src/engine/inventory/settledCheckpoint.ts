import type { Note } from "#shared/notes.ts";
import type { Inventory } from "#shared/inventory.ts";
import type { TensorInfo } from "#shared/model.ts";
import { storageOf } from "#engine/checkpoint/readTensor.ts";
import { STORAGE_BYTES } from "#engine/numeric/storageTypes.ts";
import { widen } from "#engine/numeric/widen.ts";
import { dataBytes } from "#engine/checkpoint/dtypes.ts";
import { infosOf, noSuchTensor } from "#engine/checkpoint/fileCheckpoint.ts";
import { transpose } from "#engine/numeric/transpose.ts";
import { Checkpoint } from "#engine/checkpoint/checkpoint.ts";

/** A tensor under the name that it is used by. */
export interface SettledTensor {
  readonly info: TensorInfo;
  /** Its name in the files; null = it is not there, and zeros stand for it. */
  readonly stored: string | null;
  /** The file holds it as (columns, rows). */
  readonly transposed?: true;
  /** It is a part of that tensor, which begins so many weights in. */
  readonly from?: number;
}

/** What the inventory made of a checkpoint. */
export interface Settlement {
  readonly config: Readonly<Record<string, unknown>>;
  /** By the family's names, in the order of the files. */
  readonly tensors: ReadonlyMap<string, SettledTensor>;
  readonly inventory: Inventory;
  readonly notes: readonly Note[];
}

/** A checkpoint as its inventory settled it: the tensors that are used, by their family's names, and no others. */
export class SettledCheckpoint extends Checkpoint {
  private readonly files: Checkpoint;
  private readonly settled: ReadonlyMap<string, SettledTensor>;

  constructor(files: Checkpoint, { config, tensors, inventory, notes }: Settlement) {
    const { fingerprint, revision, shards, sharded, packing } = files;
    super({
      ...{ path: files.path, fingerprint, revision, shards, sharded },
      ...{ config, inventory },
      tensors: infosOf(tensors),
      notes: [...files.notes, ...notes],
      ...(packing === undefined ? {} : { packing }),
      ...(files.configRewritten === true || config !== files.config ? { configRewritten: true } : {}),
    });
    this.files = files;
    this.settled = tensors;
  }

  async read(name: string, out?: Float32Array): Promise<Float32Array> {
    const { stored, info, transposed, from } = this.find(name);
    if (from !== undefined) {
      const values = out ?? new Float32Array(info.parameters);
      widen(await this.readBytes(name), storageOf(info), values);
      return values;
    }
    if (stored !== null && transposed)
      return transpose(await this.files.read(stored), [info.shape[1], info.shape[0]], out);
    if (stored !== null) return this.files.read(stored, out);
    return (out ?? new Float32Array(info.parameters)).fill(0);
  }

  async readRows(name: string, indices: ArrayLike<number>): Promise<Float32Array> {
    const { stored, info, transposed, from } = this.find(name);
    if (transposed || from !== undefined) {
      const [, width] = info.shape;
      const whole = await this.read(name);
      const rows = new Float32Array(indices.length * width);
      for (let i = 0; i < indices.length; i++)
        rows.set(whole.subarray(indices[i] * width, (indices[i] + 1) * width), i * width);
      return rows;
    }
    if (stored !== null) return this.files.readRows(stored, indices);
    return new Float32Array(
      indices.length * info.shape.slice(1).reduce((product, size) => product * size, 1),
    );
  }

  async readBytes(name: string, begin = 0, end?: number): Promise<Uint8Array> {
    const { stored, info, from } = this.find(name);
    if (stored !== null && from !== undefined) {
      const before = from * STORAGE_BYTES[storageOf(info)];
      return this.files.readBytes(stored, before + begin, before + (end ?? info.bytes));
    }
    if (stored !== null) return this.files.readBytes(stored, begin, end);
    return new Uint8Array(Math.max(0, Math.min(end ?? Infinity, dataBytes(info)) - begin));
  }

  async close(): Promise<void> {
    await this.files.close();
  }

  private find(name: string): SettledTensor {
    const found = this.settled.get(name);
    if (!found) throw noSuchTensor(this.path, name);
    return found;
  }
}
