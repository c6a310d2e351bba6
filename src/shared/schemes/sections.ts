/** A row of the wizard, in which schemes are offered. */
export interface Section {
  readonly title: string;
  readonly note: string;
  /** What its chips say: a scheme's bits, its name or its label. */
  readonly chips: "bits" | "name" | "label";
}

/** The rows of the wizard, from top to bottom. */
export const SECTIONS = {
  affine: { title: "Affine", note: "float offset, as in the paper", chips: "bits" },
  "int-asymmetric": { title: "Integer, asymmetric", note: "integer zero point, f16 scale", chips: "bits" },
  "int-symmetric": { title: "Integer, symmetric", note: "no zero point, f16 scale", chips: "bits" },
  "normal-float": {
    title: "NormalFloat",
    note: "levels at the quantiles of a normal distribution",
    chips: "name",
  },
  float8: { title: "8-bit float", note: "a scale for each block, in f32", chips: "name" },
  "compressed-tensors": {
    title: "compressed-tensors",
    note: "vLLM and Transformers; groups or channels",
    chips: "label",
  },
  "gptq-awq": { title: "GPTQ and AWQ", note: "their layouts, rounded to nearest; groups", chips: "label" },
  mlx: { title: "MLX", note: "Macs: mlx-lm, LM Studio; groups of 32, 64 or 128", chips: "bits" },
  onnx: { title: "ONNX Runtime", note: "MatMulNBits; groups of 16 to 256", chips: "label" },
  gguf: { title: "GGUF", note: "llama.cpp; groups of 32 alone", chips: "label" },
  "gguf-mixes": {
    title: "GGUF mixes",
    note: "llama.cpp; more bits where they matter, embedding and head too",
    chips: "label",
  },
  "gguf-k": {
    title: "GGUF K-quants",
    note: "llama.cpp; scales searched for in groups of 256",
    chips: "label",
  },
} as const satisfies Readonly<Record<string, Section>>;

export type SectionName = keyof typeof SECTIONS;
export const SECTION_NAMES = Object.keys(SECTIONS) as SectionName[];
