import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { exportReport } from "#shared/exporting.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import { runMain } from "./runMain.ts";

/** The demo model as one GGUF file in a folder with its card. Returns the file's path. */
export async function demoGguf(): Promise<string> {
  const home = await temporaryFolder();
  const [recipe, out] = [join(home, "recipe.json"), join(home, "out")];
  await writeFile(recipe, JSON.stringify({ codec: "q8_0", bits: 8, block: "group:32" }));
  const argv = ["export", DEMO.model, "--recipe", recipe, "--format", "gguf", "--out", out, "--json"];
  const outcome = await runMain(argv, { env: { KEYSTONE_HOME: home } });
  expect([outcome.code, outcome.stderr]).toEqual([0, ""]);
  const { files } = exportReport.parse(outcome.json());
  return join(out, files.map(({ path }) => path).find((path) => path.endsWith(".gguf")) ?? "");
}
