import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { safetensorsBytes, type TensorSpec } from "./safetensorsBytes.ts";
import { temporaryFolder } from "./syntheticCheckpoint.ts";

/** The one module of these folders. */
export const PACKED_MODULE = "model.layers.0.mlp.down_proj";

/** A folder with one packed module and a config.json that names little more than its packing. */
export async function packedFolder(
  parts: Readonly<Record<string, TensorSpec>>,
  quantization_config: unknown,
  config: object = {},
  files: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const folder = join(await temporaryFolder(), "model");
  await mkdir(folder);
  const named = Object.entries(parts).map(([name, spec]): [string, TensorSpec] => [
    `${PACKED_MODULE}.${name}`,
    spec,
  ]);
  await writeFile(join(folder, "model.safetensors"), safetensorsBytes(Object.fromEntries(named)));
  const settings = { model_type: "llama", quantization_config, ...config };
  for (const [name, content] of Object.entries({ "config.json": settings, ...files }))
    await writeFile(join(folder, name), JSON.stringify(content));
  return folder;
}
