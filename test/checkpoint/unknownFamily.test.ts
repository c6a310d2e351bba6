import { expect, it, onTestFinished } from "vitest";
import type { UnknownFamily } from "#shared/model.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { unknownFamily } from "#engine/inventory/unknownFamily.ts";
import { writeSyntheticCheckpoint, type SyntheticOptions } from "../support/syntheticCheckpoint.ts";

async function unknown(options: SyntheticOptions): Promise<UnknownFamily | null> {
  const checkpoint = await openCheckpoint(await writeSyntheticCheckpoint(options));
  onTestFinished(() => checkpoint.close());
  return unknownFamily(checkpoint);
}

it("a model of a known family is none", async () => {
  expect(await unknown({})).toBeNull();
});

it("a type that is well known is named for what it is, with the nearest family and what works", async () => {
  const found = await unknown({ config: { model_type: "deepseek_v3" } });
  expect(found).toMatchObject({ modelType: "deepseek_v3", nearest: "llama", tryAs: null });
  expect(found?.text).toMatch(
    /It is DeepSeek V3 .*mixture of experts.* nearest family that Keystone has is llama/,
  );
  expect(found?.text).toMatch(
    /a scan of the weights for super weights, and exports that quantize tensor by tensor/,
  );
});

it("one that nobody knows, with a family's tensors, can be tried as that family", async () => {
  expect(await unknown({ config: { model_type: "own" } })).toMatchObject({
    nearest: "llama",
    tryAs: "llama",
  });
  expect(await unknown({ family: "qwen2", config: { model_type: "own" } })).toMatchObject({ tryAs: "qwen2" });
  expect(await unknown({ family: "phi3", config: { model_type: "own" } })).toMatchObject({ tryAs: "phi3" });
});

it("settings that the family does not read are named", async () => {
  const found = await unknown({ config: { model_type: "own", logit_cap: 30 } });
  expect(found?.text).toContain("llama does not read its setting logit_cap.");
});

it("tensors that no family has, or of other sizes, are not tried", async () => {
  expect(await unknown({ config: { model_type: "own", hidden_size: 20 } })).toMatchObject({
    nearest: null,
    tryAs: null,
  });
  expect(await unknown({ config: { model_type: "qwen9", hidden_size: 20 } })).toMatchObject({
    nearest: "qwen2",
  });
});
