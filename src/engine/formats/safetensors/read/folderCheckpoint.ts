import { FileCheckpoint, type ListedTensor } from "#engine/checkpoint/fileCheckpoint.ts";
import { plainFormat, readRowsOf, readWhole } from "#engine/checkpoint/readTensor.ts";

/** An open folder of safetensors files: every tensor one weight after another in its storage type. */
export class FolderCheckpoint extends FileCheckpoint<ListedTensor> {
  async read(name: string, out?: Float32Array): Promise<Float32Array> {
    const { info } = this.find(name);
    const format = plainFormat(info);
    const target = out ?? new Float32Array(info.parameters);
    await readWhole(this.source(info.file), info, target, format);
    return target;
  }

  async readRows(name: string, indices: ArrayLike<number>): Promise<Float32Array> {
    const { info } = this.find(name);
    return readRowsOf(this.source(info.file), info, indices, plainFormat(info));
  }
}
