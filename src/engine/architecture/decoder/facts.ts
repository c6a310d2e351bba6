import type { ArchitectureFacts } from "#shared/model.ts";
import type { Decoder, Layer, Norm } from "../description/description.ts";
import { describeRope } from "../rope/ropeConfig.ts";

/** What the overview says of a decoder. */
export function factsOf(decoder: Decoder): ArchitectureFacts {
  const { name, family, layers, hiddenSize, vocabulary, contextLength, head } = decoder;
  const kinds = [...new Set(layers)];
  const [first] = kinds;
  const { heads, keyValueHeads, headSize } = first.attention.body;
  const windows = kinds.flatMap(({ attention }) => attention.body.window ?? []);
  return {
    ...{ name, family, hiddenSize, heads, keyValueHeads, headSize, vocabulary, contextLength },
    layers: layers.length,
    intermediateSize: first.mlp.body.width,
    norm: normText(decoder.norm, first),
    position: positionText(decoder, kinds),
    activation: first.mlp.body.activation,
    slidingWindow: windows[0] ?? null,
    tiedEmbeddings: head.tied,
  };
}

/** `RMSNorm, ε 0.000001`, and where norms stand other than in front of each block. */
function normText({ kind, gain, epsilon }: Norm, { attention, parallel }: Layer): string {
  const name = kind === "rms" ? "RMSNorm" : "LayerNorm";
  const weights = { w: "", "1+w": " (1 + w)", none: " without weights" }[gain];
  const after = attention.before === null ? ", behind each block" : ", before and behind each block";
  return [
    `${name}${weights}, ε ${epsilon}`,
    attention.after === null ? "" : after,
    parallel ? ", attention and MLP in parallel" : "",
  ].join("");
}

function positionText({ embedding }: Decoder, kinds: readonly Layer[]): string {
  const rotary = kinds.map(({ attention }) => attention.body.rotary);
  const texts = new Set(
    rotary.map((it) => (it ? describeRope(it.settings) : embedding.positions ? "learned positions" : "none")),
  );
  return [...texts].join("; ");
}
