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
  recipe: { block: GROUP, ...recipe, keep: ["*"] },
  lossless: true,
});
const quantized = (format: ExportFormat, recipe: { codec: string; bits: number }): ExportKind => ({
  name: `${format}, ${recipe.codec}`,
  format,
  recipe: { block: GROUP, ...recipe },
  lossless: false,
});

const GGUF = whole("gguf", { codec: "q8_0", bits: 8 });
/** Each checkpoint leaves as one of these beside the GGUF file. */
const OTHERS: readonly ExportKind[] = [
  whole("onnx", { codec: "matmulnbits", bits: 4 }),
  whole("safetensors", { codec: "rtn", bits: 4 }),
  quantized("gguf", { codec: "q4_0", bits: 4 }),
  quantized("onnx", { codec: "matmulnbits", bits: 4 }),
  quantized("compressed-tensors", { codec: "compressed-tensors", bits: 4 }),
  quantized("gptq", { codec: "gptq", bits: 4 }),
  quantized("awq", { codec: "awq", bits: 4 }),
];

/** The exports of a seed's checkpoint. */
export function exportsOf(seed: number): readonly ExportKind[] {
  return [GGUF, OTHERS[seed % OTHERS.length]];
}
