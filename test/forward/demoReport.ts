import { z } from "zod";
import { deviceName, deviceReport } from "#shared/device.ts";
import { coordinate } from "#shared/recipe.ts";
import { detectOptions, layerPeaks } from "#shared/detection.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { detect } from "#engine/superweight/detect.ts";
import { demoVariant, demoWindows, golden, openDemo } from "../golden-model/demoModel.ts";
import { readHead } from "./runModel.ts";

/** What one device makes of the demo model; crosses a process boundary as JSON. */
export const demoReport = z.object({
  device: deviceReport,
  layers: z.array(layerPeaks),
  superWeights: z.array(coordinate),
  /** Of the prompt's embeddings alone: (tokens, vocabulary). */
  logits: z.array(z.number()),
  perplexity: z.number(),
  /** Of the variant below. */
  variant: z.object({ perplexity: z.number(), kl: z.number(), topAgreement: z.number() }),
});
export type DemoReport = z.infer<typeof demoReport>;

const VARIANT = { scheme: "affine", bits: 3, granularity: "group:64" };
const TOKENS = 60;

/** Detection, perplexity and KL of the demo model on a device. */
export async function reportDemo(device: string): Promise<DemoReport> {
  const demo = await openDemo();
  const forward = await createForward(demo.architecture, { device: deviceName.parse(device), threads: 1 });
  const engine = { ...demo, forward };
  const report = await detect({
    ...engine,
    options: detectOptions.parse({ prompt: golden.prompt, effect: false }),
  });
  const embedded = await forward.embed(demo.checkpoint, [demo.tokenizer.encode(golden.prompt)]);
  const logits = await forward.logits(embedded.data, await readHead(demo.architecture, demo.checkpoint));
  const windows = await demoWindows(demo, { tokens: TOKENS });
  const reference = await scoreOriginal({ ...engine, windows });
  const [variant] = await scoreWave({
    ...engine,
    windows,
    reference,
    variants: [demoVariant(demo, "variant", VARIANT)],
  });
  await forward.close();
  await demo.close();
  return {
    device: forward.device,
    layers: report.layers,
    superWeights: report.superWeights.map(({ layer, row, column }) => [layer, row, column]),
    logits: [...logits],
    perplexity: reference.scores.perplexity ?? Number.NaN,
    variant: {
      perplexity: variant.scores?.perplexity ?? Number.NaN,
      kl: variant.scores?.kl?.mean ?? Number.NaN,
      topAgreement: variant.scores?.kl?.topAgreement ?? Number.NaN,
    },
  };
}

const [, script, device] = process.argv;
if (device !== undefined && script === import.meta.filename)
  process.stdout.write(JSON.stringify(await reportDemo(device)));
