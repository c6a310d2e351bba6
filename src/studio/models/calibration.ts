import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { judge as judgeSchema, type Judge } from "#shared/plan.ts";
import { needsCalibration, type Recipe } from "#shared/recipe.ts";
import { noCalibration } from "#engine/recipe/planActivations.ts";
import { checkSplit } from "#engine/lab/run/texts.ts";
import type { CalibrationText } from "#worker/protocol/task.ts";
import type { Access } from "./access.ts";

/** Where a calibration text may come from. */
export interface CalibrationPlaces {
  /** The one that was named; absent = looked for. */
  readonly named: string | undefined;
  /** Folder of the checkpoint. */
  readonly model: string;
  /** The judged text, where there is one. */
  readonly text: string | null;
}

/**
 * The calibration text of some recipes: the one named, else `calibration.jsonl` beside the judged text, in the model's folder
 * or the one around it. Null where no recipe needs one.
 * @throws KeystoneError usage/no-calibration, usage/calibration-is-text, text/missing, access/outside
 */
export async function calibrationFor(
  access: Access,
  recipes: readonly Recipe[],
  { named, model, text }: CalibrationPlaces,
): Promise<string | null> {
  if (!recipes.some(needsCalibration)) return null;
  const found = named === undefined ? await beside(access, model, text) : await existing(access.check(named));
  if (text !== null) await checkSplit({ text, calibration: found });
  return found;
}

/** The same as a task is given it. @param judge how it is cut; absent = as texts usually are */
export async function calibrationText(
  access: Access,
  recipes: readonly Recipe[],
  places: CalibrationPlaces,
  judge: Judge = judgeSchema.parse({}),
): Promise<CalibrationText | null> {
  const text = await calibrationFor(access, recipes, places);
  return text === null ? null : { text, judge };
}

async function beside(access: Access, model: string, text: string | null): Promise<string> {
  const folders = [...(text === null ? [] : [dirname(text)]), model, dirname(model)];
  for (const folder of folders) {
    const path = join(folder, "calibration.jsonl");
    if (path !== text && access.allows(path) && (await isFile(path))) return access.check(path);
  }
  throw noCalibration();
}

async function existing(path: string): Promise<string> {
  if (await isFile(path)) return path;
  throw new KeystoneError(
    "text/missing",
    `The calibration text ${path} cannot be read.`,
    "Check the path of the text.",
    { path },
  );
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() ?? false;
}
