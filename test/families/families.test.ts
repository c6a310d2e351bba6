import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import type { ExportFormat } from "#shared/exporting.ts";
import { parseRecipe } from "#shared/plan.ts";
import { checkExport } from "#engine/export/checkExport.ts";
import { adaptVariant } from "#engine/export/variant/adaptVariant.ts";
import { verifyExport } from "#engine/export/verify/verifyExport.ts";
import { generate } from "#engine/evaluate/generate/generate.ts";
import { DECODER_IO } from "#engine/architecture/decoder/decoderGraph.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { exporters } from "#engine/formats/exporters.ts";
import { architectureOf, familyFor } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import { exportTo, freely, modelOf } from "../export/exporting.ts";
import { largestDifference, runModel } from "../forward/runModel.ts";
import { variantForward } from "../forward/variantForward.ts";
import { generateWhole } from "../support/generateWhole.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";

const GOLDEN = join(import.meta.dirname, "..", "golden", "families");
/** Of the largest value of what is compared. Measured: at most 4e-6. */
const WITHIN = 1e-3;

const tensor = z
  .base64()
  .transform((text) => new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer));
const golden = z.object({
  prompts: z.array(
    z.object({
      tokens: z.array(z.number()),
      logits: tensor,
      // experts have inputs of their own
      layers: z.array(z.object({ downInput: tensor.optional(), downOutput: tensor, residual: tensor })),
    }),
  ),
});

/** How far apart, relative to the largest expected value. */
function apart(found: Float32Array, expected: Float32Array): number {
  return (
    largestDifference(found, expected) / expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  );
}

interface Opened extends Engine {
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
}

async function open(location: string): Promise<Opened> {
  const checkpoint = await openCheckpoint(location);
  const architecture = architectureOf(checkpoint);
  const forward = await createForward(architecture, { device: "cpu", threads: 1 });
  onTestFinished(async () => {
    await forward.close();
    await checkpoint.close();
  });
  return { checkpoint, architecture, forward };
}

const expectedOf = (name: string) =>
  golden.parse(JSON.parse(readFileSync(join(GOLDEN, name, "golden.json"), "utf8"))).prompts;

/** A tensor's rows of the last of a prompt's tokens. */
const last = (values: Float32Array, tokens: readonly number[]): Float32Array =>
  values.slice((values.length / tokens.length) * (tokens.length - 1));

async function lastLogits(
  { architecture, checkpoint, forward }: Opened,
  tokens: readonly number[],
): Promise<Float32Array> {
  return last((await runModel(architecture, checkpoint, forward, [tokens])).logits, tokens);
}

/** Logits of the last token from an exported decoder, in onnxruntime. */
async function onnxLogits(
  folder: string,
  { description }: Architecture,
  tokens: readonly number[],
): Promise<Float32Array> {
  const session = await InferenceSession.create(join(folder, "model.onnx"), { logSeverityLevel: 3 });
  const integers = (values: readonly number[]): Tensor =>
    new Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
  const pasts = description.layers.flatMap(({ attention: { body } }, layer) =>
    [DECODER_IO.pastKeys(layer), DECODER_IO.pastValues(layer)].map((name): [string, Tensor] => [
      name,
      new Tensor("float32", new Float32Array(0), [1, body.keyValueHeads, 0, body.headSize]),
    ]),
  );
  const { logits } = await session.run(
    {
      [DECODER_IO.ids]: integers(tokens),
      [DECODER_IO.mask]: integers(tokens.map(() => 1)),
      [DECODER_IO.positions]: integers([...tokens.keys()]),
      ...Object.fromEntries(pasts),
    },
    [DECODER_IO.logits],
  );
  await session.release();
  return last(logits.data as Float32Array, tokens);
}

const RECIPES: Partial<Record<ExportFormat, object>> = {
  safetensors: { scheme: "nf4", bits: 4, granularity: "group:32" },
  "compressed-tensors": { scheme: "compressed-tensors", bits: 4, symmetric: true, granularity: "group:32" },
  gptq: { scheme: "gptq-int", bits: 4, granularity: "group:32" },
  awq: { scheme: "awq-int", bits: 4, granularity: "group:32" },
  gguf: { scheme: "q8_0", bits: 8, granularity: "group:32" },
  onnx: { scheme: "matmulnbits", bits: 4, granularity: "group:32" },
};
/** Families that a format's programs do not have; each says so before anything is written. */
const ROWS_OF_INPUTS = ["gpt2", "gpt_oss", "gpt_oss-mxfp4"];
const OF_EXPERTS = ["qwen3_moe", "qwen3_moe-fused", "mixtral", "mixtral-fused", "gpt_oss", "gpt_oss-mxfp4"];
const REFUSED: Partial<Record<ExportFormat, readonly string[]>> = {
  ...{ "compressed-tensors": ROWS_OF_INPUTS, gptq: ROWS_OF_INPUTS, awq: ROWS_OF_INPUTS },
  gguf: ["opt", "gemma4_text", "gemma4_text-shared", ...OF_EXPERTS],
  onnx: OF_EXPERTS,
};

describe("a family's forward pass agrees with Hugging Face transformers", () => {
  for (const name of readdirSync(GOLDEN)) {
    it(`${name}: logits and taps of three prompts`, async () => {
      const { architecture, checkpoint, forward } = await open(join(GOLDEN, name));
      for (const { tokens, logits, layers } of expectedOf(name)) {
        const pass = await runModel(architecture, checkpoint, forward, [tokens]);
        const differences: Record<string, number> = { logits: apart(last(pass.logits, tokens), logits) };
        expect(pass.layers).toHaveLength(layers.length);
        pass.layers.forEach(({ taps, hidden }, i) => {
          const { downInput } = layers[i];
          if (downInput) differences[`layer ${i} MLP input`] = apart(last(taps.input, tokens), downInput);
          differences[`layer ${i} MLP output`] = apart(last(taps.output, tokens), layers[i].downOutput);
          differences[`layer ${i} residual`] = apart(last(hidden.data, tokens), layers[i].residual);
        });
        for (const [what, difference] of Object.entries(differences))
          expect(difference < WITHIN, `${what}: ${difference}`).toBe(true);
      }
    });
  }
});

describe("a family generates with kept keys and values what it generates without", () => {
  for (const name of readdirSync(GOLDEN)) {
    it(name, async () => {
      const engine = await open(join(GOLDEN, name));
      const [, , { tokens }] = expectedOf(name);
      const whole = { id: "original", plans: new Map() };
      const [{ ids }] = await generate({
        ...engine,
        variants: [whole],
        prompts: [tokens],
        tokens: 4,
        ends: [],
      });
      expect(ids).toEqual(await generateWhole(engine, whole, tokens, 4));
    });
  }
});

describe("a family leaves in every format that can hold it and comes back", () => {
  for (const name of readdirSync(GOLDEN))
    for (const [key, asked] of Object.entries(RECIPES)) {
      const format = key as ExportFormat;
      it(`${name} as ${format}`, async () => {
        const source = await open(join(GOLDEN, name));
        const model = { ...modelOf(source.checkpoint), superWeights: [] };
        const recipe = parseRecipe(asked);
        const out = join(await temporaryFolder(), "export");
        const request = {
          recipe,
          format,
          kept: "unquantized",
          out,
          overwrite: false,
          maxShardBytes: null,
        } as const;
        const { problems, notes } = await checkExport(model, request);
        if (REFUSED[format]?.includes(name)) {
          expect(problems[0].message).toMatch(/\.$/);
          // what is proposed instead is nothing that is refused as well
          if (REFUSED.gguf?.includes(name) && REFUSED.onnx?.includes(name))
            expect(problems[0].next).not.toMatch(/gguf|onnx/i);
          return;
        }
        expect(problems).toEqual([]);
        if (format === "onnx")
          expect(notes.some(({ code }) => code === "onnx/genai-family")).toBe(
            !familyFor(source.checkpoint.config).genai,
          );
        const { variant } = adaptVariant(model, { recipe, format, kept: "unquantized" });
        await exportTo({ folder: out, checkpoint: source.checkpoint, variant, out }, { format });
        const unevaluated = () => Promise.resolve({ perplexity: null, judgedPerplexity: null, tokens: 0 });
        const carried = exporters[format].tensors?.(model);
        const verified = await verifyExport({
          ...{ source: source.checkpoint, variant, carried, out, control: freely, evaluate: unevaluated },
        });
        expect(verified.maxAbsDiff).toBeLessThan(1e-6);
        const [, { tokens }] = expectedOf(name);
        const reopened = await open(out);
        const logits = await lastLogits(reopened, tokens);
        const scored = await variantForward(source, { id: "variant", plans: variant.plans }, tokens);
        const difference = apart(logits, last(scored, tokens));
        expect(difference < WITHIN, `what was scored: ${difference}`).toBe(true);
        if (format === "onnx") {
          const theirs = await onnxLogits(out, source.architecture, tokens);
          expect(apart(theirs, logits) < WITHIN, `onnxruntime: ${apart(theirs, logits)}`).toBe(true);
        }
      });
    }
});
