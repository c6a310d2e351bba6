import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { KeptModule } from "#shared/exporting.ts";
import { exportAs } from "../exportAs.ts";

/** Exports a checkpoint by a recipe and holds the file to what was judged. Returns the path of the file. */
export async function exportGguf(
  source: string,
  recipe: unknown,
  out: string,
  kept: KeptModule = "unquantized",
): Promise<string> {
  await exportAs(source, recipe, out, { format: "gguf", kept });
  const [file] = readdirSync(out).filter((name) => name.endsWith(".gguf"));
  return join(out, file);
}
