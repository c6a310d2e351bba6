import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** Native libraries that a process has loaded once it has imported a module. */
function librariesWith(module: string): string[] {
  const script = `await import(${JSON.stringify(join(ROOT, module))});
    console.log(JSON.stringify(process.report.getReport().sharedObjects));`;
  const argv = ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", script];
  return JSON.parse(execFileSync(process.execPath, argv, { cwd: ROOT, encoding: "utf8" })) as string[];
}

it("the runtime is loaded by workers alone: not by the studio, nor by the command line, which start without it", () => {
  const loaded = (module: string) => librariesWith(module).some((path) => path.includes("onnxruntime"));
  expect(loaded("src/worker/worker.ts")).toBe(true);
  expect(loaded("src/studio/createStudio.ts")).toBe(false);
  expect(loaded("src/cli/main.ts")).toBe(false);
});
