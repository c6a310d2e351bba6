import { describe, expect, it, onTestFinished } from "vitest";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { detect } from "#engine/superweight/detect.ts";
import { detectOptions, type DetectReport } from "#shared/detection.ts";
import { judge } from "#shared/plan.ts";
import { coordinateOf } from "#shared/recipe.ts";
import { plantedFolder, plantedIn, PROMPT, tokenizer, VALUE } from "../families/plantedFolder.ts";

async function detectIn(name: string): Promise<DetectReport> {
  const checkpoint = await openCheckpoint(await plantedFolder(name));
  const architecture = architectureOf(checkpoint);
  const forward = await createForward(architecture, { device: "cpu", threads: 1 });
  onTestFinished(async () => {
    await forward.close();
    await checkpoint.close();
  });
  const windows = cutWindows([PROMPT.repeat(2)], tokenizer, judge.parse({ context: 24 }), 24);
  return detect({
    ...{ checkpoint, architecture, forward, tokenizer },
    options: detectOptions.parse({ prompt: PROMPT }),
    text: { name: "a text", windows },
  });
}

describe("a weight planted in one expert of qwen3_moe", () => {
  it("is found at its coordinates, with what its loss costs, and its expert is a super expert", async () => {
    const place = plantedIn("qwen3_moe");
    const report = await detectIn("qwen3_moe");
    const found = [...report.superWeights, ...report.candidates].find(
      (it) => coordinateOf(it).join() === coordinateOf(place).join(),
    );
    expect(found).toMatchObject({
      ...place,
      value: VALUE,
      tensor: `model.layers.${place.layer}.mlp.experts.${place.expert ?? ""}.down_proj.weight`,
      pass: 1,
      after: [],
    });
    expect(found?.verdict).toBe("super");
    expect(found?.share).toBeGreaterThan(0.8);
    const { effect } = found ?? {};
    expect(effect?.kl ?? NaN).toBeGreaterThan(10 * (effect?.null.kl ?? NaN));
    for (const grain of [effect?.half, effect?.column, effect?.row])
      expect(grain?.kl ?? NaN).toBeGreaterThan(0);
    expect(report.finding.text).toContain(
      `layer ${place.layer} [${place.row}, ${place.column}] of expert ${place.expert ?? ""}`,
    );
    const { experts } = report;
    expect(experts).toMatchObject({ total: 18 });
    expect(experts?.superExperts).toMatchObject([
      {
        layer: place.layer,
        expert: place.expert,
        module: `model.layers.${place.layer}.mlp.experts.${place.expert ?? ""}`,
      },
    ]);
    // the whole expert is worth at least about as much as its one weight
    expect(experts?.superExperts[0].effect?.kl ?? NaN).toBeGreaterThan(0.5 * (effect?.kl ?? NaN));
  });
});
