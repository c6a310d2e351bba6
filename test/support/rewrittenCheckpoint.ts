import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { safetensorsBytes, type TensorSpec } from "./safetensorsBytes.ts";
import { temporaryFolder } from "./syntheticCheckpoint.ts";

const header = z.record(
  z.string(),
  z.looseObject({
    dtype: z.string().optional(),
    shape: z.array(z.number()).optional(),
    data_offsets: z.tuple([z.number(), z.number()]).optional(),
  }),
);

export type Tensors = Record<string, TensorSpec>;

/** A checkpoint in one file, taken apart. */
export interface CheckpointParts {
  readonly config: Record<string, unknown>;
  readonly tensors: Tensors;
}

/** Config and tensors of a folder with one model.safetensors, in the file's order. */
export async function readParts(folder: string): Promise<CheckpointParts> {
  const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as Record<string, unknown>;
  const bytes = await readFile(join(folder, "model.safetensors"));
  const length = Number(bytes.readBigUInt64LE(0));
  const entries = header.parse(JSON.parse(bytes.toString("utf8", 8, 8 + length)));
  const tensors: Tensors = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(entries)) {
    if (dtype === undefined || shape === undefined || !data_offsets) continue;
    const [from, to] = data_offsets.map((at) => 8 + length + at);
    tensors[name] = { dtype, shape, data: new Uint8Array(bytes.subarray(from, to)) };
  }
  return { config, tensors };
}

/** Writes a folder of config.json and model.safetensors; more files by name. Returns it. */
export async function writeParts(
  { config, tensors }: CheckpointParts,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await writeFile(
    join(folder, "model.safetensors"),
    safetensorsBytes(tensors, { metadata: { format: "pt" } }),
  );
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

/** The tensors under other names; those that `rename` gives null are left out. */
export function renamed(tensors: Tensors, rename: (name: string) => string | null): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, tensor]) => {
      const other = rename(name);
      return other === null ? [] : [[other, tensor]];
    }),
  );
}
