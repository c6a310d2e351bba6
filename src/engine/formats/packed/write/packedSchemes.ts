import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { groupsOf } from "./moduleLayout.ts";

/** What the modules of a packed checkpoint have in common, as its config says it. */
export interface PackedScheme {
  readonly bits: number;
  readonly symmetric: boolean;
  /** Columns that share a scale; null = all of a row. */
  readonly groupSize: number | null;
  /** Modules that it holds for. */
  readonly modules: readonly string[];
}

/** The schemes of a variant's modules, the one that most of them have first. */
export function schemesOf(plans: Iterable<TensorPlan>): PackedScheme[] {
  const schemes = Map.groupBy(plans, (plan) => {
    const groupSize = plan.granularity.kind === "channel" ? null : groupsOf(plan).size;
    return JSON.stringify({ bits: plan.bits, symmetric: plan.symmetric, groupSize });
  });
  return [...schemes]
    .map(([key, members]): PackedScheme => {
      const common = JSON.parse(key) as Omit<PackedScheme, "modules">;
      return { ...common, modules: members.map(({ name }) => moduleOf(name)) };
    })
    .sort((a, b) => b.modules.length - a.modules.length);
}

/** A weight's module: its name without `.weight`. */
export function moduleOf(name: string): string {
  return name.replace(/\.weight$/, "");
}

/** The linears of the decoder layers that stay as they are. */
export function unquantizedLinears(
  checkpoint: Pick<Checkpoint, "tensors">,
  plans: ReadonlyMap<string, TensorPlan>,
): TensorInfo[] {
  return [...checkpoint.tensors.values()].filter(({ name, linear }) => linear && !plans.has(name));
}

/** The type that the modules are computed in; null where there is more than one. */
export function computedType(plans: Iterable<TensorPlan>): StorageType | null {
  const types = new Set([...plans].map(({ storage }) => storage));
  const [only] = types;
  return types.size === 1 && only !== undefined ? only : null;
}

const CONFIG_NAMES: Readonly<Record<StorageType, string>> = {
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
};

/**
 * config.json of a packed export: the model's own, the type that it is computed in, and how it is packed. The type goes by the
 * name that the config has for it already.
 */
export function packedConfig(
  { config }: Pick<Checkpoint, "config">,
  plans: Iterable<TensorPlan>,
  quantization: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const type = computedType(plans);
  const key = "dtype" in config ? "dtype" : "torch_dtype";
  return { ...config, ...(type ? { [key]: CONFIG_NAMES[type] } : {}), quantization_config: quantization };
}
