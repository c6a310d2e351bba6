import type { ExportFormat } from "#shared/exporting.ts";
import type { Exporter } from "./exporter.ts";
import { ggufExporter } from "./gguf/ggufExporter.ts";
import { onnxExporter } from "./onnx/onnxExporter.ts";
import { awqExporter } from "./packed/awqFormat.ts";
import { compressedTensorsExporter } from "./packed/compressedTensorsFormat.ts";
import { gptqExporter } from "./packed/gptqFormat.ts";
import { safetensorsExporter } from "./safetensorsExporter.ts";

/** Every format by its name; a further one is a file of its own, a line here and a name in `exportFormat`. */
export const exporters: Readonly<Record<ExportFormat, Exporter>> = {
  safetensors: safetensorsExporter,
  "compressed-tensors": compressedTensorsExporter,
  gptq: gptqExporter,
  awq: awqExporter,
  gguf: ggufExporter,
  onnx: onnxExporter,
};
