import { join } from "node:path";
import { readJsonObject } from "#engine/files/jsonFile.ts";
import { isRegularFile } from "#engine/files/regularFile.ts";
import type { Checkpoint } from "../checkpoint.ts";

const MAX_CONFIG_BYTES = 1_000_000;

/** Fields of config.json that say how weights are packed, under the names of their time. */
const FIELDS: readonly string[] = ["quantization_config", "compression_config", "quantization"];

/** What a checkpoint says of its packing, and where. */
export interface PackingSettings {
  readonly settings: unknown;
  /** `quantization_config of config.json`, `quantize_config.json`. */
  readonly from: string;
}

/**
 * How a checkpoint says that its weights are packed: in config.json (`quantization_config`; `compression_config` as
 * compressed-tensors once wrote it; `quantization` as MLX does), else in the files that the first tools for GPTQ and AWQ wrote.
 * Null where nothing says so. An empty object says nothing, where something else does.
 * @throws KeystoneError checkpoint/bad-config
 */
export async function packingSettings(folder: Checkpoint): Promise<PackingSettings | null> {
  const { config } = folder;
  const inConfig = FIELDS.filter((field) => saysPacking(field, config[field])).map((field) => ({
    settings: withMethod(field, config[field]),
    from: `${field} of config.json`,
  }));
  return (
    inConfig.find(({ settings }) => !isEmpty(settings)) ?? (await sideFile(folder)) ?? inConfig[0] ?? null
  );
}

/** A config without what says how weights are packed. */
export function plainConfig(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(config).filter(([field, value]) => !saysPacking(field, value)));
}

/** Whether a field of config.json is about packed weights. Others than MLX may have one that is called `quantization`. */
function saysPacking(field: string, settings: unknown): boolean {
  if (!FIELDS.includes(field) || settings === undefined || settings === null) return false;
  return field !== "quantization" || (isObject(settings) && "bits" in settings && "group_size" in settings);
}

/** The method that a field's name says, where the settings do not. */
function withMethod(field: string, settings: unknown): unknown {
  if (!isObject(settings) || field === "quantization_config") return settings;
  return { quant_method: field === "quantization" ? "mlx" : "compressed-tensors", ...settings };
}

/** Settings in a file of their own: GPTQ's first tools wrote quantize_config.json, AutoAWQ quant_config.json. */
async function sideFile({ path, tensors }: Checkpoint): Promise<PackingSettings | null> {
  if (![...tensors.keys()].some((name) => name.endsWith(".qweight"))) return null;
  for (const [file, method] of [
    ["quantize_config.json", "gptq"],
    ["quant_config.json", "awq"],
  ]) {
    if (!(await isRegularFile(join(path, file)))) continue;
    const rules = { maxBytes: MAX_CONFIG_BYTES, badCode: "checkpoint/bad-config" };
    const settings = await readJsonObject(join(path, file), rules);
    return { settings: { quant_method: method, ...settings }, from: file };
  }
  return null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}
