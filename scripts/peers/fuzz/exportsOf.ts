import type { ExportFormat } from "#shared/exporting.ts";

/** One way to export a checkpoint. */
export interface ExportKind {
  readonly name: string;
  readonly format: ExportFormat;
  readonly recipe: object;
  /** Whether the file computes what its source does. */
  readonly lossless: boolean;
}

const GROUP = "group:32";
const whole = (format: ExportFormat, recipe: object): ExportKind => ({
  name: `${format}, nothing quantized`,
  format,
  recipe: { granularity: GROUP, ...recipe, ignore: ["*"] },
  lossless: true,
});
const quantized = (format: ExportFormat, recipe: { scheme: string; bits: number }): ExportKind => ({
  name: `${format}, ${recipe.scheme}`,
  format,
  recipe: { granularity: GROUP, ...recipe },
  lossless: false,
});

const GGUF = whole("gguf", { scheme: "q8_0", bits: 8 });
/** Each checkpoint leaves as one of these beside the GGUF file. */
const OTHERS: readonly ExportKind[] = [
  whole("onnx", { scheme: "matmulnbits", bits: 4 }),
  whole("safetensors", { scheme: "affine", bits: 4 }),
  quantized("gguf", { scheme: "q4_0", bits: 4 }),
  quantized("onnx", { scheme: "matmulnbits", bits: 4 }),
  quantized("compressed-tensors", { scheme: "compressed-tensors", bits: 4 }),
  quantized("gptq", { scheme: "gptq-int", bits: 4 }),
  quantized("awq", { scheme: "awq-int", bits: 4 }),
];

/** The exports of a seed's checkpoint. */
export function exportsOf(seed: number): readonly ExportKind[] {
  return [GGUF, OTHERS[seed % OTHERS.length]];
}
