import type { Coordinate } from "#shared/recipe.ts";
import type { DetectReport } from "#shared/detection.ts";
import { detect } from "#engine/superweight/detect.ts";
import { measureEffect } from "#engine/superweight/effect.ts";
import { openModel } from "../openModel.ts";
import type { Talk } from "../talk.ts";
import type { TaskFields } from "../task.ts";
import { windowsOf } from "../windows.ts";

/** The super weights, and where it was asked for what each one's absence costs. */
export async function detectTask(
  { model: handle, options, effect }: TaskFields<"detect">,
  talk: Talk,
): Promise<DetectReport> {
  const begin = performance.now();
  const model = await openModel(handle);
  const found = await detect({ ...model, tokenizer: await model.tokenizer(), options, ...talk.watch });
  for (const pass of found.passes) talk.tell({ type: "detect-pass", pass });
  const report = { ...found, model: handle.path };
  if (!effect || report.superWeights.length === 0) return report;
  const windows = await windowsOf(model, effect.text, effect.judge);
  const coordinates = report.superWeights.map(({ layer, row, column }): Coordinate => [layer, row, column]);
  const effects = await measureEffect({ ...model, windows, coordinates, ...talk.watch });
  const superWeights = report.superWeights.map((weight, i) => ({
    ...weight,
    ...(effects[i] ? { effect: effects[i] } : {}),
  }));
  return { ...report, superWeights, seconds: (performance.now() - begin) / 1000 };
}
