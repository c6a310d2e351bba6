import { tensorOf, type Disturbance, type Draft } from "./draft.ts";

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** Other names for the same tensors. */
export const NAMES: readonly Disturbance[] = [
  { name: "names without model.", apply: rename((name) => name.replace(/^model\./, "")) },
  ...["_orig_mod.", "base_model.model.", "language_model.", "module."].map((prefix) => ({
    name: `names led by ${prefix}`,
    apply: rename((name) => prefix + name),
  })),
  { name: "names led by transformer.", apply: rename((name) => name.replace(/^model\./, "transformer.")) },
];

/** How weight files lie in the folder. */
export const LAYOUTS: readonly Disturbance[] = [
  { name: "shards", apply: (draft) => shard(draft, 2) !== null },
  {
    name: "an index that names a tensor nobody needs",
    apply: (draft) =>
      withIndex(draft, (map) => ({ ...map, "model.rotary_emb.inv_freq": Object.values(map)[0] ?? "" })),
  },
  {
    name: "an index that omits a tensor nobody needs",
    apply: (draft) => {
      draft.tensors.set("mtp.norm.weight", tensorOf("F32", [4], new Float32Array(4)));
      return withIndex(draft, (map) =>
        Object.fromEntries(Object.entries(map).filter(([name]) => name !== "mtp.norm.weight")),
      );
    },
  },
  {
    name: "an index that omits a needed tensor",
    apply: (draft) =>
      withIndex(draft, (map) =>
        Object.fromEntries(Object.entries(map).filter(([name]) => !/^(.*\.)?norm\.weight$/.test(name))),
      ) && refuse(draft),
  },
  {
    name: "a stale index beside the whole file",
    apply: (draft) => {
      const map = Object.fromEntries(
        [...draft.tensors.keys()].map((name) => [name, "model-00001-of-00007.safetensors"]),
      );
      draft.files.set(INDEX, JSON.stringify({ metadata: {}, weight_map: map }));
      return true;
    },
  },
  {
    name: "a shard is missing",
    apply: (draft) => {
      const files = shard(draft, 2);
      if (!files) return false;
      draft.weightFiles.delete(files[1]);
      return refuse(draft);
    },
  },
];

/** Files around the weights. */
export const SIDE_FILES: readonly Disturbance[] = [
  beside("Python files", { "__init__.py": "", "modeling_own.py": "raise SystemExit\n" }),
  beside("weights of another program", { "pytorch_model.bin": "PK\u0003\u0004", "tf_model.h5": "HDF" }),
  beside("the publisher's own format", {
    "original/params.json": "{}",
    "original/consolidated.00.pth": "PK",
  }),
  beside("a leftover quantize_config.json", { "quantize_config.json": '{"bits":4,"group_size":128}' }),
  beside("a leftover quant_config.json", { "quant_config.json": '{"w_bit":4,"q_group_size":128}' }),
  beside("generation_config.json", { "generation_config.json": '{"eos_token_id":[2,3]}' }),
  beside("an adapter's config", { "adapter_config.json": '{"peft_type":"LORA"}' }),
  beside("hidden files", { ".gitattributes": "*.safetensors filter=lfs", ".cache/x": "" }),
  {
    name: "files that are links, as in a cache",
    apply: (draft) => {
      draft.linked = true;
      return true;
    },
  },
];

/** Every tensor into one file, unless a layout said otherwise. */
export function settleLayout(draft: Draft): void {
  if (draft.weightFiles.size === 0) draft.weightFiles.set(SINGLE, [...draft.tensors.keys()]);
}

/** Cuts the tensors into files and writes their index. Names of the files; null where there is a layout already. */
function shard(draft: Draft, count: number): string[] | null {
  if (draft.weightFiles.size > 0 || draft.files.has(INDEX)) return null;
  const names = [...draft.tensors.keys()];
  const files = Array.from({ length: count }, (_, i) => `model-0000${i + 1}-of-0000${count}.safetensors`);
  const fileOf = (at: number): string => files[Math.floor((at * count) / names.length)] ?? "";
  for (const file of files)
    draft.weightFiles.set(
      file,
      names.filter((_, at) => fileOf(at) === file),
    );
  const map = Object.fromEntries(names.map((name, at) => [name, fileOf(at)]));
  draft.files.set(INDEX, JSON.stringify({ metadata: {}, weight_map: map }));
  return files;
}

function withIndex(draft: Draft, change: (map: Record<string, string>) => Record<string, string>): boolean {
  if (!shard(draft, 2)) return false;
  const { weight_map } = JSON.parse(String(draft.files.get(INDEX))) as { weight_map: Record<string, string> };
  draft.files.set(INDEX, JSON.stringify({ metadata: {}, weight_map: change(weight_map) }));
  return true;
}

function rename(change: (name: string) => string): (draft: Draft) => boolean {
  return (draft) => {
    draft.tensors = new Map([...draft.tensors].map(([name, tensor]) => [change(name), tensor]));
    return true;
  };
}

function beside(name: string, files: Record<string, string>): Disturbance {
  return {
    name: `side files: ${name}`,
    apply: (draft) => {
      for (const [path, content] of Object.entries(files)) draft.files.set(path, content);
      return true;
    },
  };
}

function refuse(draft: Draft): true {
  draft.broken = true;
  return true;
}
