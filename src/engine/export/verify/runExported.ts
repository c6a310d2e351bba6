import { KeystoneError } from "#shared/errors.ts";
import type { ExportFormat, RuntimeScore } from "#shared/exporting.ts";
import { samePerplexity } from "#shared/verification.ts";
import { runGguf } from "./runGguf.ts";
import { runOnnx } from "./runOnnx.ts";
import type { RunRequest } from "./runRequest.ts";

/** Of the NLL, and of the perplexity where that is small: far more than sums in another order make. */
const TOLERANCE = 5e-3;

/** Of the formats whose runtime Keystone carries, or runs where a person has installed it. No part of the exporters: those are asked outside workers too, where no runtime is loaded. */
const RUNTIMES: Partial<
  Readonly<Record<ExportFormat, (folder: string, request: RunRequest) => Promise<RuntimeScore>>>
> = { gguf: runGguf, onnx: runOnnx };

/** Whether Keystone runs a format's exports in the runtime that they are made for. */
export function hasRuntime(format: ExportFormat): boolean {
  return RUNTIMES[format] !== undefined;
}

/**
 * Scores an export in the runtime it is made for, and holds that against what its weights score in Keystone's own pass.
 * Null where Keystone has nothing to do with the runtime.
 * @throws KeystoneError export/runtime-differs, export/runtime-failed, export/other-tokens, job/cancelled
 */
export async function runExported(
  format: ExportFormat,
  folder: string,
  perplexity: number | null,
  request: RunRequest,
): Promise<RuntimeScore | null> {
  const score = (await RUNTIMES[format]?.(folder, request)) ?? null;
  if (score?.notRun !== null || samePerplexity(score.perplexity, perplexity, TOLERANCE)) return score;
  throw new KeystoneError(
    "export/runtime-differs",
    `${score.name} gives the written files a perplexity of ${score.perplexity ?? "none"}, and their weights have ${perplexity ?? "none"}.`,
    "The export is not kept. Please report it with the recipe; the format safetensors does not depend on a runtime.",
    { runtime: score.name, perplexity: score.perplexity, judged: perplexity },
  );
}
