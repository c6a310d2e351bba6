import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What would silence the runtime by itself. */
const SILENT = new Set(["CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS"]);

/** A process as a person has it, with a home of its own. */
function run(home: string, argv: readonly string[]): ReturnType<typeof spawnSync> {
  const cache = join(home, "cache");
  mkdirSync(cache);
  const rest = Object.fromEntries(Object.entries(process.env).filter(([name]) => !SILENT.has(name)));
  return spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", ...argv], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...rest, HOME: home, XDG_CACHE_HOME: cache, KEYSTONE_HOME: join(home, "keystone") },
  });
}

/** Every folder and file below one, by name. */
const below = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: "utf8" });

it("the runtime is kept from reporting: it writes no events into the cache folder", async () => {
  const home = await temporaryFolder();
  const argv = ["src/cli/index.ts", "eval", DEMO.model, "--text", DEMO.text, "--tokens", "64"];
  const { status, stderr } = run(home, argv);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(below(home).filter((name) => /microsoft|onnxruntime/i.test(name))).toEqual([]);
});
