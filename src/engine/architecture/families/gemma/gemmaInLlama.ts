import type { Decoder } from "../../description/description.ts";

/** The scale of scores that llama.cpp takes: hidden/heads in the 27B model, which it knows by its layers, else the head size, to −1/2. */
function scalarIn(layers: number, largest: number, hidden: number, heads: number, headSize: number): number {
  return layers === largest ? hidden / heads : headSize;
}

/** `query_pre_attn_scalar` of a file's config. @param largest layers of the family's 27B model */
export function gemmaScalar(largest: number) {
  return (fields: Readonly<Record<string, unknown>>): Record<string, unknown> => {
    const number = (name: string): number => Number(fields[name]);
    const [layers, hidden, heads] = ["num_hidden_layers", "hidden_size", "num_attention_heads"].map(number);
    const headSize = fields["head_dim"] === undefined ? hidden / heads : number("head_dim");
    return { query_pre_attn_scalar: scalarIn(layers, largest, hidden, heads, headSize) };
  };
}

/** Where llama.cpp would scale scores by another number. */
export function gemmaScaleProblems({ layers, hiddenSize }: Decoder, largest: number): string[] {
  const { heads, headSize, scale } = layers[0].attention.body;
  const taken = scalarIn(layers.length, largest, hiddenSize, heads, headSize) ** -0.5;
  return Math.abs(taken - scale) < 1e-6 * scale
    ? []
    : [`it scales scores by ${scale}, and llama.cpp takes ${taken} for a model of these sizes`];
}

/** Where llama.cpp would give windows to other layers: it has one without after every `every` − 1 with. */
export function gemmaPatternProblems({ layers }: Decoder, every: number): string[] {
  const wrong = layers.findIndex(
    ({ attention }, layer) => (attention.body.window === null) !== (layer % every === every - 1),
  );
  return wrong < 0
    ? []
    : [
        `its layer ${wrong} ${layers[wrong].attention.body.window === null ? "has no" : "has a"} sliding window, and llama.cpp has one in all layers but every ${every}th`,
      ];
}
