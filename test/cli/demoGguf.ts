import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { exportReport } from "#shared/exporting.ts";
import { DEMO } from "./demo.ts";
import type { Outcome } from "./runMain.ts";

/** The demo model as one GGUF file with its card, somewhere below `folder`. Returns the file's path. */
export async function demoGguf(
  runMain: (argv: readonly string[]) => Promise<Outcome>,
  folder: string,
): Promise<string> {
  const [recipe, out] = [join(folder, "recipe.json"), join(folder, "out")];
  await mkdir(folder, { recursive: true });
  await writeFile(recipe, JSON.stringify({ scheme: "q8_0", bits: 8, granularity: "group:32" }));
  const argv = ["export", DEMO.model, "--recipe", recipe, "--format", "gguf", "--out", out, "--json"];
  const outcome = await runMain(argv);
  expect([outcome.code, outcome.stderr]).toEqual([0, ""]);
  const { files } = exportReport.parse(outcome.json());
  return join(out, files.map(({ path }) => path).find((path) => path.endsWith(".gguf")) ?? "");
}
