import { transposedPaths } from "#engine/architecture/readArchitecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { modulePath } from "#engine/checkpoint/tensorRole.ts";
import { storageOf } from "#engine/checkpoint/readTensor.ts";
import { transpose } from "#engine/numeric/transpose.ts";
import type { TensorInfo } from "#shared/model.ts";
import { toStorageBytes } from "../../write/storageBytes.ts";
import { dataBytes } from "#engine/checkpoint/dtypes.ts";
import { bytesText } from "#engine/files/output/diskErrors.ts";
import type { Exporter, ExportSource, WriteInput } from "../../write/exporter.ts";
import { exportedTensor } from "../../write/exportedTensor.ts";
import { madeBytes, tokenizerNotes, writeMadeFiles } from "../../write/madeFiles.ts";
import { writeJsonFile, type WrittenFile } from "#engine/files/output/outputFile.ts";
import { INDEX_FILE } from "#engine/checkpoint/shardFiles.ts";
import { planShards, type CheckpointPlan, type ShardPlan } from "./planShards.ts";
import { activationProblems, transformersProblems } from "../../write/problems.ts";
import { CONFIG_FILE, isStale, rewritesConfig, shardLimit, sourceIndex } from "../../write/sourceIndex.ts";
import { plannedTensors, stackedData, wholeTensor, writtenStacked } from "./stackedTensorData.ts";
import { writeShard } from "./safetensorsWriter.ts";

/** A drop-in copy of the checkpoint whose weights carry the recipe's rounding, in the checkpoint's own types. */
export const safetensorsExporter: Exporter = {
  problems: (recipe, on) => [
    ...activationProblems(recipe, "A dequantized safetensors file"),
    ...(on ? transformersProblems(on.model.checkpoint) : []),
  ],
  adapt: (recipe) => ({ recipe, changes: [] }),
  weightBytes: ({ checkpoint }) =>
    [...checkpoint.tensors.values()].reduce((sum, tensor) => sum + dataBytes(tensor), 0),
  bytesOf: dataBytes,
  outline: async (source) => {
    const { bytes } = await planFiles(source);
    return { bytes: bytes + (await madeBytes(source.model.checkpoint)) };
  },
  notes: async (source) => {
    const { bytes } = await planFiles(source);
    const alike = source.model.checkpoint.packing === undefined ? ", as many as the source" : "";
    if (source.variant.plans.size === 0)
      return [
        { code: "export/size", text: `No tensor is quantized: the files take ${bytesText(bytes)}${alike}.` },
        ...(await tokenizerNotes(source.model.checkpoint)),
      ];
    return [
      {
        code: "export/size",
        text: `The weights are dequantized: the files take ${bytesText(bytes)}${alike}. ${source.variant.bitsPerWeight.toFixed(3)} bits per weight is what a packed format needs.`,
      },
      ...(await tokenizerNotes(source.model.checkpoint)),
    ];
  },
  write: writeCheckpoint,
  leavesBehind: (name, { checkpoint }) => isStale(name, checkpoint),
};

/** @throws KeystoneError export/bad-name, checkpoint/bad-index */
async function planFiles({ model: { checkpoint }, maxShardBytes }: ExportSource): Promise<CheckpointPlan> {
  const isTurned = turnedTensors(checkpoint);
  const tensors = plannedTensors(checkpoint).map((tensor) => ({
    ...tensor,
    shape: isTurned(tensor.name) ? tensor.shape.toReversed() : tensor.shape,
  }));
  return planShards(tensors, shardLimit(checkpoint, maxShardBytes), await sourceIndex(checkpoint));
}

async function writeCheckpoint(input: WriteInput): Promise<WrittenFile[]> {
  const { shards, index } = await planFiles(input);
  const files: WrittenFile[] = [];
  for (const shard of shards) {
    await input.useSource(shard.tensors.map(({ file }) => file));
    files.push(await writeOneShard(input, shard));
  }
  if (index) files.push(await writeJsonFile(input.disk, INDEX_FILE, index));
  // the source's own config.json says that its weights are packed
  const { checkpoint } = input.model;
  if (rewritesConfig(checkpoint)) files.push(await writeJsonFile(input.disk, CONFIG_FILE, checkpoint.config));
  files.push(...(await writeMadeFiles(input)));
  return files;
}

async function writeOneShard(
  { model, variant, disk, progress, memory }: WriteInput,
  shard: ShardPlan,
): Promise<WrittenFile> {
  await progress.advance(shard.header.byteLength);
  const { checkpoint } = model;
  const turned = turnedTensors(checkpoint);
  const stacked = writtenStacked(checkpoint);
  const dataOf = (name: string) => exportedTensor(checkpoint, variant, name, memory);
  return writeShard(disk, shard, async function* (name) {
    await progress.begin(`writing ${name}`);
    const stack = stacked.get(name);
    const tensor = turned(name) ? checkpoint.tensors.get(name) : undefined;
    const chunks = stack ? stackedData(stack, checkpoint.tensors, dataOf) : dataOf(name);
    for await (const chunk of tensor ? transposed(chunks, tensor) : chunks) {
      yield chunk;
      await progress.advance(chunk.byteLength);
    }
  });
}

/** Which tensors the family stores as (in, out). */
function turnedTensors({ config, tensors }: Checkpoint): (name: string) => boolean {
  const paths = transposedPaths(config);
  return (name) =>
    paths.includes(modulePath(name)) && name.endsWith(".weight") && tensors.get(name)?.shape.length === 2;
}

/** A tensor's data with rows and columns exchanged; the whole tensor is in memory. */
async function* transposed(chunks: AsyncIterable<Uint8Array>, info: TensorInfo): AsyncGenerator<Uint8Array> {
  const [rows, columns] = info.shape;
  const values = transpose(await wholeTensor(chunks, info), [rows, columns]);
  yield toStorageBytes(values, storageOf(info), "a transposed matrix");
}
