import { join } from "node:path";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { DEMO } from "../models.ts";
import { exportGguf } from "./exportGguf.ts";
import { llama, type LlamaLibraries } from "./llamaLibraries.ts";

/** Codecs that are block types, and their bits. */
export const BLOCK_CODECS = [
  ["q8_0", 8],
  ["q5_1", 5],
  ["q5_0", 5],
  ["q4_1", 4],
  ["q4_0", 4],
] as const;

/** How many tensors of our exports are, bit for bit, those that llama.cpp's quantizer makes of our unquantized file. */
export async function quantizedAlike(
  libraries: LlamaLibraries,
  python: string,
  folder: string,
): Promise<{ text: string; failures: string[] }> {
  const plain = await exportGguf(
    DEMO,
    { codec: "q8_0", bits: 8, block: "group:32", keep: ["*"] },
    join(folder, "demo-plain"),
  );
  const found: string[] = [];
  const failures: string[] = [];
  for (const [codec, bits] of BLOCK_CODECS) {
    const output = join(folder, `llama-${codec}.gguf`);
    llama(libraries, { quantize: { input: plain, output, type: codec.toUpperCase() } }, python);
    const out = join(folder, `ours-${codec}`);
    await exportGguf(DEMO, { codec, bits, block: "group:32", keep: [] }, out);
    const { alike, all } = await tensorsAlike(out, output);
    found.push(`${codec.toUpperCase()} ${alike}/${all}`);
    if (alike !== all || all === 0) failures.push(`${codec}: ${alike} of ${all} tensors are llama.cpp's own`);
  }
  const text = `Tensors equal to those of llama.cpp's own quantizer (pure), bit for bit: ${found.join(", ")}.`;
  return { text, failures };
}

/** `all` counts the tensors of both files by name. */
async function tensorsAlike(ours: string, theirs: string): Promise<{ alike: number; all: number }> {
  const [mine, other] = [await openCheckpoint(ours), await openCheckpoint(theirs)];
  try {
    let alike = 0;
    for (const { name, packed } of mine.tensors.values()) {
      if (other.tensors.get(name)?.packed?.codec !== packed?.codec) continue;
      if (Buffer.compare(await mine.readBytes(name), await other.readBytes(name)) === 0) alike++;
    }
    return { alike, all: new Set([...mine.tensors.keys(), ...other.tensors.keys()]).size };
  } finally {
    await Promise.all([mine.close(), other.close()]);
  }
}
