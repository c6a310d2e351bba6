import { LAYER_NAMES, OUTER_NAMES, type GgufForm } from "#engine/architecture/description/ggufForm.ts";
import { FAMILIES } from "#engine/architecture/families/families.ts";
import type { Family } from "#engine/architecture/description/family.ts";

/** The two vocabularies of tensor names for one of GGUF's architectures. */
export interface TensorNames {
  /** GGUF's name of a tensor; null where the architecture has none for it. */
  toGguf(name: string): string | null;
  /** Hugging Face's name; the file's own where it has none. */
  toHuggingFace(name: string): string;
}

type Names = Pick<GgufForm, "layer" | "outer" | "layersPath" | "second">;

/** Of architectures that no family here has. */
const USUAL: Names = {
  layer: { ...LAYER_NAMES, "self_attn.qkv_proj": "attn_qkv" },
  outer: OUTER_NAMES,
  layersPath: "model.layers",
  second: null,
};

/**
 * The family whose files are of this architecture; null where none is.
 * @param architecture `general.architecture`
 * @param number a setting of the file, without the architecture's name in front
 */
export function familyOfArchitecture(
  architecture: string,
  number: (key: string) => number | null,
): Family | null {
  const own = FAMILIES.filter(({ gguf }) => gguf?.architecture === architecture);
  return (
    own.find(({ gguf }) => gguf?.claims?.(number) === true) ??
    own.find(({ gguf }) => gguf?.claims === null) ??
    null
  );
}

/**
 * @param form of the family; null = an architecture that is not known, which is read with the usual names
 * @param held names of a file's tensors, where one is read
 */
export function tensorNames(form: Names | null, held: ReadonlySet<string> = new Set()): TensorNames {
  const { layer: layerNames, outer, layersPath, second } = form ?? USUAL;
  /** Of two names that are one in the file, the later counts. */
  const takesFirst = second !== null && !held.has(`blk.0.${second}.weight`);
  const reversed = (names: Readonly<Record<string, string>>) => {
    const pairs = Object.entries(names).map(([name, gguf]) => [gguf, name] as const);
    return new Map(takesFirst ? pairs.toReversed() : pairs);
  };
  const [inner, outerToGguf] = [new Map(Object.entries(layerNames)), new Map(Object.entries(outer))];
  const [innerToOther, outerToOther] = [reversed(layerNames), reversed(outer)];
  return {
    toGguf(name) {
      const outside = outerToGguf.get(name);
      if (outside !== undefined) return outside;
      const rest = name.startsWith(`${layersPath}.`) ? name.slice(layersPath.length + 1) : "";
      const [, layer, part, kind] = /^(\d+)\.(.+)\.(weight|bias)$/.exec(rest) ?? [];
      const gguf = layer === undefined ? undefined : inner.get(part);
      return gguf === undefined ? null : `blk.${layer}.${gguf}.${kind}`;
    },
    toHuggingFace(name) {
      const [, layer, part, kind] = /^blk\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
      if (layer === undefined) return outerToOther.get(name) ?? name;
      const other = innerToOther.get(part);
      return other === undefined ? name : `${layersPath}.${layer}.${other}.${kind}`;
    },
  };
}

/** Divisors of the rotary frequencies, which the file's architecture keeps beside the weights. */
export const ROPE_TENSORS = {
  both: "rope_freqs.weight",
  long: "rope_factors_long.weight",
  short: "rope_factors_short.weight",
} as const;
