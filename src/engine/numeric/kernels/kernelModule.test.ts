import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { compileKernels, moduleText } from "../../../../scripts/buildKernels.ts";

it("is what the sources in assembly/ compile to", async () => {
  const committed = readFileSync(new URL("kernelModule.ts", import.meta.url), "utf8");
  expect(committed, "run: node scripts/buildKernels.ts").toBe(moduleText(await compileKernels()));
});
