import { basename } from "node:path";
import type { DetectOptions, DetectReport } from "#shared/detection.ts";
import { judge as judgeSchema } from "#shared/plan.ts";
import { detect } from "#engine/superweight/detect.ts";
import type { EffectText } from "#engine/superweight/effect/effects.ts";
import { PASSAGE, PASSAGE_NAME, PASSAGE_TOKENS } from "#engine/superweight/passage.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import { openModel, type OpenModel } from "../model/openModel.ts";
import type { Talk } from "../protocol/talk.ts";
import type { TaskFields } from "../protocol/task.ts";
import { windowsOf } from "#engine/evaluate/windows/readWindows.ts";

/** The super weights, and what the model loses without each of them. */
export async function detectTask(
  { model: handle, options, effect }: TaskFields<"detect">,
  talk: Talk,
): Promise<DetectReport> {
  const model = await openModel(handle);
  const found = await detect({
    ...model,
    tokenizer: await model.tokenizer(),
    options,
    ...(await effectText(model, options, effect)),
    ...talk.watch,
    onPass: (pass) => {
      talk.post({ type: "detect-pass", pass });
    },
    onPreview: (preview) => {
      talk.post({ type: "detect-preview", preview });
    },
  });
  return { ...found, model: handle.path };
}

/** The person's text, or the first window of the passage that ships with the program. */
async function effectText(
  model: OpenModel,
  options: DetectOptions,
  effect: TaskFields<"detect">["effect"],
): Promise<{ text?: EffectText }> {
  if (!options.effect) return {};
  if (effect)
    return {
      text: { name: basename(effect.text), windows: await windowsOf(model, effect.text, effect.judge) },
    };
  const { contextLength } = model.architecture.facts;
  const tokenizer = await model.tokenizer();
  // one window of the passage: a second one would only repeat what its beginning shows
  const judge = judgeSchema.parse({ context: Math.min(PASSAGE_TOKENS + 1, contextLength), tokens: 1 });
  return { text: { name: PASSAGE_NAME, windows: cutWindows([PASSAGE], tokenizer, judge, contextLength) } };
}
