import { join } from "node:path";
import type { Inventory } from "#shared/inventory.ts";
import type { TensorInfo } from "#shared/model.ts";
import { dataBytes, STORAGE_BYTES } from "../dtypes.ts";
import { readJsonObject } from "../jsonFile.ts";
import { narrow } from "../narrow.ts";
import { requireRows } from "../readTensor.ts";
import { isRegularFile } from "../regularFile.ts";
import type { Checkpoint } from "../types.ts";
import { awqMatrices } from "./awq.ts";
import { compressedTensorsMatrices } from "./compressedTensors.ts";
import { gptqMatrices } from "./gptq.ts";
import { badPacking, type PackedMatrix } from "./matrix.ts";
import { readPacking, type Packing } from "./packing.ts";

const MAX_CONFIG_BYTES = 1_000_000;

/**
 * The model that a folder's packed weights are of; the folder itself where they are not packed, or in a way that Keystone does
 * not read (its architecture then says so).
 * @throws KeystoneError checkpoint/bad-packing where modules are not what the config says
 */
export async function openPacked(folder: Checkpoint): Promise<Checkpoint> {
  const read = readPacking(await configWithPacking(folder));
  if (!read || "refused" in read) return folder;
  const matrices = await matricesOf(folder, read.packing);
  return new PackedCheckpoint(folder, matrices, read.packing.notes);
}

/** GPTQ's first tools wrote its settings into a file of their own. */
async function configWithPacking(folder: Checkpoint): Promise<Readonly<Record<string, unknown>>> {
  const { config, path, tensors } = folder;
  if (config["quantization_config"] !== undefined) return config;
  const gptq = [...tensors.keys()].some((name) => name.endsWith(".qweight"));
  const file = join(path, "quantize_config.json");
  if (!gptq || !(await isRegularFile(file))) return config;
  const settings = await readJsonObject(file, {
    maxBytes: MAX_CONFIG_BYTES,
    badCode: "checkpoint/bad-config",
  });
  return { ...config, quantization_config: { quant_method: "gptq", ...settings } };
}

async function matricesOf(folder: Checkpoint, packing: Packing): Promise<PackedMatrix[]> {
  switch (packing.method) {
    case "compressed-tensors":
      return compressedTensorsMatrices(folder, packing);
    case "gptq":
      return gptqMatrices(folder, packing);
    case "awq":
      return awqMatrices(folder);
  }
}

class PackedCheckpoint implements Checkpoint {
  readonly path: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly inventory: Inventory = [];
  readonly fingerprint: string;
  readonly revision: string;
  readonly shards: readonly { file: string; bytes: number }[];
  readonly sharded: boolean;
  readonly notes: readonly string[];
  readonly packing: string;
  private readonly folder: Checkpoint;
  private readonly matrices: ReadonlyMap<string, PackedMatrix>;

  constructor(folder: Checkpoint, matrices: readonly PackedMatrix[], notes: readonly string[]) {
    this.folder = folder;
    this.path = folder.path;
    this.config = Object.fromEntries(
      Object.entries(folder.config).filter(([key]) => key !== "quantization_config"),
    );
    this.fingerprint = folder.fingerprint;
    this.revision = folder.revision;
    this.shards = folder.shards;
    this.sharded = folder.sharded;
    this.matrices = new Map(matrices.map((matrix) => [matrix.info.name, matrix]));
    this.tensors = logicalTensors(folder, matrices);
    this.packing = packingText(matrices);
    this.notes = [
      ...folder.notes,
      `This checkpoint is already quantized (${this.packing}): its dequantized weights are the original of every comparison, and a recipe quantizes them again.`,
      ...notes,
    ];
  }

  async read(name: string, out?: Float32Array): Promise<Float32Array> {
    const matrix = this.matrices.get(name);
    if (!matrix) return this.plain(name).read(name, out);
    const { shape, parameters } = matrix.info;
    const target = out ?? new Float32Array(parameters);
    if (target.length !== parameters)
      throw new RangeError(`${name} has ${parameters} elements; the buffer for it holds ${target.length}`);
    await matrix.readRows(everyRow(0, shape[0]), target);
    return target;
  }

  async readRows(name: string, indices: ArrayLike<number>): Promise<Float32Array> {
    const matrix = this.matrices.get(name);
    if (!matrix) return this.plain(name).readRows(name, indices);
    const [rows, columns] = matrix.info.shape;
    requireRows(name, indices, rows);
    const out = new Float32Array(indices.length * columns);
    await matrix.readRows(indices, out);
    return out;
  }

  async readBytes(name: string, begin = 0, end?: number): Promise<Uint8Array> {
    const matrix = this.matrices.get(name);
    if (!matrix) return this.plain(name).readBytes(name, begin, end);
    const { info } = matrix;
    const bytes = dataBytes(info);
    const last = end ?? bytes;
    if (!(begin >= 0 && begin <= last && last <= bytes))
      throw new RangeError(`bytes ${begin} to ${last} of ${name} were asked for; it has ${bytes}`);
    const rowBytes = info.shape[1] * STORAGE_BYTES[info.dtype];
    const from = rowBytes === 0 ? 0 : Math.floor(begin / rowBytes);
    const to = rowBytes === 0 ? 0 : Math.ceil(last / rowBytes);
    const values = await this.readRows(name, everyRow(from, to));
    return narrow(values, info.dtype).slice(begin - from * rowBytes, last - from * rowBytes);
  }

  async close(): Promise<void> {
    await this.folder.close();
  }

  /** The folder, for tensors that it holds as they are; what modules are made of is not to be seen. */
  private plain(name: string): Checkpoint {
    if (this.tensors.has(name) || !this.folder.tensors.has(name)) return this.folder;
    throw badPacking(name, "was read by itself; read the module's weight");
  }
}

function everyRow(from: number, to: number): Uint32Array {
  return Uint32Array.from({ length: to - from }, (_, i) => from + i);
}

/** The folder's tensors in their order, every module's parts replaced by its weight. */
function logicalTensors(folder: Checkpoint, matrices: readonly PackedMatrix[]): Map<string, TensorInfo> {
  const first = new Map(matrices.map((matrix) => [matrix.parts[0], matrix.info]));
  const hidden = new Set(matrices.flatMap(({ parts }) => parts));
  const tensors = new Map<string, TensorInfo>();
  for (const tensor of folder.tensors.values()) {
    const info = first.get(tensor.name) ?? (hidden.has(tensor.name) ? null : tensor);
    if (!info) continue;
    if (tensors.has(info.name))
      throw badPacking(tensor.name, `is of ${info.name}, which is stored a second time`);
    tensors.set(info.name, info);
  }
  return tensors;
}

/** `GPTQ int4, group 128`, or all that occur. */
function packingText(matrices: readonly PackedMatrix[]): string {
  const codecs = new Set(matrices.flatMap(({ info }) => (info.packed ? [info.packed.codec] : [])));
  return codecs.size === 0 ? "none of its modules" : [...codecs].join("; ");
}
