import { join } from "node:path";
import { DATA_FILE, MODEL_FILE } from "../layout/names.ts";
import { exportedTensor, packedWeights } from "../../write/exportedTensor.ts";
import type { WriteInput } from "../../write/exporter.ts";
import { writeFile, type Append, type WrittenFile } from "#engine/files/output/outputFile.ts";
import type { DecoderPlan, PlacedTensor } from "./decoderPlan.ts";
import { packParts } from "./packParts.ts";

/** Bytes handed on at once. */
const CHUNK_BYTES = 8 * 1024 * 1024;

/** Writes graph and data as planned, one tensor of the checkpoint in memory at a time. */
export async function writeDecoder(input: WriteInput, plan: DecoderPlan): Promise<WrittenFile[]> {
  const { disk, progress } = input;
  const data = await writeFile(disk, DATA_FILE, join(disk.folder, DATA_FILE), (append) =>
    writeData(input, plan, async (bytes) => {
      await append(bytes);
      await progress.advance(bytes.byteLength);
    }),
  );
  await progress.begin(`writing ${MODEL_FILE}`);
  const model = await writeFile(disk, MODEL_FILE, join(disk.folder, MODEL_FILE), (append) =>
    append(plan.model),
  );
  await progress.advance(plan.model.byteLength);
  return [model, data];
}

async function writeData(input: WriteInput, { tensors }: DecoderPlan, append: Append): Promise<void> {
  let at = 0;
  for (const group of bySource(tensors)) {
    const { source } = group[0];
    await input.useSource([input.model.checkpoint.tensors.get(source)?.file ?? ""]);
    await input.progress.begin(`writing ${source}`);
    for await (const { tensor, bytes } of dataOf(input, source, group)) {
      if (tensor.offset > at) await append(new Uint8Array(tensor.offset - at));
      at = tensor.offset + tensor.bytes;
      let written = 0;
      for await (const chunk of bytes) {
        await append(chunk);
        written += chunk.byteLength;
      }
      if (written !== tensor.bytes)
        throw new Error(`${tensor.name} gave ${written} bytes where ${tensor.bytes} are planned`);
    }
  }
}

/** Stored tensors that come from one tensor of the checkpoint lie one after another. */
function bySource(tensors: readonly PlacedTensor[]): PlacedTensor[][] {
  const groups: PlacedTensor[][] = [];
  for (const tensor of tensors) {
    const last = groups.at(-1);
    if (last?.[0].source === tensor.source) last.push(tensor);
    else groups.push([tensor]);
  }
  return groups;
}

async function* dataOf(
  { model: { checkpoint }, variant, memory }: WriteInput,
  source: string,
  group: readonly PlacedTensor[],
): AsyncGenerator<{ tensor: PlacedTensor; bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array> }> {
  if (!variant.plans.has(source)) {
    for (const tensor of group) yield { tensor, bytes: exportedTensor(checkpoint, variant, source, memory) };
    return;
  }
  const parts = packParts(await packedWeights(checkpoint, variant, source, memory));
  for (const tensor of group) yield { tensor, bytes: chunksOf(parts.get(tensor.name) ?? new Uint8Array()) };
}

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}
