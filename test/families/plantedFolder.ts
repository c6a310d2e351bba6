import { join } from "node:path";
import { describeDecoder, familyFor } from "#engine/architecture/readArchitecture.ts";
import { modulePath } from "#engine/checkpoint/tensorRole.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { F16_VALUES } from "#engine/numeric/widen.ts";
import { narrow } from "#engine/numeric/narrow.ts";
import { findMlps } from "#engine/superweight/evidence/mlps.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import type { WeightPlace } from "#shared/recipe.ts";
import { readParts, writeParts, type Tensors } from "../support/rewrittenCheckpoint.ts";

export const GOLDEN = join(import.meta.dirname, "..", "golden", "families");
/** What the neuron's inputs are multiplied with, and the weight that writes it into the residual stream. */
const LOUDER = 16;
export const VALUE = 40;
export const PROMPT = Array.from({ length: 24 }, (_, i) => String.fromCharCode(33 + ((i * 11) % 50))).join(
  "",
);

/** Letters as tokens. */
export const tokenizer: Tokenizer = {
  encode: (text) => Array.from(text, (letter) => 3 + (letter.charCodeAt(0) % 50)),
  decode: (ids) => ids.join(" "),
  tokenText: (id) => `<${id}>`,
  bos: null,
  eos: null,
  prefix: null,
};

/** A neuron of each family's tiny model that fires on the prompt, and the channel that it is made to write. */
export function plantedIn(name: string): WeightPlace {
  const place = { layer: 1, row: 9, column: name === "gpt2" ? 11 : 7 };
  if (name === "mixtral") return { ...place, expert: 2 };
  // its layer 1 has no experts
  return name === "qwen3_moe" ? { ...place, layer: 2, expert: 2 } : place;
}

/** A checkpoint of the family with one neuron that is loud and one weight that writes it. */
export async function plantedFolder(name: string): Promise<string> {
  const { layer, row: ROW, column: planted, expert } = plantedIn(name);
  const parts = await readParts(join(GOLDEN, name));
  const checkpoint = await openCheckpoint(join(GOLDEN, name));
  const mlp = findMlps(checkpoint).find((it) => it.layer === layer && it.expert === expert);
  const { transposed } = familyFor(checkpoint.config);
  const width = describeDecoder(checkpoint.config).layers[layer].mlp.body.width;
  await checkpoint.close();
  if (!mlp) throw new Error(`${name} has no such MLP in layer ${layer}`);
  const edit = (tensor: string, change: (row: number, column: number, value: number) => number): void => {
    const turned = transposed.includes(modulePath(tensor));
    editTensor(parts.tensors, tensor, (i, j, value) => (turned ? change(j, i, value) : change(i, j, value)));
  };
  edit(mlp.down, (row, column, value) => (row === ROW && column === planted ? VALUE : value));
  // gate's rows come first where it is fused with up
  const loud =
    parts.tensors[storedName(parts.tensors, mlp.up)].shape[0] === 2 * width ? width + planted : planted;
  edit(mlp.up, (row, _, value) => (row === loud ? LOUDER * value : value));
  return writeParts(parts);
}

function storedName(tensors: Tensors, name: string): string {
  const found = Object.keys(tensors).find(
    (stored) => stored.endsWith(name.replace(/^model\./, "")) && !stored.includes("vision"),
  );
  if (found === undefined) throw new Error(`no tensor ${name}`);
  return found;
}

function editTensor(
  tensors: Tensors,
  name: string,
  change: (row: number, column: number, value: number) => number,
): void {
  const tensor = tensors[storedName(tensors, name)];
  const codes = new Uint16Array(new Uint8Array(tensor.data ?? []).buffer);
  const columns = tensor.shape[1];
  const values = Float32Array.from(codes, (code, i) =>
    change(Math.floor(i / columns), i % columns, F16_VALUES[code]),
  );
  tensor.data = narrow(values, "F16");
}
