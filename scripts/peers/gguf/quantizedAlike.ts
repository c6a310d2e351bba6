import { join } from "node:path";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { DEMO } from "../models.ts";
import { exportGguf } from "./exportGguf.ts";
import { llama, type LlamaLibraries } from "./llamaLibraries.ts";

/** Schemes that are block types, and their bits. */
export const BLOCK_SCHEMES = [
  ["q8_0", 8],
  ["q5_1", 5],
  ["q5_0", 5],
  ["q4_1", 4],
  ["q4_0", 4],
] as const;

/** Types whose scales are searched for, one for all tensors; and mixes. */
const SEARCHED = ["q2_k", "q6_k", "iq4_nl"] as const;
const MIXES = ["q3_k_s", "q3_k_m", "q3_k_l", "q4_k_s", "q4_k_m", "q5_k_s", "q5_k_m"] as const;

/** What is quantized both ways: a recipe, and the type that llama.cpp is asked for. */
const QUANTIZED = [
  ...[...BLOCK_SCHEMES.map(([scheme]) => scheme), ...SEARCHED].map((scheme) => ({ scheme, pure: true })),
  ...MIXES.map((scheme) => ({ scheme, pure: false })),
];

/** How many tensors of our exports are, bit for bit, those that llama.cpp's quantizer makes of our unquantized file. */
export async function quantizedAlike(
  libraries: LlamaLibraries,
  python: string,
  folder: string,
): Promise<{ text: string; failures: string[] }> {
  const plain = await exportGguf(
    DEMO,
    { scheme: "q8_0", bits: 8, granularity: "group:32", ignore: ["*"] },
    join(folder, "demo-plain"),
  );
  const found: string[] = [];
  const failures: string[] = [];
  for (const { scheme, pure } of QUANTIZED) {
    const output = join(folder, `llama-${scheme}.gguf`);
    llama(libraries, { quantize: { input: plain, output, type: scheme.toUpperCase(), pure } }, python);
    const out = join(folder, `ours-${scheme}`);
    await exportGguf(DEMO, { scheme, ignore: [] }, out);
    const { alike, all } = await tensorsAlike(out, output);
    found.push(`${scheme.toUpperCase()} ${alike}/${all}`);
    if (alike !== all || all === 0)
      failures.push(`${scheme}: ${alike} of ${all} tensors are llama.cpp's own`);
  }
  const text = `Tensors equal to those of llama.cpp's own quantizer (pure, or its mixes), bit for bit: ${found.join(", ")}.`;
  return { text, failures };
}

/** `all` counts the tensors of both files by name. */
async function tensorsAlike(ours: string, theirs: string): Promise<{ alike: number; all: number }> {
  const [mine, other] = [await openCheckpoint(ours), await openCheckpoint(theirs)];
  try {
    let alike = 0;
    for (const { name, packed } of mine.tensors.values()) {
      if (other.tensors.get(name)?.packed?.scheme !== packed?.scheme) continue;
      if (Buffer.compare(await mine.readBytes(name), await other.readBytes(name)) === 0) alike++;
    }
    return { alike, all: new Set([...mine.tensors.keys(), ...other.tensors.keys()]).size };
  } finally {
    await Promise.all([mine.close(), other.close()]);
  }
}
