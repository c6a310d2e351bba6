import { readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { loadTokenizer } from "#engine/formats/tokens/loadTokenizer.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { floatsOf } from "../logits.ts";
import { llama, type LlamaLibraries } from "../gguf/llamaLibraries.ts";
import { PASSAGE } from "./attempt.ts";

const answer = z.object({ vocabulary: z.number(), tokens: z.array(z.array(z.number())) });

/** What llama.cpp makes of an export. */
export interface LlamaScore {
  /** Mean, in nats, of the labels. */
  readonly nll: number;
  /** Whether it cuts the passage as the source's tokenizer does. */
  readonly sameTokens: boolean;
}

/** Runs an exported GGUF file in llama.cpp on the windows that were judged. @throws where it does not load or run it */
export async function llamaScore(
  { libraries, python }: { libraries: LlamaLibraries; python: string },
  { out, source }: { out: string; source: string },
  { windows }: Pick<WindowSet, "windows">,
): Promise<LlamaScore> {
  const [file] = readdirSync(out).filter((name) => name.endsWith(".gguf"));
  const logits = join(out, "logits.f32");
  const run = { model: join(out, file), texts: PASSAGE, windows: windows.map(({ ids }) => [...ids]), logits };
  const { vocabulary, tokens } = answer.parse(llama(libraries, { run }, python));
  const tokenizer = await loadTokenizer(source);
  const lead = tokenizer.bos === null ? [] : [tokenizer.bos];
  const expected = PASSAGE.map((text) => [...lead, ...tokenizer.encode(text)].join());
  return {
    nll: meanNll(floatsOf(logits), windows, vocabulary),
    sameTokens: expected.every((ids, i) => ids === tokens[i].join()),
  };
}

/** logits: (tokens, vocabulary), window after window. */
function meanNll(logits: Float32Array, windows: WindowSet["windows"], vocabulary: number): number {
  let [row, sum, count] = [0, 0, 0];
  for (const { labels } of windows)
    for (const label of labels) {
      const scores = logits.subarray(row * vocabulary, ++row * vocabulary);
      if (label < 0) continue;
      const most = scores.reduce((a, b) => Math.max(a, b));
      sum +=
        most + Math.log(scores.reduce((total, score) => total + Math.exp(score - most), 0)) - scores[label];
      count++;
    }
  return sum / count;
}
