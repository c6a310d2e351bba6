import type { CompareReport } from "#shared/comparison.ts";
import { compareModels, comparePasses } from "#engine/evaluate/compare/compareModels.ts";
import { readRows } from "#engine/files/documents/readDocuments.ts";
import { maximaFor } from "../model/calibration.ts";
import { openModel, withModel } from "../model/openModel.ts";
import { planVariant } from "../model/variants.ts";
import type { Talk } from "../protocol/talk.ts";
import type { TaskFields } from "../protocol/task.ts";

/** Variants and other checkpoints beside the original, on a text and token by token on a passage. */
export async function compareTask(fields: TaskFields<"compare">, talk: Talk): Promise<CompareReport> {
  const begin = performance.now();
  const { text, judge, passage, calibration, checkpoints } = fields;
  const model = await openModel(fields.model);
  const rows = await readRows(text);
  const first = calibration ? 1 : 0;
  const passes = first + comparePasses(checkpoints.length);
  const maxima = await maximaFor(model, calibration, talk.pass(0, passes));
  const compared = await compareModels({
    ...{ model, rows, judge, passage },
    recipes: fields.variants.map((request) => ({
      recipe: request.recipe,
      ...planVariant(model, request, maxima),
    })),
    others: checkpoints.map((handle) => (work) => withModel(handle, work)),
    pass: (index) => talk.pass(first + index, passes),
  });
  return {
    model: fields.model.path,
    text,
    ...compared,
    seconds: (performance.now() - begin) / 1000,
  };
}
