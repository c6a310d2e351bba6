import { createHash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { readManifest } from "#engine/export/card/manifestFiles.ts";
import { checkExport } from "#engine/export/checkExport.ts";
import { verifyExport } from "#engine/export/verify/verifyExport.ts";
import {
  bench,
  exportTo,
  freely,
  modelOf,
  RECIPE,
  SUPER_WEIGHT,
  tree,
  variantOf,
  verifying,
} from "./exporting.ts";

const unevaluated = () => Promise.resolve({ perplexity: null, judgedPerplexity: null, tokens: 0 });

describe("exporting as safetensors", () => {
  for (const storage of ["F32", "F16", "BF16"] as const) {
    for (const shards of [1, 3]) {
      for (const maxShardBytes of [null, 2_000]) {
        const layout = maxShardBytes === null ? "like the source" : "by size";
        it(`gives exactly the judged ${storage} weights from ${shards} source file(s), sharded ${layout}`, async () => {
          const made = await bench({ storage, shards });
          await exportTo(made, { maxShardBytes });
          const verified = await verifyExport({
            source: made.checkpoint,
            variant: made.variant,
            out: made.out,
            evaluate: unevaluated,
            control: freely,
          });
          expect(verified.maxAbsDiff).toBe(0);

          const reopened = await openCheckpoint(made.out);
          if (maxShardBytes === null)
            expect(reopened.shards.map(({ file }) => file)).toEqual(
              made.checkpoint.shards.map(({ file }) => file),
            );
          else expect(reopened.shards.length).toBeGreaterThan(3);
          const plan = made.variant.plans.get(SUPER_WEIGHT.tensor);
          const original = await made.checkpoint.read(SUPER_WEIGHT.tensor);
          const exported = await reopened.read(SUPER_WEIGHT.tensor);
          expect(exported[SUPER_WEIGHT.row * (plan?.columns ?? 0) + SUPER_WEIGHT.column]).toBe(
            SUPER_WEIGHT.value,
          );
          expect(exported).not.toEqual(original);
          await reopened.close();
        });
      }
    }
  }

  it("leaves every byte of a tensor that the recipe keeps", async () => {
    const made = await bench({ storage: "BF16" });
    await exportTo(made);
    const reopened = await openCheckpoint(made.out);
    for (const name of ["model.embed_tokens.weight", "lm_head.weight", "model.norm.weight"]) {
      expect(await reopened.readBytes(name)).toEqual(await made.checkpoint.readBytes(name));
    }
    await reopened.close();
  });

  it("writes the source's own bytes again where the recipe quantizes nothing", async () => {
    const made = await bench({ storage: "F16", shards: 2 }, { ...RECIPE, restore: "none", ignore: ["*"] });
    await exportTo(made);
    for (const { file } of made.checkpoint.shards) {
      const [source, copy] = await Promise.all(
        [made.checkpoint.path, made.out].map((folder) => openDataOf(join(folder, file))),
      );
      expect(copy).toEqual(source);
    }
  });

  it("copies the files around the weights and leaves other weights, data and hidden files behind", async () => {
    const files = {
      "tokenizer.json": "{}",
      "chat_template.jinja": "{{ x }}",
      LICENSE: "MIT",
      "modeling_own.py": "from .layers_own import Layer",
      "layers_own.py": "pass",
      "__init__.py": "",
      "pytorch_model.bin": "x",
      "pytorch_model.bin.index.json": "{}",
      "eval.jsonl": "{}",
      ".gitattributes": "x",
      "README.md": "---\nlicense: apache-2.0\n---\nThe old card.",
    };
    const config = { auto_map: { AutoModelForCausalLM: "modeling_own.OwnModel" } };
    const made = await bench({ files, config });
    await exportTo(made);
    expect(await tree(made.out)).toEqual(
      [
        "LICENSE",
        "README.md",
        "chat_template.jinja",
        "config.json",
        "keystone.json",
        "layers_own.py",
        "model.safetensors",
        "modeling_own.py",
        "tokenizer.json",
      ].sort(),
    );
    expect(await readFile(join(made.out, "config.json"))).toEqual(
      await readFile(join(made.checkpoint.path, "config.json")),
    );
    const card = await readFile(join(made.out, "README.md"), "utf8");
    expect(card).toContain('license: "apache-2.0"');
    expect(card).not.toContain("The old card");
  });

  it("records recipe, source, restored weights and true hashes of every file in keystone.json", async () => {
    const made = await bench({ storage: "F16", shards: 2 });
    const finished = await exportTo(made, { maxShardBytes: 3_000 });
    const record = await readManifest(made.out);
    expect(record.recipe.granularity).toBe("group:8");
    expect(record.recipeId).toBe(made.variant.recipeId);
    expect(record.bitsPerWeight).toBe(made.variant.bitsPerWeight);
    expect(record.restored).toEqual({
      count: 1,
      held: [],
      weights: [{ layer: 1, row: 3, column: 7, tensor: SUPER_WEIGHT.tensor, value: 2.5 }],
    });
    for (const { path, bytes, sha256 } of finished.files) {
      const content = await readFile(join(made.out, path));
      expect([path, content.byteLength, createHash("sha256").update(content).digest("hex")]).toEqual([
        path,
        bytes,
        sha256,
      ]);
    }
    expect(finished.files.map(({ path }) => path).sort()).toEqual(await tree(made.out));
    for (const { path, sha256 } of record.source.files) {
      const content = await readFile(join(made.checkpoint.path, path));
      expect(createHash("sha256").update(content).digest("hex")).toBe(sha256);
    }
  });

  it("records what verification found in the card and keystone.json, with their hashes", async () => {
    const made = await bench();
    const { files, verified } = await exportTo(made, { verify: verifying(made, "safetensors") });
    expect(verified).toEqual({
      ...{ perplexity: 12.5, judgedPerplexity: 12.5, maxAbsDiff: 0, tokens: 640 },
      runtime: null,
    });
    expect((await readManifest(made.out)).verified).toEqual(verified);
    expect(await readFile(join(made.out, "README.md"), "utf8")).toContain("| this export, reopened | 12.5 |");
    for (const { path, bytes, sha256 } of files) {
      const content = await readFile(join(made.out, path));
      expect([path, content.byteLength, createHash("sha256").update(content).digest("hex")]).toEqual([
        path,
        bytes,
        sha256,
      ]);
    }
    expect(files.map(({ path }) => path).sort()).toEqual(await tree(made.out));
  });

  it("counts bytes up to exactly the announced total", async () => {
    const made = await bench({ shards: 2, files: { "tokenizer.json": "{}" } });
    const seen: { done: number; total: number }[] = [];
    await exportTo(made, { control: { check: () => undefined, report: (progress) => seen.push(progress) } });
    expect(seen.at(-1)?.done).toBe(seen.at(-1)?.total);
    expect(seen.every(({ done, total }) => done <= total)).toBe(true);
  });

  it("says size, free space, restored weights and the existing folder before it starts", async () => {
    const made = await bench();
    const request = {
      recipe: made.variant.recipe,
      format: "safetensors",
      out: made.out,
      overwrite: false,
      maxShardBytes: null,
      kept: "unquantized",
    } as const;
    const check = await checkExport(modelOf(made.checkpoint), request);
    expect(check).toMatchObject({ exists: false, restored: [[1, 3, 7]], problems: [] });
    expect(check.freeBytes).toBeGreaterThan(check.bytes);
    const inside = await checkExport(modelOf(made.checkpoint), {
      ...request,
      out: join(made.checkpoint.path, "x"),
    });
    expect(inside.problems.map(({ code }) => code)).toEqual(["export/into-source"]);
  });

  it("refuses a recipe that also quantizes activations, which a weights file cannot hold", async () => {
    const made = await bench({}, { ...RECIPE, activations: { per: "token", method: "naive" } });
    await expect(exportTo(made)).rejects.toMatchObject({ code: "export/activations" });
    expect(await tree(made.folder)).not.toContain("export");
  });
});

describe("verifying an export", () => {
  it("finds one changed weight and names its tensor", async () => {
    const made = await bench({ storage: "F32" });
    await exportTo(made);
    const other = variantOf(made.checkpoint, { ...RECIPE, bits: 4 });
    const input = { source: made.checkpoint, out: made.out, evaluate: unevaluated, control: freely };
    await expect(verifyExport({ ...input, variant: other })).rejects.toMatchObject({
      code: "export/differs",
    });

    const file = join(made.out, "model.safetensors");
    const bytes = await readFile(file);
    bytes[bytes.byteLength - 1] ^= 1;
    await writeFile(file, bytes);
    await expect(verifyExport({ ...input, variant: made.variant })).rejects.toThrow(
      /Tensor lm_head\.weight of the export/,
    );
  });

  it("ends where the files score another number than was judged, though every weight is equal", async () => {
    const made = await bench();
    const scoring = (perplexity: number | null, judgedPerplexity: number | null): Promise<unknown> =>
      exportTo(made, {
        verify: async (out) => ({
          ...(await verifyExport({
            ...{ source: made.checkpoint, variant: made.variant, out, control: freely },
            evaluate: () => Promise.resolve({ perplexity, judgedPerplexity, tokens: 5 }),
          })),
          runtime: null,
        }),
      });
    for (const [perplexity, judged] of [
      [22_225, 4.6e19],
      [339.26, 340.67],
      [null, 340.67],
      [339.26, null],
    ] as const)
      await expect(scoring(perplexity, judged)).rejects.toMatchObject({ code: "export/other-score" });
    expect(await tree(made.folder)).not.toContain("export");
    await scoring(340.67, 340.67 * (1 + 1e-6));
    expect(await tree(made.folder)).toContain("export");
  });

  it("gives the caller the reopened checkpoint to score", async () => {
    const made = await bench();
    await exportTo(made);
    const verified = await verifyExport({
      source: made.checkpoint,
      variant: made.variant,
      out: made.out,
      control: freely,
      evaluate: ({ tensors: { size } }) =>
        Promise.resolve({ perplexity: size, judgedPerplexity: made.checkpoint.tensors.size, tokens: 5 }),
    });
    expect(verified).toEqual({
      perplexity: made.checkpoint.tensors.size,
      judgedPerplexity: made.checkpoint.tensors.size,
      tokens: 5,
      maxAbsDiff: 0,
    });
  });
});

/** Data section of a safetensors file. */
async function openDataOf(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  expect(bytes.byteLength).toBe((await stat(path)).size);
  return bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)));
}
