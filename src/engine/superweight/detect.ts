import { basename } from "node:path";
import type { DetectOptions, DetectPass, DetectReport, LayerPeaks } from "#shared/detection.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { Tokenizer } from "../checkpoint/types.ts";
import { createMeter, type Meter } from "../evaluate/meter.ts";
import { median } from "../evaluate/metrics.ts";
import type { Engine, Watch } from "../evaluate/types.ts";
import { Ledger } from "./ledger.ts";
import { openPromptRun, type PromptRun } from "./passes.ts";
import { yardstick } from "./verdict.ts";

export interface DetectRequest extends Engine, Watch {
  readonly tokenizer: Tokenizer;
  readonly options: DetectOptions;
}

/**
 * Finds super weights [arXiv:2411.07191, section 3]: one prompt, one pass; the weight behind the largest spike is zeroed
 * and the layers from there on run again, until no spike with a single weight behind it is left. Reports the evidence of
 * every layer, also where nothing is found. Memory: one layer in f32 and the prompt's hidden states at every layer.
 * @throws KeystoneError detect/empty-prompt, detect/prompt-too-long, detect/not-finite, checkpoint/not-finite, job/cancelled
 */
export async function detect(request: DetectRequest): Promise<DetectReport> {
  const begin = performance.now();
  const { architecture, checkpoint, tokenizer, options, forward } = request;
  const ids = promptIds(tokenizer, options.prompt, architecture.facts.contextLength);
  const meter = createMeter(architecture.facts.layers, "layers", request);
  const run = await openPromptRun(request, ids, meter);

  await run.rerun(1, 0, []);
  const layers = run.peaks();
  requireFinite(layers);
  const measure = yardstick(options, median(layers.map((layer) => Math.abs(layer.output.value))));
  const ledger = new Ledger(architecture, measure);
  const passes = await followPasses(run, ledger, options.maxPasses, meter, architecture.facts.layers);

  return {
    model: basename(checkpoint.path),
    fingerprint: checkpoint.fingerprint,
    revision: checkpoint.revision,
    options,
    tokens: ids.map((id) => ({ id, text: tokenizer.tokenText(id) })),
    ...ledger.result(),
    layers,
    passes,
    medianOutput: measure.medianOutput,
    thresholdOutput: measure.thresholdOutput,
    device: forward.device.used,
    seconds: (performance.now() - begin) / 1000,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** Zeroes one weight after another, the strongest first, and runs again from its layer on. */
async function followPasses(
  run: PromptRun,
  ledger: Ledger,
  maxPasses: number,
  meter: Meter,
  layers: number,
): Promise<DetectPass[]> {
  const passes: DetectPass[] = [];
  let fromLayer = 0;
  for (let pass = 1; pass <= maxPasses; pass++) {
    ledger.note(pass, fromLayer, run.evidence);
    const before = ledger.zeroed();
    const found = ledger.strongest();
    const proven = found !== null && pass < maxPasses;
    if (found) ledger.accept(found, pass, proven);
    passes.push({
      pass,
      fromLayer,
      layers: run.peaks(),
      zeroed: found && proven ? [found.layer, found.row, found.column] : null,
    });
    if (!found || !proven) break;
    const refusedAgain = run.zeroed.filter((it) => !before.some((kept) => kept.join() === it.join()));
    fromLayer = Math.min(found.layer, ...refusedAgain.map(([layer]) => layer));
    meter.extend(layers - fromLayer);
    await run.rerun(pass + 1, fromLayer, ledger.zeroed());
  }
  return passes;
}

function promptIds(tokenizer: Tokenizer, prompt: string, contextLength: number): number[] {
  const text = tokenizer.encode(prompt);
  const ids = tokenizer.bos === null ? text : [tokenizer.bos, ...text];
  if (text.length === 0) {
    throw new KeystoneError(
      "detect/empty-prompt",
      "The prompt holds no token.",
      "Write a sentence of a few words.",
      { prompt },
    );
  }
  if (ids.length <= contextLength) return ids;
  throw new KeystoneError(
    "detect/prompt-too-long",
    `The prompt has ${ids.length} tokens, but the model has ${contextLength} positions.`,
    "Use a shorter prompt; one sentence is enough.",
    { tokens: ids.length, contextLength },
  );
}

function requireFinite(layers: readonly LayerPeaks[]): void {
  const broken = layers.find(
    ({ input, output, residual }) => ![input, output, residual].every((peak) => Number.isFinite(peak.value)),
  );
  if (!broken) return;
  throw new KeystoneError(
    "detect/not-finite",
    `The forward pass gives values that are not finite in layer ${broken.layer}.`,
    "Check that the checkpoint is complete and its config.json belongs to it.",
    { layer: broken.layer },
  );
}
