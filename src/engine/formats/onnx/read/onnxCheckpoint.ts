import type { TensorInfo } from "#shared/model.ts";
import { FileCheckpoint, type ListedTensor } from "#engine/checkpoint/fileCheckpoint.ts";
import { plainFormat, readRowsOf, readWhole, requireRows } from "#engine/checkpoint/readTensor.ts";
import { readPackedRows, type PlacedMatrix } from "./readPacked.ts";

/** How a tensor lies in the model's files. */
export type Stored =
  /** As itself, at the place its TensorInfo names. */
  | { readonly kind: "plain" }
  /** As (in, out), whose columns [first, first + rows) are the tensor's rows. */
  | { readonly kind: "transposed"; readonly whole: TensorInfo; readonly first: number }
  /** In rows [first, first + rows) of a packed matrix. */
  | { readonly kind: "packed"; readonly matrix: PlacedMatrix; readonly first: number };

export interface OnnxTensor extends ListedTensor {
  readonly stored: Stored;
}

/** An open ONNX decoder under Hugging Face's names: what its operators multiply with, dequantized when it is read. */
export class OnnxCheckpoint extends FileCheckpoint<OnnxTensor> {
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
    requireRows(name, indices, rows);
    const out = new Float32Array(indices.length * columns);
    const whole = stored.kind === "transposed" ? await this.read(name) : null;
    for (let i = 0; i < indices.length; i++) {
      const row = indices[i];
      const target = out.subarray(i * columns, (i + 1) * columns);
      if (whole) target.set(whole.subarray(row * columns, (row + 1) * columns));
      else if (stored.kind === "packed")
        await readPackedRows(this.source, stored.matrix, stored.first + row, 1, target);
    }
    return out;
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
}
