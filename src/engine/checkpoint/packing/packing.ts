import type { Note } from "#shared/notes.ts";
import { z } from "zod";
import { describeIssues } from "#shared/plan.ts";
import { groupSizeOf, type GroupSize } from "./groupSize.ts";
import { mlxSettings, ofMlx, type MlxPacking } from "./mlxPacking.ts";

/** How a checkpoint says that its weights are packed. */
export type Packing = CompressedTensorsPacking | GptqPacking | AwqPacking | FloatPacking | MlxPacking;

/** Weights as 8-bit floats, or 4-bit ones in groups; which, their tensors say. */
export interface FloatPacking {
  readonly method: "float";
  /** `weight_block_size`; null where none is named. */
  readonly block: readonly [number, number] | null;
  readonly notes: readonly Note[];
}

export interface CompressedTensorsPacking {
  readonly method: "compressed-tensors";
  /** Bits that the config names for weights; a module's own follow from its shapes. */
  readonly bits: readonly number[];
  /** Group sizes that it names; empty where it names none. */
  readonly groupSizes: readonly GroupSize[];
  /** Rows and columns of a block of 8-bit floats; null where none is named. */
  readonly block: readonly [number, number] | null;
  readonly notes: readonly Note[];
}

export interface GptqPacking {
  readonly method: "gptq";
  readonly bits: number;
  /** Group sizes that the config names, that of most modules first; empty where it names none. */
  readonly groupSizes: readonly GroupSize[];
  /** False only where the config says so: GPTQ's tools quantize symmetrically unless they are told otherwise. */
  readonly symmetric: boolean;
  /** `desc_act`: whether columns were ordered by their activations. Null where the config does not say. */
  readonly actOrder: boolean | null;
  /** Version 1 stores zero points less one. */
  readonly version: 1 | 2;
  readonly notes: readonly Note[];
}

export interface AwqPacking {
  readonly method: "awq";
  readonly groupSizes: readonly GroupSize[];
  readonly notes: readonly Note[];
}

/** What a `quantization_config` comes to; `refused` completes "This checkpoint's weights are …". */
export type ReadPacking = { readonly packing: Packing } | { readonly refused: string };

/** What Keystone opens, for refusals. */
export const READABLE_PACKINGS =
  "compressed-tensors (integers, FP8, NVFP4, MXFP4), FP8 with scales, NVFP4, MXFP4, GPTQ (v1, v2), AWQ (gemm) and MLX (affine)";

const method = z.looseObject({ quant_method: z.string().optional() });

/** Reads `quantization_config` of config.json; null where there is none. */
export function readPacking(config: Readonly<Record<string, unknown>>): ReadPacking | null {
  const found = config["quantization_config"];
  if (found === undefined || found === null) return null;
  const named = method.safeParse(found);
  if (!named.success) return { refused: "quantized, but its quantization_config is not an object" };
  const name = packingMethod(found);
  switch (name) {
    case "compressed-tensors":
    case "sparseml": // what compressed-tensors called itself at first
      return parsed(compressedTensors, found, ofCompressedTensors);
    case "gptq":
      return parsed(gptq, found, ofGptq);
    case "awq":
      return parsed(awq, found, ofAwq);
    case "fp8":
    case "fbgemm_fp8":
    case "modelopt":
    case "mxfp4":
      return parsed(floats, found, ({ weight_block_size: block, activation_scheme: activations }) => ({
        packing: {
          method: "float",
          block: block ?? null,
          notes: activations ? [alsoQuantized("activations")] : [],
        },
      }));
    case "mlx":
      return parsed(mlxSettings, found, ofMlx);
    case "":
      return { refused: "quantized, but its quantization_config names no quant_method" };
    default:
      return { refused: `packed by the method ${JSON.stringify(name)}` };
  }
}

/** The method that settings name, or else show; empty where they do neither. */
export function packingMethod(found: unknown): string {
  const settings = method.safeParse(found).data ?? {};
  if (typeof settings.quant_method === "string") return settings.quant_method;
  if ("config_groups" in settings) return "compressed-tensors";
  if ("load_in_4bit" in settings || "load_in_8bit" in settings) return "bitsandbytes";
  // MLX copies its own field, which has these two
  return "group_size" in settings && "bits" in settings ? "mlx" : "";
}

function parsed<T>(schema: z.ZodType<T>, found: unknown, read: (config: T) => ReadPacking): ReadPacking {
  const result = schema.safeParse(found);
  if (result.success) return read(result.data);
  return {
    refused: `quantized, but its quantization_config is not valid (${describeIssues(result.error.issues)})`,
  };
}

const blockSize = z.tuple([z.number().int().positive(), z.number().int().positive()]);
const floats = z.looseObject({
  weight_block_size: blockSize.nullish(),
  activation_scheme: z.string().nullish(),
});

function alsoQuantized(what: string): Note {
  return {
    code: "packing/also-quantized",
    text: `Its runtimes also quantize ${what}; Keystone computes those unquantized.`,
  };
}

const weightScheme = z.looseObject({
  num_bits: z.number().int().default(8),
  type: z.string().default("int"),
  strategy: z.string().nullish(),
  group_size: z.number().int().nullish(),
  block_structure: z.union([blockSize, z.string()]).nullish(),
});
const configGroup = z.looseObject({
  weights: weightScheme.nullish(),
  input_activations: z.unknown().optional(),
  format: z.string().nullish(),
});
const compressedTensors = z.looseObject({
  format: z.string().nullish(),
  config_groups: z.record(z.string(), z.union([configGroup, z.array(z.string())])),
  kv_cache_scheme: z.unknown().optional(),
  sparsity_config: z.looseObject({ format: z.string().optional() }).nullish(),
});

const CT_FORMATS = new Set([
  "pack-quantized",
  "int-quantized",
  "naive-quantized",
  "float-quantized",
  "nvfp4-pack-quantized",
  "mxfp4-pack-quantized",
  "mixed-precision",
  "dense",
]);

/** What shares a scale: a row, a group of a row, or the whole matrix; of floats also a block, or a group beside the matrix. */
const CT_STRATEGIES = {
  int: new Set(["tensor", "channel", "group"]),
  float: new Set(["tensor", "channel", "group", "tensor_group", "block"]),
};

function ofCompressedTensors(config: z.infer<typeof compressedTensors>): ReadPacking {
  const groups = Object.values(config.config_groups);
  const schemes = groups.flatMap((group) => (Array.isArray(group) ? [] : [group]));
  if (schemes.length < groups.length)
    return { refused: "quantized by a preset that config.json does not spell out" };
  const formats = [config.format, ...schemes.map(({ format }) => format)].filter(
    (name) => typeof name === "string",
  );
  const format = formats.find((name) => !CT_FORMATS.has(name));
  if (format !== undefined) return { refused: `packed as compressed-tensors ${JSON.stringify(format)}` };
  const sparsity = config.sparsity_config?.format;
  if (sparsity !== undefined && sparsity !== "dense")
    return { refused: `stored sparse (${JSON.stringify(sparsity)})` };
  const weights = schemes.flatMap((scheme) => (scheme.weights ? [scheme.weights] : []));
  const other = weights.find(
    ({ type, num_bits }) => !(type === "int" || (type === "float" && (num_bits === 8 || num_bits === 4))),
  );
  if (other)
    return {
      refused: `quantized to ${other.num_bits}-bit numbers of the type ${JSON.stringify(other.type)}`,
    };
  const strategy = weights.find(
    ({ strategy: name, type }) => name && !CT_STRATEGIES[type === "int" ? "int" : "float"].has(name),
  )?.strategy;
  if (strategy) return { refused: `quantized with scales by ${JSON.stringify(strategy)}` };
  const wide = weights.find(({ num_bits }) => !(num_bits >= 1 && num_bits <= 8));
  if (wide) return { refused: `quantized to ${wide.num_bits} bits` };
  const activations = schemes.some((scheme) => (scheme.input_activations ?? null) !== null);
  const cache = (config.kv_cache_scheme ?? null) !== null;
  const also = [...(activations ? ["activations"] : []), ...(cache ? ["keys and values"] : [])].join(" and ");
  return {
    packing: {
      method: "compressed-tensors",
      bits: [...new Set(weights.map(({ num_bits }) => num_bits))],
      groupSizes: [...new Set(weights.flatMap((scheme) => schemeSize(scheme) ?? []))],
      block: weights.map(({ block_structure: block }) => block).find((block) => Array.isArray(block)) ?? null,
      notes: also === "" ? [] : [alsoQuantized(also)],
    },
  };
}

/** One scale a row and one a matrix are both of whole rows. Null where a scheme does not say how its weights share scales. */
function schemeSize({ strategy, group_size }: z.infer<typeof weightScheme>): GroupSize | null {
  return strategy === "channel" || strategy === "tensor" ? Infinity : groupSizeOf(group_size);
}

const gptq = z.looseObject({
  bits: z.number().int(),
  group_size: z.number().int().nullish(),
  sym: z.boolean().nullish(),
  desc_act: z.boolean().nullish(),
  /** Settings of single modules, by patterns that are not run here. */
  dynamic: z.record(z.string(), z.unknown()).nullish(),
  checkpoint_format: z.string().nullish(),
  format: z.string().nullish(),
  is_marlin_format: z.boolean().nullish(),
});

function ofGptq(config: z.infer<typeof gptq>): ReadPacking {
  const format = config.checkpoint_format ?? config.format ?? "gptq";
  if (config.is_marlin_format) return { refused: "packed for Marlin" };
  if (format !== "gptq" && format !== "gptq_v2")
    return { refused: `packed as GPTQ ${JSON.stringify(format)}` };
  if (![2, 3, 4, 8].includes(config.bits)) return { refused: `packed as GPTQ with ${config.bits} bits` };
  const single = Object.values(config.dynamic ?? {}).map((settings) => moduleSettings.safeParse(settings));
  const sizes = [config.group_size, ...single.map(({ data }) => data?.group_size)];
  return {
    packing: {
      method: "gptq",
      bits: config.bits,
      groupSizes: [...new Set(sizes.flatMap((size) => groupSizeOf(size) ?? []))],
      symmetric: config.sym !== false,
      actOrder: config.desc_act ?? null,
      version: format === "gptq" ? 1 : 2,
      notes: [],
    },
  };
}

const moduleSettings = z.looseObject({ group_size: z.number().int().nullish() });

const awq = z.looseObject({
  bits: z.number().int().optional(),
  w_bit: z.number().int().optional(),
  group_size: z.number().int().nullish(),
  q_group_size: z.number().int().nullish(),
  version: z.string().nullish(),
  format: z.string().nullish(),
  zero_point: z.boolean().nullish(),
});

function ofAwq(config: z.infer<typeof awq>): ReadPacking {
  const bits = config.bits ?? config.w_bit ?? 4;
  const version = (config.version ?? config.format ?? "gemm").toLowerCase();
  if (version !== "gemm") return { refused: `packed as AWQ ${JSON.stringify(version)}` };
  if (bits !== 4) return { refused: `packed as AWQ with ${bits} bits` };
  if (config.zero_point === false) return { refused: "packed as AWQ without zero points" };
  const size = groupSizeOf(config.group_size ?? config.q_group_size);
  return { packing: { method: "awq", groupSizes: size === null ? [] : [size], notes: [] } };
}
