import { join } from "node:path";
import {
  type Append,
  type OutputDisk,
  type WrittenFile,
  writeFile,
} from "#engine/files/output/outputFile.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { ShardPlan } from "./planShards.ts";

/** Gives the data of one tensor, front to back. */
export type TensorData = (name: string) => AsyncIterable<Uint8Array>;

/**
 * Writes one safetensors file as planned: the header first, then the tensors one after another.
 * @param data exactly as many bytes per tensor as the plan says
 * @throws KeystoneError export/… from the disk; export/wrong-size if a tensor's data is not as long as planned
 */
export async function writeShard(disk: OutputDisk, plan: ShardPlan, data: TensorData): Promise<WrittenFile> {
  return writeFile(disk, plan.file, join(disk.folder, plan.file), async (append) => {
    await append(plan.header);
    for (const tensor of plan.tensors)
      await appendTensor(append, tensor.name, tensor.bytes, data(tensor.name));
  });
}

async function appendTensor(
  append: Append,
  name: string,
  bytes: number,
  data: AsyncIterable<Uint8Array>,
): Promise<void> {
  let written = 0;
  for await (const chunk of data) {
    await append(chunk);
    written += chunk.byteLength;
  }
  if (written === bytes) return;
  throw new KeystoneError(
    "export/wrong-size",
    `Tensor ${name} gave ${written} bytes of data where its header says ${bytes}.`,
    "The checkpoint may have changed meanwhile: open it again and export again.",
    { tensor: name, written, planned: bytes },
  );
}
