import { onTestFinished } from "vitest";
import { detectOptions, type DetectReport } from "#shared/detection.ts";
import { judge } from "#shared/plan.ts";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { detect } from "#engine/superweight/detect.ts";
import { writeSyntheticCheckpoint } from "../support/syntheticCheckpoint.ts";

const SIZE = { layers: 6, hidden: 32, intermediate: 48, vocabulary: 64, heads: 4, keyValueHeads: 2 } as const;
/** Channel that BOS alone fills, and that planted neurons listen to. */
export const BOS_CHANNEL = 3;
const BOS = 1;

export interface PlantedWeight {
  readonly tensor: string;
  readonly row: number;
  readonly column: number;
  readonly value: number;
}

/** A neuron of one layer that fires where channel `listens` dominates, and what it writes: [row, weight]. */
export function neuron(
  layer: number,
  column: number,
  listens: number,
  writes: readonly (readonly [row: number, value: number])[],
): PlantedWeight[] {
  const of = (name: string): string => `model.layers.${layer}.mlp.${name}.weight`;
  return [
    { tensor: of("gate_proj"), row: column, column: listens, value: 2 },
    { tensor: of("up_proj"), row: column, column: listens, value: 2 },
    ...writes.map(([row, value]) => ({ tensor: of("down_proj"), row, column, value })),
  ];
}

/** Detection in a random Llama with planted neurons, effects included, on a text of its own alphabet. */
export async function detectPlanted(
  plant: readonly PlantedWeight[],
  options: object = {},
): Promise<DetectReport> {
  const folder = await writeSyntheticCheckpoint({
    ...SIZE,
    deviation: 0.25,
    plant: [...bosAlone(), ...plant],
  });
  const checkpoint = await openCheckpoint(folder);
  const architecture = architectureOf(checkpoint);
  const forward = await createForward(architecture, { device: "cpu", threads: 1 });
  onTestFinished(async () => {
    await forward.close();
    await checkpoint.close();
  });
  const windows = cutWindows(
    [TEXT],
    tokenizer,
    judge.parse({ context: 48 }),
    architecture.facts.contextLength,
  );
  return detect({
    ...{ checkpoint, architecture, forward, tokenizer },
    options: detectOptions.parse({ prompt: "a prompt", ...options }),
    text: { name: "a text", windows },
  });
}

/** BOS fills its channel; all other tokens are on its other side, where a neuron that listens there is closed. */
function bosAlone(): PlantedWeight[] {
  return Array.from({ length: SIZE.vocabulary }, (_, row) => ({
    tensor: "model.embed_tokens.weight",
    row,
    column: BOS_CHANNEL,
    value: row === BOS ? 6 : -1,
  }));
}

const TEXT = "the quick brown fox jumps over the lazy dog and runs away";

/** Letters as tokens 3 … 63. */
const tokenizer: Tokenizer = {
  encode: (text) => Array.from(text, (letter) => 3 + (letter.charCodeAt(0) % 61)),
  decode: (ids) => ids.join(" "),
  tokenText: (id) => `<${id}>`,
  bos: BOS,
  eos: null,
  prefix: BOS,
};
