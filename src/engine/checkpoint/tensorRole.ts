import type { TensorInfo, TensorRole } from "#shared/model.ts";

/** Decoder layer a tensor name belongs to (`….layers.N.…` and its older spellings), or null. */
export function layerOf(name: string): number | null {
  const found = /(?:^|\.)(?:layers|h|blocks)\.(\d{1,6})\./.exec(name);
  return found ? Number(found[1]) : null;
}

const ROLES: readonly (readonly [RegExp, TensorRole])[] = [
  [/\.bias$/, "bias"],
  [/norm|(?:^|\.)ln_/, "norm"],
  [/(?:^|\.)(?:lm_head|embed_out)\./, "head"],
  [/(?:^|\.)(?:embed_positions|wpe)\./, "other"],
  [/(?:^|\.)(?:embed_tokens|embed_in|word_embeddings|wte)\./, "embedding"],
  [/(?:^|\.)(?:self_attn|attn|attention|self_attention)\./, "attention"],
  [/(?:^|\.)(?:mlp|feed_forward|block_sparse_moe|fc1|fc2)\./, "mlp"],
];

/** What a tensor does, from its name. */
export function roleOf(name: string): TensorRole {
  return ROLES.find(([pattern]) => pattern.test(name))?.[1] ?? "other";
}

/** True for the matrices of the decoder layers, which recipes quantize by default. */
export function isLinear(name: string, shape: readonly number[]): boolean {
  const role = roleOf(name);
  return (
    shape.length === 2 &&
    layerOf(name) !== null &&
    (role === "attention" || role === "mlp") &&
    name.endsWith(".weight") &&
    !isRouter(name)
  );
}

/** True for the matrix that chooses a token's experts: what it decides is all or nothing, so it stays as it is. */
export function isRouter(name: string): boolean {
  return /\.(?:mlp|feed_forward|block_sparse_moe)\.(?:gate|router)\.weight$/.test(name);
}

/** Number of the expert that a matrix is of, by its name (`….experts.3.down_proj.weight`), or null. */
export function expertIn(name: string): number | null {
  const found = /\.experts\.(\d{1,6})\./.exec(name);
  return found ? Number(found[1]) : null;
}

/** Path of a tensor's module below its layer: `self_attn.q_proj`; the whole one outside the layers. */
export function modulePath(name: string): string {
  const module = name.slice(0, Math.max(0, name.lastIndexOf(".")));
  return /(?:^|\.)(?:layers|h|blocks)\.\d{1,6}\.(.+)$/.exec(module)?.[1] ?? module;
}

/** True for the weight of a norm. */
export function isNormWeight({ name, shape }: Pick<TensorInfo, "name" | "shape">): boolean {
  return shape.length === 1 && roleOf(name) === "norm" && name.endsWith(".weight");
}

/** True for a table of learned positions. */
export function isPositions(name: string): boolean {
  return /(?:^|\.)(?:wpe|embed_positions)\.weight$/.test(name);
}

/** True for tables that old checkpoints carry along and that every program computes from the config. */
export function isDerived(name: string): boolean {
  return /\.rotary_emb\.inv_freq$/.test(name);
}
