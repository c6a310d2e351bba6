import { Linter } from "eslint";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { DIRECTIONS, ENGINE_ORDER } from "../../scripts/importOrder.ts";
import { circles, folderGraph, importGraph } from "../support/importGraph.ts";

const ROOT = join(import.meta.dirname, "../..");
const MOST_FILES = 15;
const MOST_LINES = 300;

describe("a graph of imports", () => {
  it("shows a circle of files", () => {
    const graph = new Map([
      ["a/one.ts", ["a/two.ts"]],
      ["a/two.ts", ["b/three.ts"]],
      ["b/three.ts", ["a/one.ts"]],
    ]);
    expect(circles(graph)).toEqual([["a/one.ts", "a/two.ts", "b/three.ts"]]);
    expect(circles(folderGraph(graph))).toEqual([["a", "b"]]);
  });

  it("shows a circle of folders whose files form none", () => {
    const graph = new Map([
      ["a/one.ts", ["b/two.ts"]],
      ["b/two.ts", []],
      ["b/three.ts", ["a/four.ts"]],
      ["a/four.ts", []],
    ]);
    expect(circles(graph)).toEqual([]);
    expect(circles(folderGraph(graph))).toEqual([["a", "b"]]);
  });
});

describe("src", () => {
  const files = importGraph(ROOT, "src");

  it("was read: thousands of imports", () => {
    expect([...files.values()].flat().length).toBeGreaterThan(2000);
  });

  it("has no circle of files", () => {
    expect(circles(files)).toEqual([]);
  });

  it("has no circle of folders", () => {
    const ours = new Map([...files].filter(([file]) => isOurs(file)));
    expect(circles(folderGraph(ours))).toEqual([]);
  });

  it(`has no file of more than ${MOST_LINES} lines, tests and style sheets not counted`, () => {
    const long = [...files.keys()].filter(
      (file) =>
        isOurs(file) && readFileSync(join(ROOT, file), "utf8").trimEnd().split("\n").length > MOST_LINES,
    );
    expect(long).toEqual([]);
  });
});

describe("src/engine", () => {
  const files = new Map([...importGraph(ROOT, "src/engine")].filter(([file]) => isOurs(file)));

  it("has no circle of its uppermost folders", () => {
    const upper = (file: string): string => `${file.split("/").slice(0, 3).join("/")}/any`;
    const raised = [...files].map(([file, imports]) => [upper(file), imports.map(upper)] as const);
    const graph = Map.groupBy(raised, ([name]) => name);
    const joined = new Map([...graph].map(([name, parts]) => [name, parts.flatMap(([, to]) => to)]));
    expect(circles(folderGraph(joined))).toEqual([]);
  });

  it("has folders of one order, and all of them are in it", () => {
    const folders = readdirSync(join(ROOT, "src/engine"));
    expect(folders.sort()).toEqual([...ENGINE_ORDER].sort());
  });

  it(`keeps at most ${MOST_FILES} files in a folder, tests not counted`, () => {
    const counts = Map.groupBy(files.keys(), (file) => dirname(file));
    const full = [...counts].filter(([, members]) => members.length > MOST_FILES).map(([folder]) => folder);
    expect(full).toEqual([]);
  });

  it("has no two files of one name", () => {
    const named = Map.groupBy(files.keys(), (file) => basename(file));
    expect([...named].filter(([, members]) => members.length > 1).map(([name]) => name)).toEqual([]);
  });

  it.each([
    ["numeric/widen.ts", "#engine/evaluate/score.ts", /numeric stands below that folder/],
    ["formats/write/exporter.ts", "#engine/export/writeExport.ts", /formats stands below that folder/],
    ["lab/run/arms.ts", "../../numeric/widen.ts", /Across folders of the engine, import through #engine/],
    ["lab/run/arms.ts", "#studio/context/studio.ts", /Arrows point from faces/],
  ])("is refused by the lint rule where %s imports %s", (file, imported, message) => {
    expect(refusals(file, imported)).toMatch(message);
  });

  it("is not refused where a higher folder imports a lower one, or a folder itself", () => {
    expect(refusals("export/writeExport.ts", "#engine/numeric/widen.ts")).toBe("");
    expect(refusals("formats/gguf/write/planGguf.ts", "../layout/metadata.ts")).toBe("");
  });
});

/** What lint says to a file of the engine that imports a module. */
function refusals(file: string, imported: string): string {
  const lint = new Linter({ configType: "flat", cwd: ROOT });
  const filename = join(ROOT, "src/engine", file);
  const found = lint.verify(`import { it } from "${imported}"; it();`, DIRECTIONS, { filename });
  return found.map(({ message }) => message).join("\n");
}

/** No tests, and not the kernels in AssemblyScript, which are a program of their own. */
function isOurs(file: string): boolean {
  return !file.endsWith(".test.ts") && !file.includes("/assembly/");
}
