import type { z } from "zod";
import { parseConfig } from "./commonFields.ts";
import type { Decoder } from "./description.ts";
import { requireWholeLists } from "./layerLists.ts";
import type { GgufForm } from "./ggufForm.ts";

/** One family that Keystone can compute: all that any room needs to know of it. */
export interface Family {
  /** `model_type` of config.json. */
  readonly modelType: string;
  /** Classes that name the family where `model_type` is absent; the first is transformers' own. */
  readonly classes: readonly string[];
  /** The fields of config.json that it reads. */
  readonly fields: readonly string[];
  /** @throws KeystoneError architecture/bad-config, architecture/quantized, architecture/unknown-rope */
  readonly read: (config: unknown) => Decoder;
  /**
   * Where biases come from that no config of transformers' announces: slots that always have them, and whether a flag of the config
   * alone counts (else only tensors of the file do). Null = the config says everything.
   */
  readonly biases: { readonly always: readonly string[]; readonly flagCounts: boolean } | null;
  /** Paths of modules below the layers whose matrices safetensors files hold as (in, out). */
  readonly transposed: readonly string[];
  /** How llama.cpp has it; null = it does not. */
  readonly gguf: GgufForm | null;
  /** Whether onnxruntime-genai generates with it; onnxruntime itself runs every family. */
  readonly genai: boolean;
}

/** A family from its file: the schema of its config and its equations. */
export function family<S extends z.ZodObject>(
  it: Omit<Family, "read" | "fields" | "transposed"> & {
    readonly transposed?: readonly string[];
    readonly schema: S;
    readonly describe: (config: z.output<S>) => Decoder;
  },
): Family {
  const { schema, describe, ...rest } = it;
  const fields = Object.keys(schema.shape);
  return {
    transposed: [],
    ...rest,
    fields,
    read: (config) => {
      const parsed = parseConfig(schema, config);
      requireWholeLists(parsed, fields);
      return describe(parsed);
    },
  };
}
