import type { Note } from "#shared/notes.ts";
import type { Inventory } from "#shared/inventory.ts";
import type { TensorInfo } from "#shared/model.ts";
import { storageOf } from "#engine/checkpoint/readTensor.ts";
import { STORAGE_BYTES } from "#engine/numeric/storageTypes.ts";
import { narrow } from "#engine/numeric/narrow.ts";
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
  /** It is a part of that tensor. */
  readonly inside?: PlaceInTensor;
}

/** Where the weights of a tensor lie in a larger one: the first, and how far apart its rows and the weights of a row are. */
export interface PlaceInTensor {
  readonly from: number;
  readonly strides: readonly [number, number];
}

/** Whether a part's weights lie one after another. */
export function followsItself(shape: readonly number[], [row, column]: PlaceInTensor["strides"]): boolean {
  const columns = shape[1] ?? 1;
  return row === columns && (column === 1 || columns === 1);
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
    const { stored, info, transposed, inside } = this.find(name);
    if (stored !== null && inside) return this.readInside(stored, info, inside, out);
    if (stored !== null && transposed)
      return transpose(await this.files.read(stored), [info.shape[1], info.shape[0]], out);
    if (stored !== null) return this.files.read(stored, out);
    return (out ?? new Float32Array(info.parameters)).fill(0);
  }

  async readRows(name: string, indices: ArrayLike<number>): Promise<Float32Array> {
    const { stored, info, transposed, inside } = this.find(name);
    if (transposed || inside) {
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
    const { stored, info, inside } = this.find(name);
    if (stored !== null && inside) {
      if (!followsItself(info.shape, inside.strides))
        return narrow(await this.read(name), storageOf(info)).subarray(begin, end);
      const before = inside.from * STORAGE_BYTES[storageOf(info)];
      return this.files.readBytes(stored, before + begin, before + (end ?? dataBytes(info)));
    }
    if (stored !== null) return this.files.readBytes(stored, begin, end);
    return new Uint8Array(Math.max(0, Math.min(end ?? Infinity, dataBytes(info)) - begin));
  }

  async close(): Promise<void> {
    await this.files.close();
  }

  /** A part of a larger tensor: what lies between its first weight and its last is read, and its own are picked. */
  private async readInside(
    stored: string,
    info: TensorInfo,
    { from, strides }: PlaceInTensor,
    out: Float32Array = new Float32Array(info.parameters),
  ): Promise<Float32Array> {
    const [rows, columns = 1] = info.shape;
    const [row, column] = strides;
    const span = info.parameters === 0 ? 0 : (rows - 1) * row + (columns - 1) * column + 1;
    const size = STORAGE_BYTES[storageOf(info)];
    const bytes = await this.files.readBytes(stored, from * size, (from + span) * size);
    const all = followsItself(info.shape, strides) ? out : new Float32Array(span);
    widen(bytes, storageOf(info), all);
    if (all === out) return out;
    for (let c = 0; c < columns; c++)
      for (let r = 0; r < rows; r++) out[r * columns + c] = all[r * row + c * column];
    return out;
  }

  private find(name: string): SettledTensor {
    const found = this.settled.get(name);
    if (!found) throw noSuchTensor(this.path, name);
    return found;
  }
}
