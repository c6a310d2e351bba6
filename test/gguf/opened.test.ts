import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelSummary } from "#shared/model.ts";
import { adapted, bench, exportTo } from "../export/exporting.ts";
import { startStudio, temporaryFolder } from "../studio/helpers.ts";

const SHAPE = { hidden: 64, intermediate: 96, heads: 4, keyValueHeads: 2, vocabulary: 40 } as const;

describe("a GGUF model in the studio", () => {
  it("opens by its file and by its folder, is listed as a model, and shows its tensors' types and statistics", async () => {
    const source = await bench({ ...SHAPE, storage: "F16" });
    const recipe = { scheme: "q5_1", bits: 5, granularity: "group:32" };
    const { variant } = adapted(source.checkpoint, recipe, "gguf");
    await exportTo({ ...source, variant }, { format: "gguf" });
    const [name = ""] = readdirSync(source.out).filter((each) => each.endsWith(".gguf"));
    const file = join(source.out, name);

    const studio = startStudio({ home: temporaryFolder() });
    const listed = await studio.call("folder:list", { path: source.out });
    expect(listed.entries).toContainEqual(expect.objectContaining({ name, kind: "file", model: true }));
    const around = await studio.call("folder:list", { path: source.folder });
    expect(around.entries).toContainEqual(expect.objectContaining({ path: source.out, model: true }));

    for (const path of [file, source.out]) {
      const summary = modelSummary.parse(await studio.call("model:open", { path }));
      expect(summary).toMatchObject({ path, unsupported: null, dtypes: { F16: 2 * 40 * 64 } });
      expect(summary.architecture).toMatchObject({ family: "llama", layers: 2, heads: 4, keyValueHeads: 2 });
      const down = summary.tensors.find((each) => each.name === "model.layers.1.mlp.down_proj.weight");
      expect(down).toMatchObject({
        dtype: "F32",
        packed: { scheme: "Q5_1", bitsPerWeight: 6 },
        bytes: 64 * 96 * (6 / 8),
      });
    }
    const recent = await studio.call("model:recent", {});
    expect(recent.map(({ path, missing }) => ({ path, missing }))).toEqual(
      expect.arrayContaining([file, source.out].map((path) => ({ path, missing: false }))),
    );
  });
});
