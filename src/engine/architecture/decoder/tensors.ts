import type { Decoder, Layer, Linear, Norm } from "../description/description.ts";
import type { LayerTensor, OuterTensor, SmoothGroup } from "./architecture.ts";

/** A layer's tensors in the order of its equations; biases follow their matrix. */
export function layerTensors(decoder: Decoder, layer: number): LayerTensor[] {
  const { hiddenSize } = decoder;
  const { attention, mlp, parallel, scalar } = decoder.layers[layer];
  const at = (path: string): string => `${decoder.layersPath}.${layer}.${path}`;
  const ofLinear = ({ slot, path, out, in: input, bias }: Linear): LayerTensor[] => [
    { slot, name: at(`${path}.weight`), kind: "linear", shape: [out, input] },
    ...(bias
      ? [{ slot: `${slot}_bias`, name: at(`${path}.bias`), kind: "vector" as const, shape: [out] }]
      : []),
  ];
  const ofNorm = (norm: Norm | null, width = hiddenSize): LayerTensor[] =>
    norm ? normTensors(norm, at(norm.path), width) : [];
  const { queryKeyNorm: inner, heads, keyValueHeads, headSize, sinks } = attention.body;
  const width = (count: number): number => (inner?.over === "width" ? count * headSize : headSize);
  return [
    ...ofNorm(attention.before),
    ...attentionLinears(attention.body).flatMap(ofLinear),
    ...ofNorm(inner?.q ?? null, width(heads)),
    ...ofNorm(inner?.k ?? null, width(keyValueHeads)),
    ...(sinks === null ? [] : [{ slot: "sinks", name: at(sinks), kind: "vector" as const, shape: [heads] }]),
    ...ofLinear(attention.body.output),
    ...ofNorm(attention.after),
    ...(parallel && mlp.before === attention.before ? [] : ofNorm(mlp.before)),
    ...(mlp.body.experts
      ? [
          ...ofLinear(mlp.body.experts.router.gate).map((it) =>
            it.kind === "linear" ? { ...it, kind: "router" as const } : it,
          ),
          ...Array.from({ length: mlp.body.experts.count }, (_, expert) =>
            expertTensors(decoder, layer, expert),
          ).flat(),
        ]
      : [...mlpLinears(mlp.body), mlp.body.down].flatMap(ofLinear)),
    ...ofNorm(mlp.after),
    ...(scalar === undefined
      ? []
      : [{ slot: "scalar", name: at(scalar), kind: "vector" as const, shape: [1] }]),
  ];
}

/** The matrices of one of a layer's experts, each followed by its bias where it has one; none where the layer has no experts. */
export function expertTensors({ layers, layersPath }: Decoder, layer: number, expert: number): LayerTensor[] {
  const { body } = layers[layer].mlp;
  if (!body.experts) return [];
  const at = (path: string): string => `${layersPath}.${layer}.${ofExpert(path, expert)}`;
  return [...mlpLinears(body), body.down].flatMap((it): LayerTensor[] => {
    const part = (slot: string) => ({ slot: `experts.${expert}.${slot}`, expert: { number: expert, slot } });
    return [
      { ...part(it.slot), name: `${at(it.path)}.weight`, kind: "linear", shape: [it.out, it.in] },
      ...(it.bias
        ? [
            {
              ...part(`${it.slot}_bias`),
              name: `${at(it.path)}.bias`,
              kind: "vector",
              shape: [it.out],
            } as const,
          ]
        : []),
    ];
  });
}

/** The path of one expert's matrix: `experts.*.down_proj` → `experts.3.down_proj`. */
export function ofExpert(path: string, expert: number): string {
  return path.replace("*", String(expert));
}

/** A norm's weight and bias, as far as it has them. @param name of its module */
export function normTensors({ path, gain, bias }: Norm, name: string, width: number): LayerTensor[] {
  return [
    ...(gain === "none"
      ? []
      : [{ slot: path, name: `${name}.weight`, kind: "vector" as const, shape: [width] }]),
    ...(bias
      ? [{ slot: `${path}_bias`, name: `${name}.bias`, kind: "vector" as const, shape: [width] }]
      : []),
  ];
}

/** The matrices that the normed input of attention goes into. */
export function attentionLinears({ projections: it }: Layer["attention"]["body"]): readonly Linear[] {
  return it.kind === "apart" ? [it.q, it.k, ...(it.v ? [it.v] : [])] : [it.qkv];
}

/** The matrices that the normed input of the MLP goes into. */
export function mlpLinears({ projections: it }: Layer["mlp"]["body"]): readonly Linear[] {
  if (it.kind === "plain") return [it.up];
  return it.kind === "gated" ? [it.gate, it.up] : [it.gateUp];
}

/** Where SmoothQuant moves scales: only from a norm with a weight that no other block shares. */
export function smoothGroups(decoder: Decoder, layer: number): SmoothGroup[] {
  const { attention, mlp, parallel } = decoder.layers[layer];
  const at = (path: string): string => `${decoder.layersPath}.${layer}.${path}`;
  const shared = parallel && mlp.before === attention.before;
  const group = (input: SmoothGroup["input"], norm: Norm | null, linears: readonly Linear[]): SmoothGroup => {
    const folds = norm !== null && norm.gain !== "none" && !shared;
    return {
      input,
      norms: folds ? normTensors(norm, at(norm.path), decoder.hiddenSize).map(({ name }) => name) : [],
      onePlus: norm?.gain === "1+w",
      linears: linears.flatMap(({ path }) =>
        path.includes("*") && mlp.body.experts
          ? Array.from({ length: mlp.body.experts.count }, (_, e) => at(`${ofExpert(path, e)}.weight`))
          : [at(`${path}.weight`)],
      ),
    };
  };
  return [
    group("attention", attention.before, attentionLinears(attention.body)),
    group("mlp", mlp.before, mlpLinears(mlp.body)),
  ];
}

/** What is read outside the layers; a tied head is the embedding table, which stands once. */
export function outerTensors(decoder: Decoder): OuterTensor[] {
  const { hiddenSize, vocabulary, embedding, norm, head } = decoder;
  const { positions } = embedding;
  return [
    {
      ...{ slot: "embedding", name: embedding.tensor, shape: [vocabulary, hiddenSize] },
      usedBy: head.tied ? "embeddings and output head" : "embeddings",
    },
    ...(positions
      ? [
          {
            slot: "positions" as const,
            name: positions.tensor,
            shape: [positions.rows, hiddenSize],
            usedBy: "positions",
          },
        ]
      : []),
    ...normTensors(norm, norm.path, hiddenSize).map(({ name, shape }) => ({
      ...{ slot: name.endsWith(".bias") ? ("norm_bias" as const) : ("norm" as const), name, shape },
      usedBy: "final norm",
    })),
    ...(head.tied
      ? []
      : [
          {
            slot: "head" as const,
            name: head.tensor,
            shape: [vocabulary, hiddenSize],
            usedBy: "output head",
          },
        ]),
    ...(head.bias === null
      ? []
      : [{ slot: "head_bias" as const, name: head.bias, shape: [vocabulary], usedBy: "output head" }]),
  ];
}
