import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { scoreOriginal } from "#engine/evaluate/score.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import { readDocuments } from "#engine/files/documents/readDocuments.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { loadTokenizer } from "#engine/formats/tokens/loadTokenizer.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { tryVerdict } from "#engine/superweight/tryVerdict.ts";
import { PASSAGE, PASSAGE_TOKENS } from "#engine/superweight/passage.ts";
import type { TryReport } from "#shared/model.ts";
import { judge as judgeSchema } from "#shared/plan.ts";
import type { TaskFields } from "../protocol/task.ts";
import type { Talk } from "../protocol/talk.ts";

/**
 * Perplexity of a passage, or of the beginning of a text, under another family's equations, beside chance.
 * @throws KeystoneError architecture/…, tokenizer/missing, checkpoint/not-finite
 */
export async function tryTask(
  { path, family, text, threads }: TaskFields<"try">,
  talk: Talk,
): Promise<TryReport> {
  const checkpoint = await openCheckpoint(path, { as: family });
  try {
    const architecture = architectureOf(checkpoint);
    const tokenizer = await loadTokenizer(path);
    const { contextLength, vocabulary } = architecture.facts;
    const judge = judgeSchema.parse({ context: Math.min(PASSAGE_TOKENS + 1, contextLength), tokens: 1 });
    const windows = cutWindows(
      text === null ? [PASSAGE] : await readDocuments(text),
      tokenizer,
      judge,
      contextLength,
    );
    const forward = await createForward(architecture, { device: "cpu", threads });
    try {
      const { scores } = await scoreOriginal({ checkpoint, architecture, forward, windows, ...talk.watch });
      const { perplexity, tokens } = scores;
      const found = { family, perplexity, chance: vocabulary, tokens };
      return { model: path, ...found, ...tryVerdict(found) };
    } finally {
      await forward.close();
    }
  } finally {
    await checkpoint.close();
  }
}
