import type { ExportFormat } from "#shared/exporting.ts";
import type { Exporter } from "./write/exporter.ts";
import { withEquations } from "./write/problems.ts";
import { ggufExporter } from "./gguf/write/ggufExporter.ts";
import { onnxExporter } from "./onnx/write/onnxExporter.ts";
import { awqExporter } from "./packed/write/awqFormat.ts";
import { compressedTensorsExporter } from "./packed/write/compressedTensorsFormat.ts";
import { gptqExporter } from "./packed/write/gptqFormat.ts";
import { mlxExporter } from "./packed/write/mlxFormat.ts";
import { safetensorsExporter } from "./safetensors/write/safetensorsExporter.ts";

/** Every format by its name; a further one is a file of its own, a line here and a name in `exportFormat`. */
export const exporters: Readonly<Record<ExportFormat, Exporter>> = {
  safetensors: safetensorsExporter,
  "compressed-tensors": compressedTensorsExporter,
  gptq: withEquations("GPTQ", gptqExporter),
  awq: withEquations("AWQ", awqExporter),
  gguf: withEquations("GGUF", ggufExporter),
  mlx: withEquations("MLX", mlxExporter),
  onnx: withEquations("ONNX", onnxExporter),
};
