import { generationWeights } from "./generationWeights.ts";
import { GrowingText } from "./growingText.ts";
import type { Engine, Watch } from "../stream/engine.ts";
import type { Variant } from "../stream/variant.ts";

export interface GenerateRequest extends Engine, Pick<Watch, "control"> {
  /** Variants that write side by side. */
  readonly variants: readonly Variant[];
  /** What each of them goes on from, as it is fed: BOS included; one for all, or one of its own for each. */
  readonly prompts: readonly (readonly number[])[];
  /** At most so many new tokens each. */
  readonly tokens: number;
  /** Tokens that end a text. */
  readonly ends: readonly number[];
  /** Called after each new token and at the end of each text; throws to stop. */
  readonly onStep?: (texts: readonly WrittenText[]) => void | Promise<void>;
}

/** What one variant has written so far. */
export interface WrittenText {
  /** Without the prompt and without the token that ended it. */
  readonly ids: readonly number[];
  /** Why it stopped; null while it goes on. `not-finite`: its logits are no numbers any more. */
  readonly end: "end-token" | "length" | "not-finite" | null;
  /** The token that ended it. */
  readonly endToken: number | null;
  /** Tokens behind the first, and the seconds that this variant alone spent on them. */
  readonly rate: { readonly tokens: number; readonly seconds: number };
}

interface Lane {
  readonly text: GrowingText;
  readonly prompt: number;
  end: WrittenText["end"];
  endToken: number | null;
  seconds: number;
}

/**
 * Continues a prompt by several variants of a model, each with its most likely token every time, until a token that ends a text
 * or the limit. A layer is read once for all variants; keys and values of earlier tokens are kept, except where activations are
 * quantized by units that later tokens change: such a text runs whole for every token.
 * @throws KeystoneError checkpoint/not-finite, job/cancelled, and what a variant's weights and `onStep` throw
 */
export async function generate({
  variants,
  prompts,
  tokens,
  ends,
  onStep,
  control,
  ...engine
}: GenerateRequest): Promise<WrittenText[]> {
  const weights = await generationWeights(engine, variants);
  const lanes = variants.map((variant, i): Lane => {
    const prompt = (prompts.length === 1 ? prompts[0] : prompts[i]) ?? [];
    const text = new GrowingText(engine, variant, weights.ends[i], prompt);
    return { text, prompt: prompt.length, end: tokens > 0 ? null : "length", endToken: null, seconds: 0 };
  });
  for (;;) {
    const writing = [...lanes.entries()].filter(([, { end }]) => end === null);
    if (writing.length === 0) return lanes.map(writtenBy);
    for (const [, lane] of writing) await timed(lane, () => lane.text.begin());
    for (let layer = 0; layer < engine.architecture.facts.layers; layer++) {
      const of = await weights.layer(layer);
      for (const [i, lane] of writing) await timed(lane, () => lane.text.layer(layer, of(i)));
      await control?.check();
    }
    for (const [, lane] of writing) {
      const next = await timed(lane, async () => mostLikely(await lane.text.next()));
      take(lane, next, { ends, tokens });
    }
    await onStep?.(lanes.map(writtenBy));
  }
}

/** Adds a token to a text, or ends it. */
function take(
  lane: Lane,
  next: number | null,
  { ends, tokens }: Pick<GenerateRequest, "ends" | "tokens">,
): void {
  if (next === null) lane.end = "not-finite";
  else if (ends.includes(next)) [lane.end, lane.endToken] = ["end-token", next];
  else {
    lane.text.ids.push(next);
    const written = lane.text.ids.length - lane.prompt;
    // the first token's time is the prompt's
    if (written === 1) lane.seconds = 0;
    if (written === tokens) lane.end = "length";
  }
}

function writtenBy({ text, prompt, end, endToken, seconds }: Lane): WrittenText {
  const ids = text.ids.slice(prompt);
  const behindFirst = ids.length - 1 + (endToken === null ? 0 : 1);
  return { ids, end, endToken, rate: { tokens: Math.max(0, behindFirst), seconds } };
}

async function timed<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  try {
    return await work();
  } finally {
    lane.seconds += (performance.now() - begin) / 1000;
  }
}

/** The first of the largest; null where no logit is a number. */
function mostLikely(logits: Float32Array): number | null {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (!(logits[i] <= logits[best])) best = i;
  return Number.isFinite(logits[best]) ? best : null;
}
