import type { Note } from "#shared/notes.ts";
import type { Inventory } from "#shared/inventory.ts";
import type { TensorInfo } from "#shared/model.ts";
import { dataBytes } from "#engine/checkpoint/dtypes.ts";
import { STORAGE_BYTES } from "#engine/numeric/storageTypes.ts";
import { narrow } from "#engine/numeric/narrow.ts";
import { requireRows } from "#engine/checkpoint/readTensor.ts";
import { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { expertBlocks } from "./expertBlocks.ts";
import { floatMatrices, isByteFloat } from "./floatMatrices.ts";
import { nibbleMatrices } from "./nibbleMatrices.ts";
import { awqMatrices } from "./awq.ts";
import { compressedTensorsMatrices } from "./compressedTensors.ts";
import { gptqMatrices } from "./gptq.ts";
import { mlxMatrices } from "./mlx.ts";
import { badPacking, type PackedMatrix } from "./matrix.ts";
import { packedPart } from "#engine/checkpoint/packing/packedNames.ts";
import { packingMethod, readPacking, type Packing } from "#engine/checkpoint/packing/packing.ts";
import {
  packingSettings,
  plainConfig,
  type PackingSettings,
} from "#engine/checkpoint/packing/packingSettings.ts";

/**
 * The model that a folder's packed weights are of; the folder itself where nothing is packed, or in a way that Keystone does
 * not read (its architecture then says so). Settings of a packing that no tensor has are left out of the config, with a note.
 * @throws KeystoneError checkpoint/bad-packing where modules are not what the config says
 */
export async function openPacked(folder: Checkpoint): Promise<Checkpoint> {
  const found = (await packingSettings(folder)) ?? ownFloats(folder);
  if (!found) return folder;
  const part = packedPart(folder.tensors.values());
  if (part === null) {
    const { name, text, note } = leftover(found);
    const reason = { code: "not-packed", text };
    return new PackedCheckpoint(folder, {
      ...{ matrices: [], notes: [note], config: plainConfig(folder.config) },
      inventory: [{ name, kind: "config", notUsedBecause: reason }],
    });
  }
  const read = readPacking({ quantization_config: found.settings });
  if (read === null) return folder;
  if ("refused" in read) {
    const config = { ...plainConfig(folder.config), quantization_config: found.settings };
    return new PackedCheckpoint(folder, { matrices: [], notes: [], inventory: [], config });
  }
  const { matrices, notes, inventory } = await matricesOf(folder, read.packing);
  if (matrices.length === 0)
    throw badPacking(
      part,
      `belongs to no module that is packed as ${found.from} says (${read.packing.method})`,
    );
  const packing = packingText(matrices);
  return new PackedCheckpoint(folder, {
    matrices,
    notes: [
      {
        code: "checkpoint/already-quantized",
        text: `This checkpoint is already quantized (${packing}): its dequantized weights are the original of every comparison, and a recipe quantizes them again.`,
      },
      ...read.packing.notes,
      ...notes,
    ],
    inventory,
    config: plainConfig(folder.config),
    packing,
  });
}

/** 8-bit floats whose tensors say all that is to know, where no file speaks of them. */
function ownFloats({ tensors }: Checkpoint): PackingSettings | null {
  return [...tensors.values()].some(isByteFloat)
    ? { settings: { quant_method: "fp8" }, from: "the types of its tensors" }
    : null;
}

async function matricesOf(
  folder: Checkpoint,
  packing: Packing,
): Promise<Pick<View, "matrices" | "notes" | "inventory">> {
  switch (packing.method) {
    case "compressed-tensors":
      return {
        matrices: [
          ...(await compressedTensorsMatrices(folder, packing)),
          ...floatMatrices(folder, { block: packing.block, asScales: true }),
          ...nibbleMatrices(folder),
        ],
        ...{ notes: [], inventory: [] },
      };
    case "float":
      return {
        matrices: [
          ...floatMatrices(folder, { block: packing.block, asScales: false }),
          ...nibbleMatrices(folder),
          ...expertBlocks(folder),
        ],
        ...{ notes: [], inventory: [] },
      };
    case "gptq":
      return gptqMatrices(folder, packing);
    case "mlx":
      return { matrices: mlxMatrices(folder, packing), notes: [], inventory: [] };
    case "awq":
      return { matrices: awqMatrices(folder, packing), notes: [], inventory: [] };
  }
}

/** Settings that nothing follows, as the inventory and a note have them. */
function leftover({ settings, from }: PackingSettings): { name: string; text: string; note: Note } {
  const method = packingMethod(settings);
  const text = "no tensor of this checkpoint is packed";
  return {
    name: from.split(" ")[0],
    text,
    note: {
      code: "packing/not-packed",
      text: `${from}${method === "" ? "" : ` (${method})`} is ignored: ${text}. Programs that follow it quantize the weights while they load them, or refuse them.`,
    },
  };
}

/** A folder seen as the model that its weights are of. */
interface View {
  readonly matrices: readonly PackedMatrix[];
  readonly config: Readonly<Record<string, unknown>>;
  /** Beside the folder's own. */
  readonly notes: readonly Note[];
  readonly inventory: Inventory;
  readonly packing?: string;
}

class PackedCheckpoint extends Checkpoint {
  private readonly folder: Checkpoint;
  private readonly matrices: ReadonlyMap<string, PackedMatrix>;

  constructor(folder: Checkpoint, { matrices, config, notes, inventory, packing }: View) {
    const { path, fingerprint, revision, shards, sharded } = folder;
    super({
      ...{ path, fingerprint, revision, shards, sharded, config },
      tensors: logicalTensors(folder, matrices),
      inventory: [...folder.inventory, ...inventory],
      notes: [...folder.notes, ...notes],
      configRewritten: true,
      ...(packing === undefined ? {} : { packing }),
    });
    this.folder = folder;
    this.matrices = new Map(matrices.map((matrix) => [matrix.info.name, matrix]));
  }

  async read(name: string, out?: Float32Array): Promise<Float32Array> {
    const matrix = this.matrices.get(name);
    if (!matrix) return this.plain(name).read(name, out);
    const { parameters } = matrix.info;
    const target = out ?? new Float32Array(parameters);
    if (target.length !== parameters)
      throw new RangeError(`${name} has ${parameters} elements; the buffer for it holds ${target.length}`);
    await matrix.readRows(everyRow(0, rowsOf(matrix)), target);
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
    const rowBytes = columnsOf(matrix) * STORAGE_BYTES[info.dtype];
    const from = rowBytes === 0 ? 0 : Math.floor(begin / rowBytes);
    const to = rowBytes === 0 ? 0 : Math.ceil(last / rowBytes);
    const values = new Float32Array((to - from) * columnsOf(matrix));
    await matrix.readRows(everyRow(from, to), values);
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

function columnsOf({ info: { shape } }: PackedMatrix): number {
  return shape.at(-1) ?? 1;
}

/** Of a stack of matrices, rows are counted through all of them. */
function rowsOf({ info: { shape } }: PackedMatrix): number {
  return shape.slice(0, -1).reduce((product, size) => product * size, 1);
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
  const schemes = new Set(matrices.flatMap(({ info }) => (info.packed ? [info.packed.scheme] : [])));
  return [...schemes].join("; ");
}
