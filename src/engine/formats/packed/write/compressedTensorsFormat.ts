import { vllmTakesCompressedTensors } from "#shared/exportFormats/compressedTensors.ts";
import type { Note } from "#shared/notes.ts";
import type { ExportSource } from "../../write/exporter.ts";
import { CONFIG_FILE } from "../../write/sourceIndex.ts";
import { compressedTensorsLayout } from "./compressedTensorsLayout.ts";
import { packedExporter } from "./packedExporter.ts";
import { fusedNotes, vllmGroupNotes } from "./vllmNotes.ts";
import { moduleOf, packedConfig, schemesOf, unquantizedLinears, type PackedScheme } from "./packedSchemes.ts";

const FORMAT = "pack-quantized";

/** Of transformers 5.24 with compressed-tensors 0.20, which load zero points no other way, those of their own files included. */
const ASYMMETRIC: Note = {
  code: "compressed-tensors/asymmetric",
  text: "transformers unpacks asymmetric codes while it loads them, as config.json tells it to; there the model takes as much memory as the unquantized one.",
};
/** Of vLLM 0.32: its usual kernels know zero points with 4 bits alone. */
const ASYMMETRIC_8: Note = {
  code: "compressed-tensors/asymmetric-8",
  text: "vLLM has kernels for asymmetric 8-bit weights on few GPUs only, and none on a CPU; symmetric ones it has everywhere.",
};
const ASYMMETRIC_MIXED: Note = {
  code: "compressed-tensors/asymmetric-mixed",
  text: "transformers loads asymmetric codes only where all modules have one width and one group, so not this variant.",
};

export const compressedTensorsExporter = packedExporter({
  limits: {
    subject: "compressed-tensors",
    scheme: "compressed-tensors",
    alsoInt: true,
    bits: [4, 8],
    symmetric: true,
    groups: null,
    channel: true,
    head: true,
    embedding: false,
    multiples: () => ({ rows: 1, columns: 1 }),
  },
  layoutOf: () => compressedTensorsLayout,
  files: (source) =>
    new Map([
      [
        CONFIG_FILE,
        packedConfig(source.model.checkpoint, source.variant.plans.values(), quantizationConfig(source)),
      ],
    ]),
  notes: (source) => {
    const { variant } = source;
    const schemes = schemesOf(variant.plans.values());
    const asymmetric = hasZeroPoints(schemes);
    return [
      ...vllmGroupNotes(schemes),
      ...(schemes.every(vllmTakesCompressedTensors) ? [] : [ASYMMETRIC_8]),
      ...(asymmetric ? [schemes.length > 1 ? ASYMMETRIC_MIXED : ASYMMETRIC] : []),
      ...fusedNotes(source),
    ];
  },
});

/** Most modules by their class, modules with settings of their own by name, and what stays as it is in `ignore`. */
function quantizationConfig({ model: { checkpoint }, variant }: ExportSource): Record<string, unknown> {
  const schemes = schemesOf(variant.plans.values());
  const unquantized = unquantizedLinears(checkpoint, variant.plans).map(({ name }) => moduleOf(name));
  // the head is a linear module even where its weight is the embedding's
  const head = variant.plans.has("lm_head.weight") ? [] : ["lm_head"];
  // transformers' own word, which other loaders pass over
  const unpacking = hasZeroPoints(schemes) && schemes.length === 1 ? { dequantize: true } : {};
  return {
    config_groups: Object.fromEntries(
      schemes.map((scheme, i) => [`group_${i}`, configGroup(scheme, i === 0 ? ["Linear"] : scheme.modules)]),
    ),
    format: FORMAT,
    global_compression_ratio: null,
    ignore: [...unquantized, ...head],
    kv_cache_scheme: null,
    quant_method: "compressed-tensors",
    quantization_status: "compressed",
    ...unpacking,
  };
}

function hasZeroPoints(schemes: readonly PackedScheme[]): boolean {
  return schemes.some(({ symmetric }) => !symmetric);
}

function configGroup(scheme: PackedScheme, targets: readonly string[]): Record<string, unknown> {
  const { bits, symmetric, groupSize } = scheme;
  return {
    format: FORMAT,
    input_activations: null,
    output_activations: null,
    targets,
    weights: {
      actorder: null,
      block_structure: null,
      dynamic: false,
      group_size: groupSize,
      num_bits: bits,
      observer: "minmax",
      observer_kwargs: {},
      strategy: groupSize === null ? "channel" : "group",
      symmetric,
      type: "int",
    },
  };
}
