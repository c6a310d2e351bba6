import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Multiplies a float16 tensor of a folder's one model.safetensors, in place: another checkpoint of the same shape. */
export function scaleWeights(folder: string, tensor: string, factor: number): void {
  const file = join(folder, "model.safetensors");
  const bytes = readFileSync(file);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + headerBytes)) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  const entry = header[tensor];
  if (entry?.dtype !== "F16") throw new Error(`${tensor} is no F16 tensor of ${file}.`);
  const [from, to] = entry.data_offsets.map((offset) => 8 + headerBytes + offset) as [number, number];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = from; at < to; at += 2) view.setFloat16(at, view.getFloat16(at, true) * factor, true);
  writeFileSync(file, bytes);
}
