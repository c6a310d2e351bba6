import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { needsProcess, testFiles } from "../../scripts/testing/testFiles.ts";

const ROOT = join(import.meta.dirname, "../..");

it("every file of tests is run once, by itself or with others", () => {
  const there = ["src", "test"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`),
  );
  const { apart, together } = testFiles();
  expect([...apart, ...together].sort()).toEqual(there.sort());
  expect(apart.length).toBeGreaterThan(0);
  expect(together.length).toBeGreaterThan(0);
});

it.each<[string, string, boolean]>([
  ["src/engine/numeric/sum.test.ts", `it("adds", () => {});`, false],
  ["src/engine/numeric/sum.test.ts", `const listener = vi.fn();`, false],
  ["src/engine/numeric/sum.test.ts", `vi.mock(import("./sum.ts"));`, true],
  ["src/engine/numeric/sum.test.ts", `process.env["THREADS"] = "1";`, true],
  ["test/cli/grammar.test.ts", ``, true],
  ["src/renderer/state/pace.test.ts", ``, true],
])("%s with %j needs a process of its own: %s", (file, text, expected) => {
  expect(needsProcess(file, text)).toBe(expected);
});
