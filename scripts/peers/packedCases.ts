import { join } from "node:path";
import type { ExportFormat, KeptModule } from "#shared/exporting.ts";
import { DEMO, DEMO_SUPER_WEIGHT, TINY, windowsOf, writeTiny, type Tiny } from "./models.ts";

const WINDOWS = 12;
const FAMILIES = ["llama", "mistral", "qwen2", "phi3"];

type StoredType = "F32" | "F16" | "BF16";
const HALF_TYPES: readonly StoredType[] = ["F16", "BF16"];
const EVERY_TYPE: readonly StoredType[] = ["F32", ...HALF_TYPES];
const everyType = (family: string) => (family === "llama" ? EVERY_TYPE : HALF_TYPES);
const vllmTypes = (family: string) => (family === "llama" ? HALF_TYPES : HALF_TYPES.slice(1));

interface TinySettings {
  readonly types?: (family: string) => readonly StoredType[];
  readonly heads?: number;
  readonly keyValueHeads?: number;
}

/** One export that a library is to load. */
export interface Case {
  readonly model: string;
  readonly source: string;
  readonly format: ExportFormat;
  readonly kept?: KeptModule;
  /** transformers, but where a module has bits of its own: its GPTQ loader knows one width. */
  readonly loader?: "gptqmodel";
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly says: string;
  readonly windows: readonly (readonly number[])[];
}

type Part = Pick<Case, "format" | "recipe" | "says" | "kept" | "loader">;

const CT = { scheme: "compressed-tensors", bits: 4 };
const GPTQ = { scheme: "gptq-int", bits: 4 };
const AWQ = { scheme: "awq-int", bits: 4 };
const SYMMETRIC = { symmetric: true };
const RESTORED = { restore: [DEMO_SUPER_WEIGHT] };

/** The demo model: every scheme and width, with the super weight's module kept both ways. */
const OF_DEMO: readonly Part[] = [
  {
    ...{ format: "compressed-tensors", says: "int4 sym, group 64" },
    recipe: { ...CT, ...SYMMETRIC, ...RESTORED, granularity: "group:64" },
  },
  {
    ...{ format: "compressed-tensors", kept: "8-bit" },
    says: "int4 sym, group 64, mse, super weight's module int8",
    recipe: { ...CT, ...SYMMETRIC, ...RESTORED, granularity: "group:64", range: { method: "mse" } },
  },
  {
    ...{ format: "compressed-tensors", says: "int4, group 64" },
    recipe: { ...CT, ...RESTORED, granularity: "group:64" },
  },
  {
    ...{ format: "compressed-tensors", says: "int8 sym, group 32" },
    recipe: { ...CT, ...SYMMETRIC, bits: 8, granularity: "group:32" },
  },
  {
    ...{ format: "compressed-tensors", says: "int8, channel" },
    recipe: { ...CT, bits: 8, granularity: "channel" },
  },
  {
    ...{ format: "gptq", says: "int4 sym, group 64" },
    recipe: { ...GPTQ, ...SYMMETRIC, ...RESTORED, granularity: "group:64" },
  },
  {
    ...{ format: "gptq", kept: "8-bit", loader: "gptqmodel" },
    says: "int4 sym, group 32, super weight's module int8",
    recipe: { ...GPTQ, ...SYMMETRIC, ...RESTORED, granularity: "group:32" },
  },
  { format: "gptq", says: "int4 (v2), group 32", recipe: { ...GPTQ, granularity: "group:32" } },
  {
    ...{ format: "gptq", says: "int8 sym, channel" },
    recipe: { ...GPTQ, ...SYMMETRIC, bits: 8, granularity: "channel" },
  },
  { format: "gptq", says: "int3 (v2), group 32", recipe: { ...GPTQ, bits: 3, granularity: "group:32" } },
  {
    ...{ format: "gptq", says: "int2 sym, group 16" },
    recipe: { ...GPTQ, ...SYMMETRIC, ...RESTORED, bits: 2, granularity: "group:16" },
  },
  { format: "awq", says: "int4, group 64", recipe: { ...AWQ, ...RESTORED, granularity: "group:64" } },
];

/** Every family: each format as symmetric and asymmetric as it goes. */
const OF_TINY: readonly Part[] = [
  {
    ...{ format: "compressed-tensors", says: "int4 sym, channel" },
    recipe: { ...CT, ...SYMMETRIC, granularity: "channel" },
  },
  { format: "compressed-tensors", says: "int4, group 32", recipe: { ...CT, granularity: "group:32" } },
  {
    ...{ format: "gptq", says: "int4 sym, group 32" },
    recipe: { ...GPTQ, ...SYMMETRIC, granularity: "group:32" },
  },
  { format: "gptq", says: "int4 (v2), group 32", recipe: { ...GPTQ, granularity: "group:32" } },
  { format: "awq", says: "int4, group 32", recipe: { ...AWQ, granularity: "group:32" } },
];

/** Everything that is exported and loaded; the tiny models are written into `folder`. */
export async function packedCases(folder: string): Promise<Case[]> {
  return [...(await casesOfDemo(OF_DEMO)), ...(await casesOfTiny(folder, OF_TINY))];
}

/** What AutoAWQ takes: the same AWQ folders, but no module of a single layer that stays unquantized. */
export async function awqCases(folder: string): Promise<Case[]> {
  const says = "int4, group 64, all linears";
  const whole: Part = { format: "awq", says, recipe: { ...AWQ, granularity: "group:64" } };
  const tiny = OF_TINY.filter(({ format }) => format === "awq");
  return [...(await casesOfDemo([whole])), ...(await casesOfTiny(folder, tiny))];
}

/**
 * What vLLM has kernels for on a CPU: 4 bits, GPTQ symmetric, and heads of 32 channels, which the tiny models get. It takes long
 * to start a model, so families other than llama are taken in BF16 alone.
 */
export async function vllmCases(folder: string): Promise<Case[]> {
  const four = ({ kept, recipe: { bits, scheme, symmetric } }: Part) =>
    bits === 4 && kept === undefined && (scheme !== "gptq" || symmetric === true);
  return [
    ...(await casesOfDemo(OF_DEMO.filter(four))),
    ...(await casesOfTiny(folder, OF_TINY.filter(four), { types: vllmTypes, heads: 2, keyValueHeads: 1 })),
  ];
}

async function casesOfDemo(parts: readonly Part[]): Promise<Case[]> {
  const demo = { model: "demo", source: DEMO, windows: await windowsOf(DEMO, WINDOWS) };
  return parts.map((part) => ({ ...demo, ...part }));
}

async function casesOfTiny(
  folder: string,
  parts: readonly Part[],
  { types = everyType, ...heads }: TinySettings = {},
): Promise<Case[]> {
  const cases: Case[] = [];
  for (const tiny of TINY.filter(({ name }) => FAMILIES.includes(name)))
    for (const storage of types(tiny.name)) {
      const place = join(folder, `tiny-${tiny.name}-${storage}`);
      const source = await writeLoadable({ ...tiny, options: { ...tiny.options, ...heads } }, storage, place);
      const windows = await windowsOf(source, WINDOWS);
      for (const part of parts)
        cases.push({ model: `tiny ${tiny.name}, ${storage}`, source, windows, ...part });
    }
  return cases;
}

/** Phi-3's class would have a padding token of its own beyond these vocabularies. */
async function writeLoadable(tiny: Tiny, storage: StoredType, folder: string): Promise<string> {
  const options = { ...tiny.options, config: { ...tiny.options.config, pad_token_id: 0 } };
  return writeTiny({ ...tiny, options }, storage, folder);
}
