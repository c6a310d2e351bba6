import { VLLM_GROUP_BLOCKS } from "./vllm.ts";
import type { ExportFormatDescriptor, Launch, VllmTakes } from "./descriptor.ts";

export function transformers(folder: string): Launch {
  return {
    runtime: "Transformers",
    line: `from transformers import AutoModelForCausalLM\nmodel = AutoModelForCausalLM.from_pretrained(${JSON.stringify(folder)})`,
  };
}

function vllm(folder: string): Launch {
  return { runtime: "vLLM", line: `vllm serve ${JSON.stringify(folder)}` };
}

/** Of a packed folder whose modules vLLM has kernels for, vLLM; otherwise a loader that takes the others too. */
export function vllmOr(
  takes: VllmTakes,
  otherwise: (folder: string) => Launch,
): ExportFormatDescriptor["launch"] {
  return (folder, _files, { bits, symmetric, granularity, overrides }) => {
    const main = { bits, symmetric, granularity };
    const settings = [
      main,
      ...overrides
        .filter(({ skip }) => !skip)
        .map((one) => ({
          bits: one.bits ?? bits,
          symmetric: one.symmetric ?? symmetric,
          granularity: one.granularity ?? granularity,
        })),
    ];
    const taken = settings.every(
      (setting) => [...VLLM_GROUP_BLOCKS, "channel"].includes(setting.granularity) && takes(setting),
    );
    return taken ? vllm(folder) : otherwise(folder);
  };
}
