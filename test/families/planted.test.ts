import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { detectOptions } from "#shared/detection.ts";
import { parseRecipe } from "#shared/plan.ts";
import { architectureOf, describeDecoder, familyFor } from "#engine/architecture/readArchitecture.ts";
import { modulePath } from "#engine/checkpoint/tensorRole.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { F16_VALUES } from "#engine/numeric/widen.ts";
import { narrow } from "#engine/numeric/narrow.ts";
import { detect } from "#engine/superweight/detect.ts";
import { scanWeights } from "#engine/superweight/evidence/scanWeights.ts";
import { findMlps } from "#engine/superweight/evidence/mlps.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { exportTo, modelOf } from "../export/exporting.ts";
import { adaptVariant } from "#engine/export/variant/adaptVariant.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { readParts, writeParts, type Tensors } from "../support/rewrittenCheckpoint.ts";

/** Their neurons are their experts'. */
const OF_EXPERTS = ["mixtral", "mixtral-fused", "qwen3_moe", "qwen3_moe-fused", "gpt_oss", "gpt_oss-mxfp4"];
const GOLDEN = join(import.meta.dirname, "..", "golden", "families");
const [LAYER, ROW] = [1, 9];
/** A neuron that fires on the prompt. */
const columnOf = (name: string): number => (name === "gpt2" ? 11 : 7);
/** What the neuron's inputs are multiplied with, and the weight that writes it into the residual stream. */
const [LOUDER, VALUE] = [16, 40];
const PROMPT = Array.from({ length: 24 }, (_, i) => String.fromCharCode(33 + ((i * 11) % 50))).join("");
const CLIP = { method: "zscore", threshold: 3 };

/** Letters as tokens. */
const tokenizer: Tokenizer = {
  encode: (text) => Array.from(text, (letter) => 3 + (letter.charCodeAt(0) % 50)),
  decode: (ids) => ids.join(" "),
  tokenText: (id) => `<${id}>`,
  bos: null,
  eos: null,
  prefix: null,
};

/** A checkpoint of the family with one neuron that is loud and one weight that writes it. */
async function plantedFolder(name: string): Promise<string> {
  const planted = columnOf(name);
  const parts = await readParts(join(GOLDEN, name));
  const checkpoint = await openCheckpoint(join(GOLDEN, name));
  const mlp = findMlps(checkpoint).find(({ layer }) => layer === LAYER);
  const { transposed } = familyFor(checkpoint.config);
  const width = describeDecoder(checkpoint.config).layers[LAYER].mlp.body.width;
  await checkpoint.close();
  if (!mlp) throw new Error(`${name} has no MLP in layer ${LAYER}`);
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

const open = async (folder: string) => {
  const checkpoint = await openCheckpoint(folder);
  onTestFinished(() => checkpoint.close());
  return checkpoint;
};

describe("a planted super weight is found at its coordinates, kept by an export, and found there again", () => {
  for (const name of readdirSync(GOLDEN).filter((one) => !OF_EXPERTS.includes(one)))
    it(name, async () => {
      const source = await open(await plantedFolder(name));
      const out = join(await temporaryFolder(), "export");
      const model = modelOf(source);
      const column = columnOf(name);
      const place = [LAYER, ROW, column] as const;
      const recipe = parseRecipe({
        scheme: "affine",
        bits: 3,
        granularity: "channel",
        range: CLIP,
        restore: [place],
      });
      const { variant } = adaptVariant(model, { recipe, format: "safetensors", kept: "unquantized" });
      await exportTo({ folder: out, checkpoint: source, variant, out }, { format: "safetensors" });
      for (const checkpoint of [source, await open(out)]) {
        const architecture = architectureOf(checkpoint);
        const forward = await createForward(architecture, { device: "cpu", threads: 1 });
        onTestFinished(() => forward.close());
        // random models predict nothing, so that evidence alone can be asked for
        const { superWeights, candidates } = await detect({
          ...{ checkpoint, architecture, forward, tokenizer },
          options: detectOptions.parse({
            prompt: PROMPT,
            effect: false,
            threshold: { kind: "absolute", value: 10 },
          }),
        });
        const [first] = [...superWeights, ...candidates].toSorted((a, b) => b.timesMedian - a.timesMedian);
        expect(first).toMatchObject({ layer: LAYER, row: ROW, column, value: VALUE });
        expect(first.share).toBeGreaterThan(0.8);
        const [scanned] = (await scanWeights(checkpoint)).layers;
        expect(scanned).toMatchObject({ layer: LAYER, row: ROW, column, value: VALUE });
      }
    });
});
