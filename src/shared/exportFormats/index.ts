import { z } from "zod";
import type { SchemeName } from "../schemes/index.ts";
import { awq } from "./awq.ts";
import { compressedTensors } from "./compressedTensors.ts";
import type { ExportFormatDescriptor } from "./descriptor.ts";
import { gguf } from "./gguf.ts";
import { gptq } from "./gptq.ts";
import { mlx } from "./mlx.ts";
import { onnx } from "./onnx.ts";
import { safetensors } from "./safetensors.ts";

/** Formats a variant can leave as. A further one is a file here and its writer, which `engine/formats/exporters.ts` asks for. */
export const EXPORT_FORMATS = {
  safetensors,
  "compressed-tensors": compressedTensors,
  gptq,
  awq,
  gguf,
  mlx,
  onnx,
} as const satisfies Readonly<Record<string, ExportFormatDescriptor>>;

export type ExportFormat = keyof typeof EXPORT_FORMATS;
export const exportFormat = z.enum(Object.keys(EXPORT_FORMATS) as [ExportFormat, ...ExportFormat[]]);

/** What is known of a format. */
export function exportFormatOf(format: ExportFormat): ExportFormatDescriptor {
  return EXPORT_FORMATS[format];
}

/** The format that a scheme is of; null for those that are for study, or of several formats. */
export function ownFormatOf(scheme: SchemeName): ExportFormat | null {
  return exportFormat.options.find((format) => exportFormatOf(format).own.includes(scheme)) ?? null;
}
