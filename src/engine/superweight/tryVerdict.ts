import type { TryReport } from "#shared/model.ts";

/**
 * What a perplexity says of the equations that it was computed with. A model that knows nothing has the vocabulary's size, one whose
 * equations are its own a small part of that: `plausible` is half of chance's nats a token or less.
 */
export function tryVerdict({
  family,
  perplexity,
  chance,
  tokens,
}: Pick<TryReport, "family" | "perplexity" | "chance" | "tokens">): Pick<TryReport, "verdict" | "text"> {
  const shown =
    perplexity === null || !Number.isFinite(perplexity) ? "not a number" : perplexity.toPrecision(4);
  const figures = `Computed as ${family}, the perplexity of ${tokens} tokens is ${shown}; chance is ${chance.toLocaleString("en-US")}, the size of the vocabulary.`;
  if (perplexity !== null && perplexity <= Math.sqrt(chance))
    return {
      verdict: "plausible",
      text: `${figures} That is what a trained model has: these are its equations, or near them. To work with it, write "model_type": "${family}" into the config.json of a copy of the folder.`,
    };
  if (perplexity !== null && perplexity < chance / 2)
    return {
      verdict: "doubtful",
      text: `${figures} It predicts something, but not as a trained model does: the equations of ${family} are probably not its own, or it was trained on other text.`,
    };
  return {
    verdict: "wrong",
    text: `${figures} It predicts nothing: the equations of ${family} are not its own, or it was trained on other text.`,
  };
}
