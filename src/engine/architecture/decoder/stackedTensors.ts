import type { Decoder, Mlp } from "../description/description.ts";
import type { LayerTensor } from "./architecture.ts";
import { expertTensors, layerTensors } from "./tensors.ts";

/** A tensor of the equations inside a larger one of a file. */
export interface StackedPart {
  /** The family's name for it. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Where its first weight stands among the larger one's. */
  readonly from: number;
  /** How far apart there its rows lie, and the weights of one row. */
  readonly strides: readonly [number, number];
}

/** A tensor that a file may have in place of several of a layer's. */
export interface StackedTensor {
  readonly layer: number;
  readonly shape: readonly number[];
  /** By expert, so that parts of one expert follow each other. */
  readonly parts: readonly StackedPart[];
}

export type StackedTensors = ReadonlyMap<string, StackedTensor>;

/**
 * Tensors in which transformers keeps the experts of a layer together, and the router beside them, by the names that a family's files
 * may have them under.
 */
export function stackedTensors(decoder: Decoder): StackedTensors {
  return new Map(
    decoder.layers.flatMap(({ mlp }, layer) => (mlp.body.experts ? stacksOf(decoder, layer, mlp.body) : [])),
  );
}

function stacksOf(decoder: Decoder, layer: number, body: Mlp): [string, StackedTensor][] {
  const { experts, width } = body;
  if (!experts) return [];
  const { gateUp, down, by, router } = experts.stacked;
  const at = (path: string): string => `${decoder.layersPath}.${layer}.${path}`;
  const stack = (
    path: string,
    slots: readonly string[],
    [out, input]: readonly [number, number],
  ): [string, StackedTensor][] => {
    const matrix = by === "rows" ? [out, input] : [input, out];
    const bias = slots.map((slot) => `${slot}_bias`);
    const hasBias = tensorsOf(decoder, layer, 0, bias).length > 0;
    return [
      [
        at(path),
        {
          ...{ layer, shape: [experts.count, ...matrix] },
          parts: partsOf(decoder, layer, experts.count, slots, by, [out, input]),
        },
      ],
      ...(hasBias
        ? [
            [
              at(`${path}_bias`),
              {
                ...{ layer, shape: [experts.count, out] },
                parts: partsOf(decoder, layer, experts.count, bias, by, [out, 1]),
              },
            ] as [string, StackedTensor],
          ]
        : []),
    ];
  };
  const hidden = decoder.hiddenSize;
  return [
    ...stack(gateUp, ["gate_proj", "up_proj"], [2 * width, hidden]),
    ...stack(down, ["down_proj"], [hidden, width]),
    ...(router === experts.router.gate.path ? [] : [renamedRouter(decoder, layer, at(`${router}.weight`))]),
  ];
}

/** Where each expert's share of a stack of (out, input) matrices lies. */
function partsOf(
  decoder: Decoder,
  layer: number,
  count: number,
  slots: readonly string[],
  by: "rows" | "columns",
  [out, input]: readonly [number, number],
): StackedPart[] {
  return Array.from({ length: count }, (_, expert) =>
    tensorsOf(decoder, layer, expert, slots).map(({ name, shape }, i): StackedPart => {
      const first = expert * out * input;
      if (by === "rows")
        return { name, shape, from: first + (i * out * input) / slots.length, strides: [input, 1] };
      return { name, shape, from: first + i, strides: [slots.length, out] };
    }),
  ).flat();
}

function tensorsOf(decoder: Decoder, layer: number, expert: number, slots: readonly string[]): LayerTensor[] {
  const own = expertTensors(decoder, layer, expert);
  return slots.flatMap((slot) => own.find((it) => it.expert?.slot === slot) ?? []);
}

function renamedRouter(decoder: Decoder, layer: number, stored: string): [string, StackedTensor] {
  const router = layerTensors(decoder, layer).find(({ kind }) => kind === "router");
  if (!router) throw new Error(`layer ${layer} has experts and no router`);
  const { name, shape } = router;
  return [stored, { layer, shape, parts: [{ name, shape, from: 0, strides: [shape[1], 1] }] }];
}
