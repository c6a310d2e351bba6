import { transposedPaths } from "#engine/architecture/readArchitecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { modulePath } from "#engine/checkpoint/tensorRole.ts";
import { isStorageType } from "#engine/numeric/storageTypes.ts";
import { transpose } from "#engine/numeric/transpose.ts";
import { widen } from "#engine/numeric/widen.ts";
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
  const tensors = [...checkpoint.tensors.values()].map((tensor) => ({
    ...tensor,
    shape: isTurned(tensor.name) ? tensor.shape.toReversed() : tensor.shape,
    bytes: dataBytes(tensor),
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
  const turned = turnedTensors(model.checkpoint);
  return writeShard(disk, shard, async function* (name) {
    await progress.begin(`writing ${name}`);
    const chunks = exportedTensor(model.checkpoint, variant, name, memory);
    const tensor = turned(name) ? model.checkpoint.tensors.get(name) : undefined;
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
async function* transposed(
  chunks: AsyncIterable<Uint8Array>,
  { shape: [rows, columns], dtype, parameters }: TensorInfo,
): AsyncGenerator<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  const bytes = new Uint8Array(Buffer.concat(parts));
  if (!isStorageType(dtype)) throw new TypeError(`a matrix is stored as ${dtype}`);
  const values = new Float32Array(parameters);
  widen(bytes, dtype, values);
  yield toStorageBytes(transpose(values, [rows, columns]), dtype, "a transposed matrix");
}
