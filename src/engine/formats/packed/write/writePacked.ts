import { dataBytes } from "#engine/checkpoint/dtypes.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import type { ExportSource, WriteInput } from "../../write/exporter.ts";
import { exportedTensor, packedWeights } from "../../write/exportedTensor.ts";
import { writeMadeFiles } from "../../write/madeFiles.ts";
import { writeJsonFile, type WrittenFile } from "#engine/files/output/outputFile.ts";
import {
  alignedOrder,
  planShards,
  type CheckpointPlan,
  type PlannedTensor,
} from "../../safetensors/write/planShards.ts";
import { INDEX_FILE } from "#engine/checkpoint/shardFiles.ts";
import { writeShard } from "../../safetensors/write/safetensorsWriter.ts";
import { shardLimit, sourceIndex } from "../../write/sourceIndex.ts";
import type { ExportVariant } from "../../write/exportedVariant.ts";
import { tensorBytes, type ModuleLayout, type ModuleTensor } from "./moduleLayout.ts";

/** Chooses how a variant's modules are stored. */
export type LayoutOf = (variant: Pick<ExportVariant, "plans">) => ModuleLayout;

/** A packed folder's files beside the weights: name and content. */
export type PackedFiles = (source: ExportSource) => ReadonlyMap<string, unknown>;

/** Plans the weight files: every planned tensor becomes its module's, in its place. @throws KeystoneError export/bad-name, checkpoint/bad-index */
export async function planPacked(source: ExportSource, layoutOf: LayoutOf): Promise<CheckpointPlan> {
  const { model, variant, maxShardBytes } = source;
  const layout = layoutOf(variant);
  const tensors = [...model.checkpoint.tensors.values()].flatMap((tensor): PlannedTensor[] => {
    const { name, dtype, shape, file, begin } = tensor;
    const plan = variant.plans.get(name);
    if (!plan) return [{ name, dtype, shape, file, begin, bytes: dataBytes(tensor) }];
    return layout.tensors(plan).map((part) => ({
      name: part.name,
      dtype: part.dtype,
      shape: part.shape,
      file,
      begin,
      bytes: tensorBytes(part),
    }));
  });
  const limit = shardLimit(model.checkpoint, maxShardBytes);
  return planShards(tensors, limit, await sourceIndex(model.checkpoint), alignedOrder);
}

/** Writes weights, index, config and what else the format has, one module in memory at a time. */
export async function writePacked(
  input: WriteInput,
  layoutOf: LayoutOf,
  filesOf: PackedFiles,
): Promise<WrittenFile[]> {
  const { shards, index } = await planPacked(input, layoutOf);
  const modules = new ModuleData(input, layoutOf(input.variant));
  const files: WrittenFile[] = [];
  for (const shard of shards) {
    await input.useSource(shard.tensors.map(({ file }) => file));
    await input.progress.advance(shard.header.byteLength);
    files.push(await writeShard(input.disk, shard, (name) => modules.dataOf(name)));
  }
  if (index) files.push(await writeJsonFile(input.disk, INDEX_FILE, index));
  for (const [name, content] of filesOf(input)) files.push(await writeJsonFile(input.disk, name, content));
  files.push(...(await writeMadeFiles(input)));
  return files;
}

/** Gives the data of the written tensors; a module is quantized when the first of its tensors is asked for. */
class ModuleData {
  private readonly input: WriteInput;
  private readonly layout: ModuleLayout;
  private readonly parts = new Map<string, { plan: TensorPlan; part: ModuleTensor }>();
  /** Packed, and not yet asked for. */
  private readonly waiting = new Map<string, Uint8Array>();

  constructor(input: WriteInput, layout: ModuleLayout) {
    this.input = input;
    this.layout = layout;
    for (const plan of input.variant.plans.values())
      for (const part of layout.tensors(plan)) this.parts.set(part.name, { plan, part });
  }

  async *dataOf(name: string): AsyncGenerator<Uint8Array> {
    const { model, variant, progress, memory } = this.input;
    const module = this.parts.get(name);
    await progress.begin(`writing ${module?.plan.name ?? name}`);
    const chunks = module
      ? [await this.partOf(module.plan, module.part)]
      : exportedTensor(model.checkpoint, variant, name, memory);
    for await (const chunk of chunks) {
      yield chunk;
      await progress.advance(chunk.byteLength);
    }
  }

  private async partOf(plan: TensorPlan, part: ModuleTensor): Promise<Uint8Array> {
    if (part.data) return part.data;
    if (!this.waiting.has(part.name)) await this.pack(plan);
    const data = this.waiting.get(part.name);
    if (!data) throw new TypeError(`${part.name} was asked for twice`);
    this.waiting.delete(part.name);
    return data;
  }

  private async pack(plan: TensorPlan): Promise<void> {
    const { model, variant, memory } = this.input;
    const data = this.layout.pack(await packedWeights(model.checkpoint, variant, plan.name, memory));
    const parts = this.layout.tensors(plan).filter((part) => !part.data);
    parts.forEach((part, i) => this.waiting.set(part.name, data[i]));
  }
}
